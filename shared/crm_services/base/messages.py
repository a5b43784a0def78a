"""Every text that a person reads, in Chinese (the contract's language) and English."""

from typing import Literal

Language = Literal["zh", "en"]

TEXTS: dict[str, tuple[str, str]] = {
    "synced": ("托管数据同步成功", "Hosting data synchronised"),
    "synced_all": (
        "已同步 {synced} 个客户的托管数据",
        "Hosting data of {synced} customers synchronised",
    ),
    "synced_so_far": (
        "已同步 {synced} 个客户的托管数据,还有 {remaining} 个待处理",
        "Hosting data of {synced} customers synchronised so far, {remaining} to go",
    ),
    "nothing_hosted": (
        "未找到关联的托管账户或无矿机数据",
        "No linked hosting account, or it has no miners",
    ),
    "customer_not_found": ("客户不存在", "There is no such customer"),
    "run_not_found": ("同步记录不存在", "There is no such run"),
    "not_found": ("未找到", "Not found"),
    "not_authenticated": ("未登录或会话已过期", "Not logged in, or the session has expired"),
    "access_denied": ("无权访问该资源", "You have no access to this resource"),
    "cross_site": ("拒绝跨站请求", "Cross-site requests are refused"),
    "bad_parameter": ("参数 {name} 无效", "Parameter {name} is not valid"),
    "bad_parameter_of": (
        "参数 {name} 无效,可选值:{allowed}",
        "Parameter {name} is not valid; allowed: {allowed}",
    ),
    "run_under_way": (
        "同步正在进行中,请稍后再试",
        "A synchronisation is under way; try again later",
    ),
    "too_soon": (
        "刚刚同步过,且没有变化;请在 {seconds} 秒后再试",
        "Synchronised a moment ago, and nothing has changed since; try again in {seconds} seconds",
    ),
    "customer_busy": (
        "该客户的记录正在被修改,请稍后再试",
        "The customer's record is being changed; try again",
    ),
    "customer_refused": (
        "CRM 拒绝了该客户的数据,未同步",
        "The CRM does not take this customer's figures; nothing was synchronised",
    ),
    "unavailable": (
        "服务暂时不可用,请稍后再试",
        "The service is unavailable for the moment; try again",
    ),
    "internal": ("内部错误,编号 {correlation_id}", "Internal error, reference {correlation_id}"),
    # What sync-status names.
    "link_rate_low": ("关联率 {figure}% 低于 {limit}%", "Link rate {figure} % is below {limit} %"),
    "error_rate_high": ("同步错误率 {figure}% 高于 {limit}%", "Sync error rate {figure} % is above {limit} %"),
    "customers_failed": ("上次同步失败的客户:{count} 个", "Customers that failed in the last sync: {count}"),
    "never_synced": ("尚未完成过同步", "No synchronisation has completed yet"),
    "sync_old": (
        "上次同步在 {figure} 小时前,超过 {limit} 小时",
        "The last sync was {figure} hours ago, more than {limit}",
    ),
    "market_missing": ("没有可用的行情数据", "There is no usable market data"),
    "market_stale": (
        "行情数据已有 {figure} 小时未更新,超过 {limit} 小时",
        "Market data are {figure} hours old, more than {limit}",
    ),
    "usd_implausible": (
        "行情数据不可信:每 TH/s 每天收入 {figure} 美元,超过 {limit}",
        "Market data cannot be right: 1 TH/s would earn {figure} $ a day, more than {limit}",
    ),
    "btc_implausible": (
        "行情数据不可信:每 TH/s 每天收入 {figure} BTC,超过 {limit}",
        "Market data cannot be right: 1 TH/s would earn {figure} BTC a day, more than {limit}",
    ),
    "ambiguous_email": (
        "邮箱匹配多个账户的客户:{count} 个",
        "Customers whose e-mail matches several accounts: {count}",
    ),
    "link_lost": (
        "失去托管账户关联、数据已清零的客户:{count} 个",
        "Customers that lost their hosting account, and were cleared: {count}",
    ),
    "account_gone": (
        "关联的账户已不存在的客户:{count} 个",
        "Customers whose link names an account that is gone: {count}",
    ),
    "shared_account": (
        "与其他客户共用同一账户的客户:{count} 个(合计只算一次)",
        "Customers that share their account with another, whose fleet totals count once: {count}",
    ),
    "unusable_figure": (
        "矿机数据含无效数值的客户:{count} 个",
        "Customers that have miners with unusable figures: {count}",
    ),
    "unknown_status": ("矿机状态无法识别的客户:{count} 个", "Customers that have miners of unknown status: {count}"),
    "unlikely_figure": (
        "矿机数值与机型参数明显不符的客户:{count} 个",
        "Customers that have miners with figures unlike their model's: {count}",
    ),
}


def text(message: str, language: Language, **fields: object) -> str:
    """The text of that name in that language, its fields filled in."""
    return TEXTS[message][language == "en"].format(**fields)
