// The words of what changed.

import { add } from "./texts.js";

add({
  differences: ["变化", "What changed"],
  since: ["自 {day}", "since {day}"],
  btc_price: ["比特币", "Bitcoin"],
  network_difficulty: ["难度", "Difficulty"],
  active_miners: ["运行", "Running"],
  total_hashrate: ["算力", "Hashrate"],
  rose: ["{what}上涨 {by}:{step}", "{what} rose by {by}: {step}"],
  fell: ["{what}下跌 {by}:{step}", "{what} fell by {by}: {step}"],
  stood: ["{what}未变:{step}", "{what} unchanged: {step}"],
  fleets_changed: ["{count} 个客户有变化", "Fleets that changed: {count}"],
  new_fleet: ["新", "new"],
  no_difference: ["自 {day} 以来没有客户变化。", "No fleet changed since {day}."],
  no_day_before: ["尚无前一天可比", "No earlier day to compare with yet"],
});
