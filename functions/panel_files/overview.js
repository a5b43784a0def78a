// The overview: is everything all right, what changed, what is to be done; and the caller's customers by profit.

import { within } from "./address.js";
import { ask } from "./api.js";
import { showAttention } from "./attention.js";
import { prepareBatch } from "./batch.js";
import { FINDINGS, prepareCustomers, showCustomers } from "./customers.js";
import { showDifferences } from "./differences.js";
import { $, element } from "./dom.js";
import { csv } from "./download.js";
import { moment, number, timeOfDay } from "./format.js";
import { become, notify, open } from "./page.js";
import { part } from "./parts.js";
import { t } from "./texts.js";
import "./texts_overview.js";
import { linkRate, prepareTiles, showTiles } from "./tiles.js";

const MARKS = { healthy: "active", attention: "maintenance", warning: "maintenance", critical: "offline" };
// Where a cause is mended, of those that are mended here: among the links of a state, by a customer, or in the runs.
const LINKS = {
  link_rate_low: "unlinked", account_gone: "gone", ambiguous_email: "ambiguous", link_lost: "lost",
  shared_account: "shared", shared_across_owners: "shared",
};
const RUNS = /error_rate_high|customers_failed|never_synced|sync_old/;
const UNFINISHED = new Set(["partial", "failed", "abandoned"]);

document.title = t("hosting");
$("worst-csv").append(csv("/crm/api/hosting/attention?limit=1000", "attention"));
prepareBatch(show);
prepareCustomers();
prepareTiles();
open(show);

/** Everything at once, each part on the screen as soon as its answer is there. */
async function show() {
  const asked = {};
  // Once for all parts, and anew where that failed and a part tries again.
  const once = (path) => asked[path] ??= ask(path).catch((error) => {
    delete asked[path];
    throw error;
  });
  const status = () => once("/crm/api/sync-status");
  const worst = () => once("/crm/api/hosting/attention");
  const runs = () => once("/crm/api/sync-runs?limit=1");
  const parts = [
    part("health", async () => health(...await Promise.all([status(), worst(), runs()]))),
    part("tiles", showTiles),
    part("linked", async () => linkRate((await status()).data)),
    part("attention", async () => showAttention(await worst())),
    part("differences", () => showDifferences($("differences"))),
    part("customers", showCustomers),
  ];
  await Promise.all(parts);
  const known = await asked["/crm/api/sync-status"];
  if (known?.data.total_customers === 0) notify("no_customers", t("no_customers_text"));
  else become("ready");
}

function health({ data: { sync_health: verdict, issues, causes, remedies } }, worst, { data: [newest], last }) {
  const kind = verdict === "healthy" && worst.customers ? "attention" : verdict;
  const text = t(`verdict_${kind}`, { count: number(worst.customers) });
  $("verdict").replaceChildren(element(`span.dot.${MARKS[kind]}`, text));
  $("verdict").classList.toggle("bad", kind === "critical");
  $("verdict").dataset.health = verdict;
  $("last_sync").replaceChildren(...lastSync(newest, last));
  $("issues").replaceChildren(...issues.map((issue, at) => {
    const href = wayFrom(causes[at], last, newest);
    const remedy = remedies?.[causes[at]];
    return element("li", href ? element("a", { href }, issue) : issue, remedy && element("span.lesser", remedy));
  }));
}

function wayFrom(cause, last, newest) {
  if (LINKS[cause]) return within("/crm/hosting/links", { state: LINKS[cause] });
  if (FINDINGS.includes(cause)) return `${within("/crm/hosting", { finding: cause })}#customers`;
  if (!RUNS.test(cause)) return;
  // What failed in a run that is not the reader’s is told above the list.
  const run = last?.errors ? last.run_id : newest?.errors && newest.run_id;
  return within("/crm/hosting/runs", run && { run }) + (last?.errors && !run ? "#list" : "");
}

/** When the last sync was and how it went, and what has become of a newer one. */
function lastSync(newest, last) {
  const words = [];
  if (last) {
    const { iso, text, full } = moment(last.ended_at);
    const when = element("time", { datetime: iso, title: full }, `${text} (${timeOfDay(iso)})`);
    const whose = t(last.is_over_everybody ? "over_everybody" : "over_own");
    const how = last.errors ? t("with_failures", { count: number(last.errors) }) : t("without_failures");
    words.push(t("last_sync"), " ", when, whose, how);
  } else if (newest?.state !== "running") {
    words.push(t("never_completed"));
  }
  const isNewer = newest && newest.started_at > (last?.ended_at ?? "");
  if (isNewer && newest.state === "running") words.push(" ", t("under_way"));
  if (isNewer && UNFINISHED.has(newest.state)) words.push(" ", t("newer_run", { state: t(newest.state) }));
  return [...words, " ", element("a", { href: within("/crm/hosting/runs") }, t("see_runs"))];
}
