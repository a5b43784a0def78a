// The words, Chinese and English, and which of the two it is. These every page has; the others add their own.

const KEPT = "crm-hosting-language";

const TEXTS = {
  skip: ["跳到内容", "Skip to content"],
  loading: ["载入中…", "Loading …"],
  language: ["语言", "Language"],
  hosting: ["托管", "Hosting"],
  pages: ["页面", "Pages"],
  overview: ["总览", "Overview"],
  links: ["关联", "Links"],
  runs: ["同步记录", "Runs"],
  by_day: ["按天,用方向键查看", "by day: use the arrow keys"],
  carried: ["当天未同步,沿用前值", "no sync that day: carried over"],
  line_told: ["{name},{first}至{last}:最低 {lowest},最高 {highest}", "{name} from {first} to {last}: lowest {lowest}, highest {highest}"],
  line_later: ["同步满两天后显示曲线。", "A line shows here once two days have been synced."],
  points: ["个百分点", "points"],
  never: ["从未", "never"],
  just_now: ["刚刚", "just now"],
  retry: ["重试", "Try again"],
  all_customers: ["全部客户", "All customers"],
  unreachable: ["无法连接服务器,请稍后重试。", "The server cannot be reached. Try again later."],
  unreadable: ["服务器的回答无法读取。", "The server’s answer cannot be read."],
  expired_title: ["会话已过期", "Your session has expired"],
  expired_text: ["登录页会在新标签页打开;登录后回到本页,会从刚才的位置继续。", "Log in to the CRM again, in a new tab, then come back to this page: it goes on where it was."],
  log_in: ["登录 CRM", "Log in to the CRM"],
  forbidden_title: ["无权查看", "You may not view this"],
  forbidden_text: ["该客户属于其他矿场主,或您的角色没有查看权限。", "It belongs to another mine owner, or your role may not view it."],
  missing_title: ["客户不存在", "There is no such customer"],
  missing_text: ["该客户可能已被删除,或链接有误。", "It may have been deleted, or the link may be wrong."],
  no_customers_title: ["还没有客户", "No customers yet"],
  no_customers_text: ["在 CRM 中创建客户后,会显示在这里。", "Customers that you create in the CRM show up here."],
  error_title: ["暂时无法显示", "This cannot be shown right now"],
  revenue: ["收入", "Revenue"],
  active: ["运行", "Active"],
  maintenance: ["维护", "Maintenance"],
  offline: ["离线", "Offline"],
  sold: ["已售", "Sold"],
  machines: ["台矿机", "machines"],
  hashrate: ["算力", "Hashrate"],
  power: ["功率", "Power"],
  efficiency: ["能效", "Efficiency"],
  hosting_net_profit_daily: ["日净利润", "Net profit a day"],
  miners_count: ["矿机数量", "Machines"],
  mining_capacity: ["容量", "Capacity"],
  all: ["全部", "All"],
  name: ["名称", "Name"],
  status: ["状态", "Status"],
  previous: ["上一页", "Previous"],
  next: ["下一页", "Next"],
  nothing_found: ["没有符合条件的结果", "Nothing matches"],
  linked: ["已关联", "Linked"],
  unlinked: ["未关联", "Not linked"],
  customer: ["客户", "Customer"],
  customer_number: ["客户 #{id}", "Customer {id}"],
  more: ["加载更多", "Load more"],
  running: ["进行中", "Running"],
};

const asked = new URLSearchParams(location.search).get("lang");

export const chosen = [asked, kept()].find((one) => /^(zh|en)$/.test(one));
export const language = chosen ?? document.documentElement.lang;

/** A page's own words: [Chinese, English] by name. */
export const add = (texts) => Object.assign(TEXTS, texts);

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
