// The totals: what they are, how they changed since the day before, and their last thirty days.

import { within } from "./address.js";
import { ask } from "./api.js";
import { $, element, value } from "./dom.js";
import { change, day, dollarsRoughly, hashrate, joined, number, percent, points } from "./format.js";
import { line } from "./line.js";
import { t } from "./texts.js";

const rounded = (figure) => Math.round(10 * figure) / 10;
const relative = (now, last) => (last ? change(rounded((100 * (now - last)) / Math.abs(last))) : null);
const inPoints = (now, last) => points(rounded(now - last));
const share = (part, all) => (all ? (100 * part) / all : null);

const TILES = [
  { id: "profit", of: (one) => one.net_profit_daily, format: dollarsRoughly, differs: relative },
  { id: "hashrate", of: (one) => one.total_hashrate, format: hashrate, differs: relative },
  { id: "running", of: (one) => share(one.active_miners, one.miners_count), format: percent, differs: inPoints },
  { id: "linked", of: (one) => share(one.linked_customers, one.total_customers), format: percent, differs: inPoints },
];

/** Draw them without their figures, once. */
export function prepareTiles() {
  $("tiles").append(...TILES.map(({ id }) => element("section.card.tile", { id },
    element("h2", t(`${id}_tile`)),
    element("p.figure", element("data")), element("p.change.hold"), element("div.line"))));
  $("linked").querySelector(".figure").append(element("a", { id: "unlinked", hidden: true, href: within("/crm/hosting/links", { state: "unlinked" }) }));
}

/** The days of the scope: figures are the last sync's, which is what they say, but for the link rate. */
export async function showTiles() {
  const { data: days } = await ask("/crm/api/hosting/history");
  const [before, now] = [days.at(-2), days.at(-1)];
  $("as_of").textContent = now ? t("as_of", { day: day(days.findLast((one) => !one.carried)?.day ?? now.day) }) : "";
  for (const { id, of, format, differs } of TILES) {
    if (id !== "linked") shown(id, now && of(now), format).classList.toggle("loss", now && of(now) < 0);
    const isKnown = before && of(now) != null && of(before) != null;
    const difference = isKnown && differs(of(now), of(before));
    const told = now?.carried ? t("no_sync_today") : !difference ? t("no_day_before")
      : /[1-9]/.test(difference[0]) ? t("since_yesterday", { change: joined(difference) }) : t("as_yesterday");
    $(id).querySelector(".change").textContent = told;
    line($(id).querySelector(".line"), {
      name: t(`${id}_tile`), format, points: days.map((one) => ({ day: one.day, value: of(one), carried: one.carried })),
    });
  }
}

/** The link rate as it is now, and the way to who is not linked. */
export function linkRate({ link_rate: rate, unlinked_customers: unlinked }) {
  shown("linked", rate, percent);
  $("unlinked").textContent = t("unlinked_count", { count: number(unlinked) });
  $("unlinked").hidden = !unlinked;
}

const shown = (id, figure, format) => value($(id).querySelector("data"), figure, format);
