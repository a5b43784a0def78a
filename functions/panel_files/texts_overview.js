// The words of the overview.

import { add } from "./texts.js";

add({
  link_rate: ["关联率", "Link rate"],
  sync_health: ["同步健康", "Sync health"],
  healthy: ["健康", "Healthy"],
  warning: ["需要注意", "Needs attention"],
  critical: ["严重", "Critical"],
  last_sync: ["上次全量同步:", "Last full sync:"],
  no_issues: ["没有发现问题", "No issues found"],
  customers_by_profit: ["客户利润排行", "Customers by profit"],
  search_customers: ["搜索客户或公司", "Search customer or company"],
  synced: ["同步更新", "Synced"],
  customers_shown: ["已显示 {count} 个客户", "{count} customers shown"],
  no_customers_title: ["还没有客户", "No customers yet"],
  no_customers_text: ["在 CRM 中创建客户后,会显示在这里。", "Customers that you create in the CRM show up here."],
});
