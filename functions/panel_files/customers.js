// The caller's customers by profit, as many as the reader has asked for.

import { said, say, whenMoved } from "./address.js";
import { ask, newest } from "./api.js";
import { $, element, time } from "./dom.js";
import { csv } from "./download.js";
import { btc, count, megawatt, moment, number, usd } from "./format.js";
import { fail } from "./page.js";
import { busily, customerLink, empty, part, prepareSearch } from "./parts.js";
import { cell, figure, headers, row } from "./table.js";
import { t } from "./texts.js";
import "./texts_fields.js";

/** What a sync finds of a customer’s machines: each lists the customers that have it. */
export const FINDINGS = ["unusable_figure", "unknown_status", "unlikely_figure"];

const PATH = "/crm/api/hosting/customers";
const PAGE = 25;
const MOST = 1000; // at once
const numeric = true;
const [CUSTOMER, PROFIT, REVENUE, MACHINES, CAPACITY, SYNCED] = [
  { key: "customer" },
  { key: "hosting_net_profit_daily", numeric },
  { key: "revenue", numeric },
  { key: "miners_count", numeric },
  { key: "mining_capacity", numeric },
  { key: "synced", numeric },
];

let after = null;
const asked = newest((query) => ask(`${PATH}?${query}`));

/** Draw the controls, once. */
export function prepareCustomers() {
  const load = (work) => part("customers", work).catch(fail);
  const again = () => load(showCustomers);
  $("columns").append(...headers([CUSTOMER, PROFIT, REVENUE, MACHINES, CAPACITY, SYNCED]));
  $("customers-csv").append(csv(() => `${PATH}?${query({ limit: MOST })}`, "customers"));
  $("search").value = said("q");
  prepareSearch((q) => {
    say({ q, rows: "" }, false);
    again();
  });
  $("more").onclick = () => busily($("more"), () => load(() => list({ limit: PAGE, after })));
  $("everybody").onclick = () => {
    say({ finding: "", rows: "" });
    again();
    $("search").focus();
  };
  whenMoved(() => {
    $("search").value = said("q");
    again();
  });
}

/** As many as the address says, and those alone. */
export function showCustomers() {
  const only = finding();
  $("ranking").textContent = only ? t("only", { finding: t(only) }) : t("customers_by_profit");
  $("everybody").hidden = !only;
  return list({ limit: Math.min(Math.max(parseInt(said("rows")) || PAGE, PAGE), MOST) });
}

const finding = () => FINDINGS.find((one) => one === said("finding"));
const query = (more) => new URLSearchParams({
  ...(said("q") && { search: said("q") }), ...(finding() && { finding: finding() }), ...more,
});

async function list(more) {
  const page = await asked(query(more));
  if (!page) return;
  if (!more.after) $("list").replaceChildren();
  $("list").append(...page.data.map(drawn));
  after = page.next;
  const shown = $("list").children.length;
  say({ rows: shown > PAGE ? shown : "" }, false);
  $("shown").replaceChildren(shown ? t("customers_shown", { count: number(shown) }) : empty(t(finding() && !said("q") ? "nobody_left" : "nothing_found")));
  $("more").hidden = !after;
}

function drawn(customer) {
  const { net_profit_daily: profit, estimated_daily_usd: revenue, estimated_daily_btc: bitcoin } = customer;
  const link = customerLink(customer.id, customer.name);
  const shown = figure(profit, usd);
  shown.classList.toggle("loss", profit < 0);
  const line = row(
    cell(CUSTOMER, link, customer.company),
    cell(PROFIT, shown),
    cell(REVENUE, figure(revenue, usd), bitcoin != null && figure(bitcoin, btc)),
    cell(MACHINES, figure(customer.miners_count, count), customer.primary_miner_model),
    cell(CAPACITY, figure(customer.mining_capacity, megawatt)),
    cell(SYNCED, time(element("time"), moment(customer.synced_at)), !customer.has_hosting && t("unlinked")),
  );
  line.classList.toggle("apart", !customer.has_hosting);
  return line;
}
