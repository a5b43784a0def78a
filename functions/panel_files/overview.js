// The overview: link rate, sync health, the batch with its runs, and the caller's customers by profit.

import { within } from "./address.js";
import { ask } from "./api.js";
import { prepareBatch, showRuns } from "./batch.js";
import { ring } from "./charts.js";
import { $, element, time, value } from "./dom.js";
import { btc, count, joined, megawatt, moment, percent, usd } from "./format.js";
import { become, fail, notify, open } from "./page.js";
import { busily } from "./parts.js";
import { cell, figure, headers, row } from "./table.js";
import { t } from "./texts.js";
import "./texts_overview.js";

const MARKS = { healthy: "active", warning: "maintenance", critical: "offline" };
const PAUSE = 250; // between the last key and the search
const PAGE = 25;
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
let latest = 0;

document.title = t("hosting");
$("columns").append(...headers([CUSTOMER, PROFIT, REVENUE, MACHINES, CAPACITY, SYNCED]));
prepareBatch(show);
prepareList();
open(show);

async function show() {
  const [{ data: status }] = await Promise.all([ask("/crm/api/sync-status"), list(), showRuns()]);
  if (!status.total_customers) {
    notify("no_customers", t("no_customers_text"));
    return;
  }
  links(status);
  health(status);
  become("ready");
}

function links({ link_rate: rate, linked_customers: linked, unlinked_customers: unlinked }) {
  value($("link_rate"), rate, percent);
  ring([{ kind: "active", name: t("linked"), count: linked }, { kind: "sold", name: t("unlinked"), count: unlinked }]);
}

function health({ sync_health: verdict, last_sync: last, issues }) {
  $("verdict").replaceChildren(element(`span.dot.${MARKS[verdict]}`, {}, t(verdict)));
  $("verdict").classList.toggle("bad", verdict === "critical");
  time($("last_sync"), moment(last));
  $("issues").replaceChildren(...(issues.length ? issues : [t("no_issues")]).map((issue) => element("li", {}, issue)));
}

function prepareList() {
  let pause;
  $("search").oninput = () => {
    clearTimeout(pause);
    pause = setTimeout(() => list().catch(fail), PAUSE);
  };
  $("more").onclick = () => busily($("more"), () => list(after).catch(fail));
}

/** A page of customers: the first, or the one after that place. An answer that a newer question overtook is dropped. */
async function list(place) {
  const question = ++latest;
  const query = new URLSearchParams({ limit: PAGE });
  const search = $("search").value.trim();
  if (search) query.set("search", search);
  if (place) query.set("after", place);
  const page = await ask(`/crm/api/hosting/customers?${query}`);
  if (question !== latest) return;
  if (!place) $("list").replaceChildren();
  $("list").append(...page.data.map(drawn));
  after = page.next;
  const shown = $("list").children.length;
  $("shown").textContent = t(shown ? "customers_shown" : "nothing_found", { count: joined(count(shown)) });
  $("more").hidden = !after;
}

function drawn(customer) {
  const { net_profit_daily: profit, estimated_daily_usd: revenue, estimated_daily_btc: bitcoin } = customer;
  const link = element("a", { href: within(`/crm/hosting/customer/${customer.id}`) }, customer.name);
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
