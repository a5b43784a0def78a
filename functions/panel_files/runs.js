// The runs of the batch, and the batch itself.

import { ask } from "./api.js";
import { prepareBatch, told } from "./batch.js";
import { $, element, time } from "./dom.js";
import { count, moment } from "./format.js";
import { become, open } from "./page.js";
import { empty } from "./parts.js";
import { t } from "./texts.js";

const SHOWN = 20;
const MARKS = { completed: "active", running: "maintenance", partial: "maintenance", failed: "offline", abandoned: "offline" };

document.title = `${t("runs")} · ${t("hosting")}`;
prepareBatch(show);
open(show);

async function show() {
  const { data: runs } = await ask(`/crm/api/sync-runs?limit=${SHOWN}`);
  $("runs").replaceChildren(...(runs.length ? runs.map(drawn) : [element("li", {}, empty(t("no_runs")))]));
  become("ready");
}

function drawn(run) {
  const changed = t("changed_rows", { count: number(run.changed) });
  const seconds = t("seconds", { count: run.duration_seconds.toFixed(1) });
  return element("li", { "data-run": run.run_id },
    element(`span.dot.${MARKS[run.state]}`, {}, t(run.state)),
    element("span.muted", {}, time(element("time"), moment(run.started_at)), ` · ${t(run.origin)}`),
    element("span", {}, told(run)),
    element("span.muted", {}, `${changed} · ${seconds}`));
}
