// The runs of the batch: a list, one of them in detail, and the batch itself.

import { said, say, whenMoved, within } from "./address.js";
import { ask } from "./api.js";
import { followBatch, MARKS, prepareBatch } from "./batch.js";
import { prepareChanges } from "./changes.js";
import { $, element } from "./dom.js";
import { csv } from "./download.js";
import { count, joined, moment, number, seconds } from "./format.js";
import { become, fail, open } from "./page.js";
import { busily, empty, part } from "./parts.js";
import { began, failed, showRun } from "./run.js";
import { cell, figure, headers, row } from "./table.js";
import { t } from "./texts.js";

const PAGE = 12;
const numeric = true;
const RUN = { key: "run" };
const TOOK = { key: "took", numeric };
const COUNTS = Object.entries({ changed: "changed", synced_count: "synced", skipped: "skipped", failed_customers: "errors" })
  .map(([key, of]) => ({ key, of, numeric }));

let runs = [];
let next = null;
let isCovered = false;

document.title = `${t("runs")} · ${t("hosting")}`;
$("columns").append(...headers([RUN, ...COUNTS, TOOK]));
$("runs-csv").append(csv("/crm/api/sync-runs?limit=1000", "runs"));
$("older").onclick = () => busily($("older"), () => part("list", older).catch(fail));
prepareBatch(show);
prepareChanges();
whenMoved(() => choose().catch(fail));
open(async () => {
  await show();
  followBatch(show).catch(() => {}); // what it cannot ask, the list could not either
});

/** The newest runs, and of them the one that the address says, else the first. */
async function show() {
  await part("list", async () => {
    const page = await ask(`/crm/api/sync-runs?limit=${PAGE}`);
    [runs, next] = [page.data, page.next];
    covered(page.last);
    draw();
    become("ready");
    await choose();
  });
  become("ready");
}

async function older() {
  const page = await ask(`/crm/api/sync-runs?limit=${PAGE}&before=${next}`);
  [runs, next] = [[...runs, ...page.data], page.next];
  draw();
}

/** An owner's list has the owner's own runs alone; what failed in the daily run over everybody is said beside it. */
function covered(last) {
  isCovered = last?.is_over_everybody && runs.every((run) => run.tenant_id != null);
  $("covered").hidden = !isCovered;
  $("uncovered").replaceChildren(...(isCovered ? last.failures.map(failed) : []));
  if (!isCovered) return;
  const told = t("covered", { when: moment(last.ended_at).text, errors: number(last.errors) });
  $("covered").textContent = joined([told, last.errors && t("covered_failed")]);
}

function draw() {
  const none = row(element("td.nothing", { role: "cell", colspan: 6 }, empty(t(isCovered ? "no_runs_own" : "no_runs"))));
  $("runs").replaceChildren(...(runs.length ? runs.map(drawn) : [none]));
  $("shown").textContent = runs.length ? t("runs_shown", { count: number(runs.length) }) : "";
  $("older").hidden = next == null;
  mark();
}

function mark() {
  for (const line of $("runs").querySelectorAll("[data-run]")) {
    line.querySelector("a").ariaCurrent = Number(line.dataset.run) === chosenId() ? "true" : null;
  }
}

function drawn(run) {
  const link = element("a", {
    href: within(location.pathname, { run: run.run_id }),
    onclick: (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      say({ run: run.run_id });
      choose().then(() => $("run").focus(), fail);
    },
  }, began(run));
  const line = row(
    cell(RUN, element("span", link), element("span",
      element(`span.dot.${MARKS[run.state]}`, t(run.state)), ` · ${t(run.origin)}`, run.tenant_id != null && ` · ${t("of_owner", { id: run.tenant_id })}`)),
    ...COUNTS.map((column) => cell(column, figure(run[column.of], count))),
    cell(TOOK, seconds(run.duration_seconds)),
  );
  line.dataset.run = run.run_id;
  line.classList.toggle("failing", run.errors > 0);
  return line;
}

const chosenId = () => Math.max(parseInt(said("run")), 0) || runs[0]?.run_id;

/** Show the chosen one, and mark it in the list. */
async function choose() {
  const id = chosenId();
  mark();
  $("run").hidden = !id;
  if (id) await part("run", () => showRun(id));
}
