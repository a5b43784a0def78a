// Every word of the pages, Chinese and English, and which of the two it is.

const KEPT = "crm-hosting-language";

const TEXTS = {
  skip: ["跳到内容", "Skip to content"],
  loading: ["载入中…", "Loading …"],
  language: ["语言", "Language"],
  hosting: ["托管", "Hosting"],
  never: ["从未", "never"],
  just_now: ["刚刚", "just now"],
  retry: ["重试", "Try again"],
  all_customers: ["全部客户", "All customers"],
  unreachable: ["无法连接服务器,请稍后重试。", "The server cannot be reached. Try again later."],
  unreadable: ["服务器的回答无法读取。", "The server’s answer cannot be read."],
  expired_title: ["会话已过期", "Your session has expired"],
  expired_text: ["请重新登录 CRM,然后回到本页。", "Log in to the CRM again, then come back to this page."],
  log_in: ["登录 CRM", "Log in to the CRM"],
  forbidden_title: ["无权查看", "This is not yours to see"],
  forbidden_text: ["该客户属于其他矿场主,或您的角色没有查看权限。", "It belongs to another mine owner, or your role may not view it."],
  missing_title: ["客户不存在", "There is no such customer"],
  missing_text: ["该客户可能已被删除,或链接有误。", "It may have been deleted, or the link is mistaken."],
  error_title: ["暂时无法显示", "This cannot be shown right now"],

  btc_price: ["比特币价格", "Bitcoin price"],
  difficulty: ["全网难度", "Difficulty"],
  taken: ["行情时间", "Taken"],
  profit: ["日净利润(估算)", "Net profit a day, estimated"],
  loss: ["日净亏损(估算)", "Net loss a day, estimated"],
  revenue: ["收入", "Revenue"],
  electricity: ["电费", "Electricity"],
  margin: ["利润率", "Margin"],
  split: ["电费占收入的 {share}%", "Electricity takes {share} % of revenue"],
  market_none: ["没有行情数据,无法估算收入与利润。", "Without market data revenue and profit cannot be estimated."],
  market_old: ["行情数据已超过 6 小时,估算可能不准。", "The market data are over six hours old: take the estimates with care."],
  machines_by_status: ["矿机状态", "Machines by status"],
  machines: ["台矿机", "machines"],
  active: ["运行", "Active"],
  maintenance: ["维护", "Maintenance"],
  offline: ["离线", "Offline"],
  sold: ["已售", "Sold"],
  not_counted: ["不计入", "not counted"],
  hashrate: ["算力", "Hashrate"],
  power: ["功率", "Power"],
  efficiency: ["能效", "Efficiency"],
  active_share: ["运行率", "Running"],
  machines_by_model: ["矿机型号", "Machines by model"],
  hashrate_share: ["算力占比", "Share of hashrate"],
  power_share: ["功率占比", "Share of power"],
  no_machines: ["没有计入的矿机", "No machines that count"],
  other_models: ["其他 {count} 种型号", "{count} other models"],
  crm_record: ["CRM 记录", "The CRM’s record"],
  field: ["字段", "Field"],
  in_crm: ["CRM 当前值", "In the CRM"],
  after_sync: ["同步后", "After a sync"],
  miners_count: ["矿机数量", "Machines"],
  mining_capacity: ["容量", "Capacity"],
  primary_miner_model: ["主力型号", "Main model"],
  hosting_estimated_daily_btc: ["日收入 ₿", "Revenue a day, ₿"],
  hosting_estimated_daily_usd: ["日收入 $", "Revenue a day, $"],
  hosting_net_profit_daily: ["日净利润", "Net profit a day"],
  changed_at: ["上次同步更新:{when}。", "Last changed by a sync {when}."],
  never_synced: ["尚未同步过。", "Never synced."],
  would_change: ["同步将更新 {count} 个字段。", "A sync would change {count} of its fields."],
  up_to_date: ["记录已是最新,无需同步。", "It is up to date: a sync would change nothing."],
  view_only: ["您的角色可以查看,但不能同步。", "Your role may view, not sync."],
  sync_now: ["立即同步", "Sync now"],
  fleet: ["矿机清单", "The fleet"],
  filter: ["按状态筛选", "Filter by status"],
  all: ["全部", "All"],
  search: ["搜索名称、型号、位置", "Search name, model, place"],
  name: ["名称", "Name"],
  model: ["型号", "Model"],
  status: ["状态", "Status"],
  quantity: ["台数", "Machines"],
  daily_electricity: ["日电费", "Electricity a day"],
  each: ["单台 {figure}", "{figure} each"],
  total: ["合计", "Total"],
  sold_apart: ["另有已售 {count} 台,不计入", "{count} sold, not counted"],
  shown: ["第 {from}–{to} 批,共 {count} 批", "Batches {from}–{to} of {count}"],
  nothing_found: ["没有符合条件的结果", "Nothing matches"],
  loading_more: ["已载入 {count} 批…", "{count} batches loaded …"],
  previous: ["上一页", "Previous"],
  next: ["下一页", "Next"],
  fleet_remark: ["每行是一批相同的矿机。灰色电费为未运行的矿机运行时的数额,不计入合计。", "A row is a batch of equal machines. What is grey would be spent if they ran, and does not count."],
  unlinked_title: ["未关联托管账户", "Not linked to a hosting account"],
  unlinked_no_email: ["该客户的 CRM 记录没有邮箱,无法匹配托管账户。", "This customer’s record has no e-mail address to match with a hosting account."],
  unlinked_no_account: ["没有可匹配的托管账户使用该客户的邮箱。", "No hosting account in reach has this customer’s e-mail address."],
  unlinked_fix_email: ["在 CRM 中填写客户用于托管的邮箱。", "In the CRM, enter the address that the customer uses for hosting."],
  unlinked_compare: ["对照两边的邮箱拼写;大小写和首尾空格无关紧要。", "Compare the spelling on both sides; case and blanks around it do not matter."],
  unlinked_open: ["还没有托管账户时,请用同一邮箱开通。", "If there is no account yet, open one with the same address."],
  unlinked_then: ["关联立即生效,刷新本页即可查看。", "The link holds at once: reload this page."],
  empty_title: ["托管账户还没有矿机", "The hosting account has no machines yet"],
  empty_text: ["账户 #{account} 已按邮箱关联。登记矿机后,数据会立即显示在这里。", "Account #{account} is linked by e-mail. Once it has machines, their figures show here at once."],

  link_rate: ["关联率", "Link rate"],
  linked: ["已关联", "Linked"],
  unlinked: ["未关联", "Not linked"],
  sync_health: ["同步健康", "Sync health"],
  healthy: ["健康", "Healthy"],
  warning: ["需要注意", "Needs attention"],
  critical: ["严重", "Critical"],
  last_sync: ["上次全量同步:", "Last full sync:"],
  no_issues: ["没有发现问题", "No issues found"],
  sync_all: ["批量同步", "Sync all customers"],
  sync_all_what: ["把托管数据写入已关联客户的 CRM 记录;每天也会自动运行。", "Writes the figures into the linked customers’ records. It also runs by itself, daily."],
  sync_all_now: ["全部同步", "Sync all"],
  preview: ["预览变更", "Preview changes"],
  progress: ["已处理 {done} / {total} 个客户", "{done} of {total} customers done"],
  handed_over: ["其余 {remaining} 个客户在后台继续。", "The remaining {remaining} customers go on in the background."],
  counts: ["同步 {synced} · 跳过 {skipped} · 失败 {errors}", "{synced} synced · {skipped} skipped · {errors} failed"],
  ended_badly: ["同步未完成:{state}", "The sync did not complete: {state}"],
  would_sync: ["将更新 {changed} 个客户,共 {total} 个。", "Would change {changed} of {total} customers."],
  last_runs: ["最近运行", "Last runs"],
  no_runs: ["还没有运行过。", "Nothing has run yet."],
  running: ["进行中", "Running"],
  completed: ["完成", "Completed"],
  partial: ["部分完成", "Partial"],
  failed: ["失败", "Failed"],
  abandoned: ["中断", "Abandoned"],
  schedule: ["定时", "scheduled"],
  request: ["手动", "by hand"],
  console: ["命令行", "command line"],
  changed_rows: ["{count} 条记录有变化", "{count} records changed"],
  seconds: ["{count} 秒", "{count} s"],
  customers_by_profit: ["客户利润排行", "Customers by profit"],
  search_customers: ["搜索客户或公司", "Search customer or company"],
  customer: ["客户", "Customer"],
  synced: ["同步更新", "Synced"],
  more: ["加载更多", "Load more"],
  customers_shown: ["已显示 {count} 个客户", "{count} customers shown"],
  no_customers_title: ["还没有客户", "No customers yet"],
  no_customers_text: ["在 CRM 中创建客户后,会显示在这里。", "Customers that you create in the CRM show up here."],
};

const asked = new URLSearchParams(location.search).get("lang");

export const chosen = [asked, kept()].find((one) => /^(zh|en)$/.test(one));
export const language = chosen ?? document.documentElement.lang;

/** The text of that name, its {fields} filled in. */
export function t(name, fields) {
  return TEXTS[name][language === "en" ? 1 : 0].replace(/\{(\w+)\}/g, (_, field) => fields[field]);
}

/** Keep a language that was chosen by hand, where the browser lets us. */
export function remember() {
  try {
    if (asked === language) localStorage.setItem(KEPT, language);
  } catch {} // a frame without storage
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
