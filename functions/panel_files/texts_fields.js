// The words for what a sync writes into the CRM's record.

import { add } from "./texts.js";

add({
  primary_miner_model: ["主力型号", "Main model"],
  hosting_estimated_daily_btc: ["日收入 ₿", "Revenue a day, ₿"],
  hosting_estimated_daily_usd: ["日收入 $", "Revenue a day, $"],
});
