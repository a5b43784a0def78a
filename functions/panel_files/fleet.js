// The fleet as a table: all rows in memory, a page of them on screen.

import { ask, customerPath } from "./api.js";
import { $, element } from "./dom.js";
import { count, efficiency, exactly, hashrate, joined, locale, power, tariff, usd } from "./format.js";
import { cell, figure, headers, mark, row } from "./table.js";
import { t } from "./texts.js";

const FIRST = 200; // is on screen soon; the rest follows
const REST = 10_000;
const PAGE = 25;
const PRINTED = 2_000;
const STATUSES = ["active", "maintenance", "offline", "sold"];
const byText = new Intl.Collator(locale, { numeric: true }).compare;
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

const chosen = { status: "", search: "", key: "", isDescending: false, page: 0 };
let all = [];
let matching = [];
let isComplete = false;

/** Draw the controls, once. */
export function prepareFleet() {
  $("columns").append(...headers(COLUMNS, sortBy));
  $("search").oninput = () => choose({ search: $("search").value.trim().toLowerCase() });
  $("previous").onclick = () => turn(-1);
  $("next").onclick = () => turn(1);
  addEventListener("beforeprint", () => draw(0, PRINTED));
  addEventListener("afterprint", () => draw());
}

/** Load the customer's fleet and show it, the newest part first. */
export async function showFleet(customerId) {
  all = [];
  isComplete = false;
  let after = "";
  try {
    while (after != null) {
      const rest = after && `&after=${after}`;
      const page = await ask(`${customerPath(customerId)}/hosting-miners?limit=${rest ? REST : FIRST}${rest}`);
      for (const miner of page.data) {
        miner.text = `${miner.name}\n${miner.model}\n${miner.location ?? ""}`.toLowerCase();
        miner.rank = String(STATUSES.indexOf(miner.status));
        all.push(miner);
      }
      after = page.next;
      isComplete = after == null;
      refresh();
    }
  } catch (error) {
    if (error.status === 401) throw error;
    const retry = element("button", { type: "button", onclick: () => showFleet(customerId) }, t("retry"));
    $("shown").replaceChildren(`${error.message} `, retry);
  }
}

/** A header's click: up, down, and back to the newest first; figures begin with the largest. */
function sortBy(key) {
  const isNumber = COLUMNS.find((column) => column.key === key).numeric ?? false;
  if (chosen.key !== key) choose({ key, isDescending: isNumber });
  else if (chosen.isDescending === isNumber) choose({ isDescending: !isNumber });
  else choose({ key: "" });
}

function choose(choice) {
  Object.assign(chosen, choice, { page: 0 });
  refresh();
}

function turn(by) {
  chosen.page += by;
  draw();
  $("fleet").scrollIntoView();
}

function refresh() {
  const { status, search, key, isDescending } = chosen;
  const found = all.filter((miner) => miner.text.includes(search));
  chips(found);
  matching = status ? found.filter((miner) => miner.status === status) : found;
  const { of, numeric: isNumber } = COLUMNS.find((column) => column.key === key) ?? {};
  if (of) matching.sort(isNumber ? (a, b) => a[of] - b[of] : (a, b) => byText(a[of], b[of]));
  if (of && isDescending) matching.reverse();
  mark($("columns"), key, isDescending);
  sum();
  draw();
}

function chips(found) {
  const focused = document.activeElement.dataset.status;
  const counts = { "": found.length };
  for (const { status } of found) counts[status] = (counts[status] ?? 0) + 1;
  const drawn = ["", ...STATUSES].map((status) => element("button", {
    type: "button", "data-status": status || "all", "aria-pressed": String(chosen.status === status), onclick: () => choose({ status }),
  }, element("span", { class: status && `dot ${status}` }, t(status || "all")),
  element("span.count", {}, joined(count(counts[status] ?? 0)))));
  $("filter").replaceChildren(...drawn);
  if (focused) drawn.find((chip) => chip.dataset.status === focused)?.focus();
}

/** The total counts as the API does: sold machines only where they are asked for, electricity of active ones. */
function sum() {
  const counted = chosen.status === "sold" ? matching : matching.filter(({ status }) => status !== "sold");
  const total = (of, rows = counted) => rows.reduce((sofar, miner) => sofar + of(miner), 0);
  const machines = total((miner) => miner.quantity);
  const hash = total((miner) => miner.quantity * miner.hashrate);
  const watt = total((miner) => miner.total_power);
  const cost = total((miner) => (miner.status === "active" ? miner.total_power * miner.electricity_cost * 0.024 : 0));
  const apart = total((miner) => miner.quantity, matching) - machines;
  const head = cell(NAME, t("total"), apart ? t("sold_apart", { count: joined(count(apart)) }) : null);
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

function draw(page = chosen.page, size = PAGE) {
  const from = page * size;
  const shown = matching.slice(from, from + size);
  const nothing = row(element("td", { role: "cell", class: "nothing", colspan: 7 }, t("nothing_found")));
  $("miners").replaceChildren(...(shown.length ? shown.map(drawn) : [nothing]));
  $("shown").textContent = isComplete
    ? t("shown", { from: joined(count(from + !!shown.length)), to: joined(count(from + shown.length)), count: joined(count(matching.length)) })
    : t("loading_more", { count: joined(count(all.length)) });
  $("previous").disabled = page === 0;
  $("next").disabled = from + size >= matching.length;
}

function drawn(miner) {
  const each = (shown) => t("each", { figure: joined(shown) });
  const line = row(
    cell(NAME, miner.name, miner.location),
    cell(MODEL, miner.model, joined(efficiency(miner.hashrate && miner.power / miner.hashrate))),
    cell(STATUS, element(`span.dot.${miner.status}`, {}, t(miner.status))),
    cell(QUANTITY, figure(miner.quantity, count)),
    cell(HASHRATE, figure(miner.total_hashrate, hashrate), each(hashrate(miner.hashrate))),
    cell(POWER, figure(miner.total_power, power), each(power(miner.power))),
    cell(ELECTRICITY, figure(miner.daily_electricity_cost, usd), joined(tariff(miner.electricity_cost))),
  );
  line.dataset.status = miner.status;
  return line;
}
