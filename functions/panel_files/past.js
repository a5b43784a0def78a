// A customer's last 90 days: hashrate, profit, and what part of the machines was offline.

import { ask, customerPath } from "./api.js";
import { $, element } from "./dom.js";
import { day, hashrate, joined, percent, usd } from "./format.js";
import { line } from "./line.js";
import { figure } from "./table.js";
import { t } from "./texts.js";

const DAYS = 90;
const LINES = {
  hashrate: [hashrate, (day) => day.total_hashrate],
  hosting_net_profit_daily: [usd, (day) => day.net_profit_daily],
  offline_share: [percent, (day) => (day.miners_count ? (100 * day.offline_miners) / day.miners_count : null)],
};

/** The path of those days. */
export function pastOf(customerId) {
  const from = new Date(Date.now() - (DAYS - 1) * 86_400_000).toISOString().slice(0, 10);
  return `${customerPath(customerId)}/hosting-history?from=${from}`;
}

/** Draw a line of each, with the newest figure and what it was at first. */
export async function showPast(customerId) {
  const { data: days } = await ask(pastOf(customerId));
  $("lines").replaceChildren(...Object.entries(LINES).map(([name, [format, of]]) => {
    const points = days.map((one) => ({ day: one.day, carried: one.carried, value: of(one) }));
    const known = points.filter((point) => point.value != null);
    const was = known.length > 1 && t("was", { figure: joined(format(known[0].value)), day: day(known[0].day) });
    const drawn = element("div");
    line(drawn, { name: t(name), points, format, isLarge: true });
    return element("div", { "data-line": name }, element("h3", t(name)),
      element("p.now", figure(known.at(-1)?.value, format), was && element("span.muted", was)), drawn);
  }));
}
