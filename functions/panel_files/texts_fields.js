// The words for what a sync writes into the CRM's record, and for what it finds of the machines.

import { add } from "./texts.js";

add({
  primary_miner_model: ["主力型号", "Main model"],
  hosting_estimated_daily_btc: ["日收入 ₿", "Revenue a day, ₿"],
  hosting_estimated_daily_usd: ["日收入 $", "Revenue a day, $"],
  unusable_figure: ["矿机数据出现无效数值", "Machines with figures that cannot be used"],
  unknown_status: ["矿机状态无法识别", "Machines of unknown status"],
  unlikely_figure: ["矿机数值与机型参数明显不符", "Machines with figures unlike their model’s"],
  mend: ["请在 CRM 的矿机数据中更正,然后同步。", "Correct it in the CRM’s machines, then sync."],
});
