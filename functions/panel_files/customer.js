// A customer's page: the fleet in figures and charts, the CRM's record, the fleet itself.

import { within } from "./address.js";
import { ask, customerPath } from "./api.js";
import { bar, ring } from "./charts.js";
import { $, element, time, value } from "./dom.js";
import { csv } from "./download.js";
import { prepareFleet, showFleet } from "./fleet.js";
import { btc, count, difficulty, efficiency, exactly, hashrate, joined, moment, NONE, percent, power, usd } from "./format.js";
import { become, notify, open } from "./page.js";
import { named as called, part } from "./parts.js";
import { pastOf, showPast } from "./past.js";
import { showPerformance } from "./performance.js";
import { prepareSync, showRecord } from "./record.js";
import { named, shares } from "./shares.js";
import { t } from "./texts.js";
import "./texts_customer.js";
import { prepareWhatIf, showWhatIf } from "./whatif.js";

const STALE = 6 * 3600 * 1000;
const customerId = location.pathname.split("/").at(-1);

$("back").href = within("/crm/hosting");
prepareFleet();
prepareWhatIf();
$("past-csv").append(csv(() => pastOf(customerId), `days-${customerId}`));
$("fleet-csv").append(csv(`${customerPath(customerId)}/hosting-miners`, `machines-${customerId}`));
prepareSync(customerId, show);
open(show);

async function show() {
  // All at once, but what is wrong with the customer is what the figures' answer says.
  const fleet = showFleet(customerId);
  fleet.catch(() => {});
  const row = ask(`/crm/api/hosting/customers?customer=${customerId}`);
  row.catch(() => {});
  const parts = [fleet];
  const { data: stats } = await ask(`${customerPath(customerId)}/hosting-stats?include=`);
  const { data: [customer] } = await row;
  const isEmpty = Object.values(stats.by_status).every((machines) => machines === 0);
  $("name").textContent = called(customerId, customer.name);
  document.title = `${$("name").textContent} · ${t("hosting")}`;
  delete $("name").dataset.t;
  $("company").textContent = customer.company;
  if (!stats.has_hosting) {
    unlinked(customer);
  } else if (isEmpty) {
    notify("empty", t("empty_text", { account: stats.user_access_id }));
  } else {
    market(stats);
    money(stats);
    machines(stats);
    shares($("models"), stats.by_model, stats, (count) => t("other_models", { count }), true);
    shares($("sites"), named(stats.by_location), stats, () => t("other_sites"));
    showWhatIf(stats);
    become("ready");
    parts.push(part("past", () => showPast(customerId)), showPerformance(customerId));
  }
  $("record").hidden = isEmpty && !customer.synced_at && !customer.findings.length; // nothing to write, and nothing written before
  if (!$("record").hidden) await part("record", () => showRecord(customer));
  await Promise.all(parts);
}

function market({ btc_price: price, network_difficulty: hard, market_as_of: at }) {
  value($("price"), price, usd);
  value($("difficulty"), hard, difficulty, joined(exactly(hard)));
  time($("taken"), moment(at));
  $("market-remark").hidden = price && Date.now() - new Date(at) < STALE;
  $("market-remark").textContent = t(price ? "market_old" : "market_none");
}

/** Without a market the API's estimates are zeros; here they are unknown. */
function money(stats) {
  const { estimated_daily_usd: revenue, electricity_cost_daily: cost, net_profit_daily: profit, btc_price: price } = stats;
  const put = (id, format) => value($(id), stats[id], price || id.startsWith("elec") ? format : () => NONE);
  const isLoss = price && profit < 0;
  $("profit-title").textContent = t(isLoss ? "loss" : "profit");
  put("net_profit_daily", usd).classList.toggle("loss", isLoss);
  put("estimated_daily_usd", usd);
  put("estimated_daily_btc", btc);
  put("electricity_cost_daily", usd);
  value($("margin"), revenue ? (100 * profit) / revenue : null, percent).closest("div").classList.toggle("loss", isLoss);
  $("split").replaceChildren(revenue ? split(cost / revenue) : "");
}

/** Of the revenue, what electricity takes and what is left; of a loss, what revenue does not cover. */
function split(share) {
  const parts = share <= 1
    ? [{ kind: "profit", share: 1 - share }, { kind: "cost", share }]
    : [{ kind: "cost", share: 1 / share }, { kind: "loss", share: 1 - 1 / share }];
  return bar(parts, t("split", { share: percent(100 * share)[0] }));
}

function machines(stats) {
  const put = (id, format) => value($(id), stats[id], format, joined(exactly(stats[id])));
  put("miners_count", count);
  put("total_hashrate", hashrate);
  put("total_power", power);
  put("avg_efficiency", efficiency);
  value($("running"), stats.miners_count ? (100 * stats.active_miners) / stats.miners_count : null, percent);

  const part = (kind, apart) => ({ kind, name: t(kind), count: stats.by_status[kind], apart });
  const parts = [part("active"), part("maintenance"), part("offline")];
  ring(stats.by_status.sold ? [...parts, part("sold", t("not_counted"))] : parts);
}

function unlinked({ has_email: hasEmail }) {
  const steps = hasEmail ? ["compare", "open", "then"] : ["fix_email", "then"];
  notify("unlinked", t(hasEmail ? "unlinked_no_account" : "unlinked_no_email"),
    element("ol", ...steps.map((step) => element("li", t(`unlinked_${step}`)))));
}
