// What changed on a day since the synced day before it: the market in words, and the fleets, largest difference first.

import { ask } from "./api.js";
import { element } from "./dom.js";
import { csv } from "./download.js";
import { count, day as date, difficulty, dollarsRoughly, gained, hashrate, joined, number, percent } from "./format.js";
import { busily, customerLink, empty, part } from "./parts.js";
import { t } from "./texts.js";
import "./texts_differences.js";

const FORMATS = {
  btc_price: dollarsRoughly, network_difficulty: difficulty,
  miners_count: count, active_miners: count, total_hashrate: hashrate, net_profit_daily: dollarsRoughly,
};
const [PRICE, DIFFICULTY, ...FLEET] = Object.keys(FORMATS);
const PROFIT = FLEET.pop();

/** Fill a part of the page: of that day, or of the last one that was synced. */
export async function showDifferences(node, asked = "") {
  const title = element(asked ? "h3" : "h2", t("differences"));
  if (!node.firstChild) node.append(title, element("ol.worst.hold"));
  const list = element("ol.worst");
  const more = element("button", t("more"));
  const path = `/crm/api/hosting/changes?day=${asked}`;
  const load = async (after) => {
    const page = await ask(`${path}&limit=5&after=${after}`);
    list.append(...page.data.map(drawn));
    more.hidden = !page.next;
    more.onclick = () => busily(more, () => part(node.id, () => load(page.next)));
    return page;
  };
  const { since, market, count: all } = await load("");
  const day = since && date(since);
  const told = since ? [moved(market, PRICE), moved(market, DIFFICULTY), all && t("fleets_changed", { count: number(all) })] : [];
  if (!all) list.append(element("li", empty(t(since ? "no_difference" : "no_day_before", { day }))));
  const head = element("div.head", title, since && element("span.muted", t("since", { day }), " ", csv(`${path}&limit=1000`, "changes")));
  node.replaceChildren(head, element("p", told.filter(Boolean).join(" · ")), list, element("p.pager", element("span"), more));
}

const shown = (day, of) => joined(FORMATS[of](day?.[of]));
const differs = (before, after, of) => shown(before, of) !== shown(after, of);
const step = (days, of) => days.filter(Boolean).map((one) => shown(one, of)).join(" → ");

function moved({ before, after }, of) {
  const by = after[of] / before[of] - 1;
  const [how, ...days] = differs(before, after, of) ? [by > 0 ? "rose" : "fell", before, after] : ["stood", after];
  return before[of] && after[of] && t(how, { what: t(of), by: joined(percent(Math.abs(100 * by))), step: step(days, of) });
}

function drawn({ customer_id: id, name, before, after }) {
  const days = [before, after];
  const what = FLEET.filter((of) => differs(before, after, of)).map((of) => `${t(of)} ${step(days, of)}`);
  if (!before) what.unshift(t("new_fleet"));
  const [was, now] = [before ? before[PROFIT] : 0, after[PROFIT]];
  const gain = was != null && now != null && now - was;
  const [tone, kind] = gain < 0 ? ["bad", "offline"] : gain > 0 ? ["good", "active"] : ["muted", "sold"];
  return element("li", { "data-customer": id },
    element(`span.dot.${kind}`, customerLink(id, name)),
    element("span.what", what.join(" · ")),
    element("span.muted.since", `${t("hosting_net_profit_daily")} ${step(days, PROFIT)}`),
    element(`strong.${tone}`, gain && joined(gained(gain))));
}
