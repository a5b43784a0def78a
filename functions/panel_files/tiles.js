// The totals: what they are, how they changed since the day before, and their last thirty days.

import { within } from "./address.js";
import { ask } from "./api.js";
import { $, element, value } from "./dom.js";
import { change, count, day, dollarsRoughly, hashrate, joined, percent, points } from "./format.js";
import { line } from "./line.js";
import { t } from "./texts.js";

const share = ({ active_miners: active, miners_count: machines }) => (machines ? (100 * active) / machines : null);
const rounded = (figure, last) => Math.round((figure - last) * 10) / 10;
const relative = (now, last) => (last ? change(rounded((100 * now) / Math.abs(last), (100 * last) / Math.abs(last))) : null);

const TILES = [
  { id: "profit", name: "profit_daily", of: (one) => one.net_profit_daily, format: dollarsRoughly, differs: relative },
  { id: "hashrate", name: "hashrate", of: (one) => one.total_hashrate, format: hashrate, differs: relative },
  { id: "running", name: "running_share", of: share, format: percent, differs: (now, last) => points(rounded(now, last)) },
];

/** The days of the scope: figures are the last sync's, which is what they say. */
export async function showTiles() {
  const { data: days } = await ask("/crm/api/hosting/history");
  const [before, now] = [days.at(-2), days.at(-1)];
  $("as_of").textContent = now ? t("as_of", { day: day(days.findLast((one) => !one.carried)?.day ?? now.day) }) : "";
  for (const { id, name, of, format, differs } of TILES) {
    const tile = $(id);
    value(tile.querySelector("data"), now && of(now), format).classList.toggle("loss", now && of(now) < 0);
    changed(tile, now, before && of(now) != null && of(before) != null ? differs(of(now), of(before)) : null);
    drawn(tile, name, of, format, days);
  }
  // How many have a fleet is what days know of links.
  const fleets = (one) => one.customers;
  changed($("linked"), now, before && fleets(now) !== fleets(before) ? customers(fleets(now) - fleets(before)) : before && [0]);
  drawn($("linked"), "with_fleet", fleets, count, days);
}

/** The link rate as it is now, and the way to who is not linked. */
export function linkRate({ link_rate: rate, unlinked_customers: unlinked }) {
  value($("link_rate"), rate, percent);
  $("unlinked").href = within("/crm/hosting/links", { state: "unlinked" });
  $("unlinked").textContent = t("unlinked_count", { count: joined(count(unlinked)) });
  $("unlinked").hidden = !unlinked;
}

const customers = (more) => [`${more > 0 ? "+" : "−"}${joined(count(Math.abs(more)))}`, t("customers")];

function changed(tile, now, difference) {
  const isSame = difference && !/[1-9]/.test(difference[0]);
  const told = now?.carried ? t("no_sync_today") : !difference ? t("no_day_before")
    : isSame ? t("as_yesterday") : t("since_yesterday", { change: joined(difference) });
  tile.querySelector(".change").replaceChildren(element("span", { class: isSame || !difference || now?.carried ? "muted" : "" }, told));
}

function drawn(tile, name, of, format, days) {
  const points = days.map((one) => ({ day: one.day, value: of(one), carried: one.carried }));
  line(tile.querySelector(".line"), { name: t(name), points, format });
}
