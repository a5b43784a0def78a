// The fleet as a table: all rows in memory, a page of them on screen.

import { said, say, whenMoved } from "./address.js";
import { ask, customerPath } from "./api.js";
import { $, element } from "./dom.js";
import { count, efficiency, exactly, hashrate, joined, number, power, tariff, usd } from "./format.js";
import { arrange, cell, figure, headers, mark, row, sorted } from "./table.js";
import { t } from "./texts.js";

const FIRST = 200; // is on screen soon; the rest follows
const REST = 10_000;
const PAGE = 25;
const PRINTED = 2_000;
const STATUSES = ["active", "maintenance", "offline", "sold"];
const numeric = true;
const COLUMNS = [
  { key: "name", of: "name" },
  { key: "model", of: "model" },
  { key: "status", of: "rank" },
  { key: "quantity", of: "quantity", numeric },
  { key: "hashrate", of: "total_hashrate", numeric },
  { key: "power", of: "total_power", numeric },
  { key: "daily_electricity", of: "daily_electricity_cost", numeric },
];
const [NAME, MODEL, STATUS, QUANTITY, HASHRATE, POWER, ELECTRICITY] = COLUMNS;

let all = [];
let matching = [];
let isComplete = false;
let latest = 0;

/** Draw the controls, once. */
export function prepareFleet() {
  $("columns").append(...headers(COLUMNS, sortBy));
  $("search").value = said("q");
  $("search").oninput = () => choose({ q: $("search").value.trim() }, false);
  whenMoved(() => {
    $("search").value = said("q");
    refresh();
  });
  $("previous").onclick = () => turn(-1);
  $("next").onclick = () => turn(1);
  addEventListener("beforeprint", () => draw(0, PRINTED));
  addEventListener("afterprint", () => draw());
}

/** Load the customer's fleet and show it, the newest part first. */
export async function showFleet(customerId) {
  const mine = ++latest; // a sync shows it anew, while the rest of it may still be on its way
  let [found, after] = [[], ""];
  try {
    while (after != null) {
      const rest = after && `&after=${after}`;
      const page = await ask(`${customerPath(customerId)}/hosting-miners?limit=${rest ? REST : FIRST}${rest}`);
      if (mine !== latest) return;
      for (const miner of page.data) {
        miner.text = `${miner.name}\n${miner.model}\n${miner.location ?? ""}`.toLowerCase();
        miner.rank = String(STATUSES.indexOf(miner.status));
        found.push(miner);
      }
      all = found;
      after = page.next;
      isComplete = after == null;
      refresh();
    }
  } catch (error) {
    if (mine !== latest) return;
    const retry = element("button", { onclick: () => showFleet(customerId) }, t("retry"));
    $("shown").replaceChildren(`${error.message} `, retry);
  }
}

const page = () => Math.min(Math.max(parseInt(said("page")) || 1, 1), Math.ceil(matching.length / PAGE) || 1) - 1;

const sortBy = (key) => choose({ sort: sorted(COLUMNS, key) });

function choose(changes, isStep) {
  say({ ...changes, page: "" }, isStep);
  refresh();
}

function turn(by) {
  say({ page: page() + by ? page() + by + 1 : "" });
  draw();
  $("fleet").scrollIntoView();
  const [there, back] = by > 0 ? ["next", "previous"] : ["previous", "next"];
  $($(there).disabled ? back : there).focus({ preventScroll: true }); // who is at the end goes on from there
}

function refresh() {
  const [status, search] = [said("status"), said("q").toLowerCase()];
  const found = all.filter((miner) => miner.text.includes(search));
  chips(found);
  matching = status ? found.filter((miner) => miner.status === status) : found;
  arrange(matching, COLUMNS);
  mark($("columns"));
  sum();
  draw();
}

function chips(found) {
  const focused = document.activeElement.dataset.status;
  const counts = { "": found.length };
  for (const { status } of found) counts[status] = (counts[status] ?? 0) + 1;
  const drawn = ["", ...STATUSES].map((status) => element("button", {
    "data-status": status || "all", "aria-pressed": String(said("status") === status), onclick: () => choose({ status }),
  }, element("span", { class: status && `dot ${status}` }, t(status || "all")),
  element("span.count", number(counts[status] ?? 0))));
  $("filter").replaceChildren(...drawn);
  if (focused) drawn.find((chip) => chip.dataset.status === focused)?.focus();
}

/** The total counts as the API does: sold machines only where they are asked for, electricity of active ones. */
function sum() {
  const counted = said("status") === "sold" ? matching : matching.filter(({ status }) => status !== "sold");
  const total = (of, rows = counted) => rows.reduce((sofar, miner) => sofar + of(miner), 0);
  const machines = total((miner) => miner.quantity);
  const hash = total((miner) => miner.quantity * miner.hashrate);
  const watt = total((miner) => miner.total_power);
  const cost = total((miner) => (miner.status === "active" ? miner.total_power * miner.electricity_cost * 0.024 : 0));
  const apart = total((miner) => miner.quantity, matching) - machines;
  const head = cell(NAME, t("total"), apart ? t("sold_apart", { count: number(apart) }) : null);
  head.colSpan = 3;
  $("sum").replaceChildren(row(
    head,
    cell(QUANTITY, figure(machines, count)),
    cell(HASHRATE, figure(cents(hash), hashrate, joined(exactly(cents(hash)))), joined(efficiency(hash && watt / hash))),
    cell(POWER, figure(watt, power, joined(exactly(watt)))),
    cell(ELECTRICITY, figure(cents(cost), usd)),
  ));
}

const cents = (figure) => Math.round((figure + Number.EPSILON) * 100) / 100;

function draw(at = page(), size = PAGE) {
  const from = at * size;
  const shown = matching.slice(from, from + size);
  const nothing = row(element("td", { role: "cell", class: "nothing", colspan: 7 }, t("nothing_found")));
  $("miners").replaceChildren(...(shown.length ? shown.map(drawn) : [nothing]));
  $("shown").textContent = isComplete
    ? t("shown", { from: number(from + !!shown.length), to: number(from + shown.length), count: number(matching.length) })
    : t("loading_more", { count: number(all.length) });
  $("previous").disabled = from === 0;
  $("next").disabled = from + size >= matching.length;
}

function drawn(miner) {
  const each = (shown) => t("each", { figure: joined(shown) });
  const line = row(
    cell(NAME, miner.name, miner.location),
    cell(MODEL, miner.model, joined(efficiency(miner.hashrate && miner.power / miner.hashrate))),
    cell(STATUS, element(`span.dot.${miner.status}`, t(miner.status))),
    cell(QUANTITY, figure(miner.quantity, count)),
    cell(HASHRATE, figure(miner.total_hashrate, hashrate), each(hashrate(miner.hashrate))),
    cell(POWER, figure(miner.total_power, power), each(power(miner.power))),
    cell(ELECTRICITY, figure(miner.daily_electricity_cost, usd), joined(tariff(miner.electricity_cost))),
  );
  line.dataset.status = miner.status;
  return line;
}
