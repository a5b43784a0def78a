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
    "link_rate_low": ("关联率 {rate}% 低于 {limit}%", "Link rate {rate} % is below {limit} %"),
    "error_rate_high": (
        "同步错误率 {rate}% 高于 {limit}%",
        "Sync error rate {rate} % is above {limit} %",
    ),
    "customers_failed": (
        "上次同步有 {count} 个客户失败",
        "{count} customers failed in the last sync",
    ),
    "never_synced": ("尚未完成过同步", "No synchronisation has completed yet"),
    "sync_old": (
        "上次同步在 {hours} 小时前,超过 {limit} 小时",
        "The last sync was {hours} hours ago, more than {limit}",
    ),
    "market_missing": ("没有可用的行情数据", "There is no usable market data"),
    "market_stale": ("行情数据已有 {hours} 小时未更新", "Market data are {hours} hours old"),
    "ambiguous_email": (
        "{count} 个客户的邮箱匹配多个账户",
        "{count} customers match several accounts by e-mail",
    ),
    "unusable_figure": (
        "{count} 个客户的矿机数据含无效数值",
        "{count} customers have miners with unusable figures",
    ),
    "unknown_status": (
        "{count} 个客户的矿机状态无法识别",
        "{count} customers have miners of unknown status",
    ),
}


def text(message: str, language: Language, **fields: object) -> str:
    """The text of that name in that language, its fields filled in."""
    return TEXTS[message][language == "en"].format(**fields)
