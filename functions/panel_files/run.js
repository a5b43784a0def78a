// One run of the batch: what changed, and the customers that failed, why, and a way to try each again.

import { ask, customerPath, newest } from "./api.js";
import { MARKS } from "./batch.js";
import { showDifferences } from "./differences.js";
import { $, element, time } from "./dom.js";
import { csv } from "./download.js";
import { count, moment, seconds, timeOfDay } from "./format.js";
import { busily, customerLink, named, part } from "./parts.js";
import { figure } from "./table.js";
import { t } from "./texts.js";

const PAGE = 50;
// What the codes mean to somebody who does not know them: the first that one begins with.
const WHY = ["55P03", "23514", "23", "22003", "22", "P0001"];
const RUN = ["57014", "40", "42", "53", "away"];
const AWAY = /^(08|25|57P|Unavailable|ConnectionLost)/;

const found = newest((id) => ask(`/crm/api/sync-runs/${id}?limit=${PAGE}`));

/** When it began, in the reader's clock. */
export const began = (run) => time(element("time"), { ...moment(run.started_at), text: timeOfDay(run.started_at) });

/** Show it, with the first of its failures. */
export async function showRun(id) {
  const answer = await found(id).catch((error) => {
    $("run").replaceChildren(); // another's figures
    throw error;
  });
  if (!answer) return; // another one is asked for by now
  const { data: { run, failures }, next } = answer;
  const facts = {
    total_customers: run.total, changed: run.changed, synced_count: run.synced, skipped: run.skipped, failed_customers: run.errors,
    links_lost: run.links_lost || null, links_ambiguous: run.links_ambiguous || null, links_shared: run.links_shared || null,
  };
  $("run").replaceChildren(...[
    element("div.head", element("h2", t("run_number", { id })), element(`span.dot.${MARKS[run.state]}`, t(run.state))),
    element("p.muted", began(run), ` · ${t(run.origin)} · ${seconds(run.duration_seconds)}`),
    run.failure && element("p.bad", words("run", RUN, run.failure.replace(AWAY, "away"))),
    element("dl.facts", ...Object.entries(facts).filter(([, known]) => known != null).map(([name, known]) =>
      element("div", element("dt", t(name)), element("dd", figure(known, count))))),
  ].filter(Boolean));
  if (run.errors) {
    const list = element("ul.ranked");
    $("run").append(element("div.head", element("h3", t("could_not")), csv(`/crm/api/sync-runs/${id}`, `run-${id}`)), list);
    extend(id, list, failures, next);
  }
  const changes = element("section", { id: "differences" });
  $("run").append(changes);
  await part(changes.id, () => showDifferences(changes, run.day));
}

/** Failures, and a button that has more of them as long as there are others. */
function extend(id, list, failures, next) {
  const more = element("button", t("more"));
  const show = () => {
    list.append(...failures.map(failed));
    more.hidden = next == null;
  };
  more.onclick = () => busily(more, () => part("run", async () => {
    ({ data: { failures }, next } = await ask(`/crm/api/sync-runs/${id}?limit=${PAGE}&after=${next}`));
    show();
  }));
  list.after(more);
  show();
}

/** A line of a customer that failed: why, and a button that tries again. */
export function failed({ customer_id: id, name, sqlstate, constraint }) {
  const told = element("span.lesser", { role: "status" }, words("why", WHY, sqlstate, constraint ?? ""));
  const again = element("button.quiet", { "aria-label": t("again_for", { name: named(id, name) }) }, t("retry"));
  again.onclick = () => busily(again, async () => {
    try {
      told.textContent = (await ask(`${customerPath(id)}/sync-hosting`, "POST")).message;
      told.className = "lesser good";
      again.hidden = true;
    } catch (error) {
      told.textContent = error.message;
    }
  });
  return element("li", { "data-customer": id },
    element("span", customerLink(id, name), told), again);
}

const words = (kind, known, code, constraint) => t(`${kind}_${known.find((one) => code.startsWith(one)) ?? "other"}`, { code, constraint });
