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
    "performance_elsewhere": (
        "此 CRM 的矿机数据不来自 hosting_miners(MACHINE_SOURCE),没有实时性能数据",
        "Machines do not come from hosting_miners here (MACHINE_SOURCE): there are no performance data",
    ),
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
    "account_not_found": ("账户不存在", "There is no such account"),
    "refused_for_all": (
        "管理员已为该客户拒绝此账户,只有可查看所有客户的人才能撤销",
        "An administrator refused this account for the customer: only somebody who sees all customers takes that back",
    ),
    # Why a customer is linked, or not.
    "linked_confirmed": ("已由人工确认", "Somebody confirmed it"),
    "linked_crm": ("CRM 为该客户开设的账户", "The CRM opened the account for this customer"),
    "linked_email": ("邮箱一致", "The e-mail addresses match"),
    "linked_ambiguous": (
        "{count} 个账户匹配,取编号最小的启用账户",
        "{count} accounts match; of the active ones the oldest was taken",
    ),
    "linked_shared": ("其他客户也关联到该账户", "Another customer is linked to the same account"),
    "no_address": ("客户没有邮箱", "The customer has no e-mail address"),
    "not_an_address": ("所填内容不是邮箱地址", "What is in the field is no e-mail address"),
    "no_account": ("没有账户使用该邮箱", "No account has this address"),
    "held_back": (
        "该邮箱的账户不属于客户的所有者,需人工确认",
        "An account has this address, but is not the owner's: somebody has to confirm it",
    ),
    "account_refused": ("有账户已被拒绝", "Somebody said of an account that it is not this customer's"),
    "was_linked": ("曾经同步过,现已失去关联", "It was synchronised before, and has lost its link"),
    "names_nobody": ("关联所指的账户已不存在", "The link names an account that is gone"),
    "suggested_exact": ("邮箱一致,但账户不属于客户的所有者", "The same address, of an account that is not the owner's"),
    "suggested_typed": ("邮箱栏中填有该地址", "The address is typed in the customer's field"),
    "suggested_punycode": ("同一地址的另一种域名写法", "The same address in the other spelling of its domain"),
    "suggested_mailbox": ("仅点号或加号标签不同", "The same mailbox, but for dots or a plus tag"),
    "suggested_typo": ("仅差一个字符", "One slip of the keyboard away"),
    "suggested_name": ("名称相同", "The same name"),
    "suggested_company": ("与公司名称相同", "The same name as the company's"),
    "links_confirmed": ("已确认 {count} 个关联", "Links confirmed: {count}"),
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
    "shared_across_owners": (
        "账户同时关联到其他所有者的客户:{count} 个",
        "Customers whose account is linked to a customer of another owner too: {count}",
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
    "missing_index": (
        "缺失或无效的数据库索引:{count} 个(运行 Migrate 可重建)",
        "Database indexes that are missing or not valid, which Migrate makes again: {count}",
    ),
    # What to do about it: to who sees all customers, and to an owner.
    "sync_now_all": (
        "请全部同步;每日同步未完成的原因见 DailySync 的日志(docs/runbook.md,SyncAgeAlarm)",
        "Sync all; the daily run's log says why it did not complete (docs/runbook.md, SyncAgeAlarm)",
    ),
    "sync_now_owner": (
        "请全部同步,并告知管理员每日同步没有完成",
        "Sync all, and tell the administrator that the daily run did not complete",
    ),
    "have_a_market_all": (
        "在 CRM 中用实时数据运行收益计算器;要每小时更新,部署 MarketRefresh(MarketSecretArn),已部署则查看其日志",
        "Run the CRM's profitability calculator with live data; with MarketSecretArn set MarketRefresh fetches hourly, "
        "and its log says why where it cannot",
    ),
    "have_a_market_owner": (
        "在 CRM 中用实时数据运行收益计算器,或告知管理员",
        "Run the CRM's profitability calculator with live data, or tell the administrator",
    ),
    "correct_market_all": (
        "核对最新一条行情的价格与难度(CRM 的难度以万亿计);有误则将其 is_valid 设为 false",
        "Check the newest snapshot's price and difficulty (the CRM's is in trillions); if they are wrong, set its "
        "is_valid to false",
    ),
    "correct_market_owner": (
        "收入与利润暂不可信;请告知管理员",
        "Do not go by revenue and profit for now, and tell the administrator",
    ),
    "migrate_all": ("步骤见 docs/deploy.md 第 5 节", "How: docs/deploy.md, 5"),
}


def text(message: str, language: Language, **fields: object) -> str:
    """The text of that name in that language, its fields filled in."""
    return TEXTS[message][language == "en"].format(**fields)
