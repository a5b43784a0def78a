// The batch over all customers in scope: its buttons, its progress and its result.

import { ask } from "./api.js";
import { bar } from "./charts.js";
import { $, element } from "./dom.js";
import { count, joined } from "./format.js";
import { busily } from "./parts.js";
import { t } from "./texts.js";
import "./texts_runs.js";

const BATCH = "/crm/api/sync-all-hosting";
const LOOK_EVERY = 1000;

const number = (figure) => joined(count(figure));

/** The newest of the runs that cover what the caller sees: who sees everything sees the owners' own runs too. */
async function newestRun() {
  const { data: runs } = await ask("/crm/api/sync-runs?limit=8");
  return runs.find((run) => run.tenant_id == null) ?? runs[0];
}

/** What the buttons do: the batch, then `refresh` what is shown; or only what it would change. */
export function prepareBatch(refresh) {
  for (const [id, work] of [["sync", () => run(refresh)], ["preview", preview]]) {
    $(id).onclick = () => busily($(id), async () => {
      say();
      await work().catch((error) => say("bad", error.message));
      $("progress").hidden = true;
    });
  }
}

/** The answer takes up to 20 s, and may leave a rest to the background: meanwhile the run says how far it is. */
async function run(refresh) {
  const { data: { total_customers: total } } = await ask("/crm/api/sync-status");
  const look = async () => {
    const newest = await newestRun();
    if (newest?.state === "running") progress(newest.total, total);
    return newest;
  };
  progress(0, total);
  const looking = setInterval(() => look().catch(() => {}), LOOK_EVERY);
  try {
    const { status, data, message } = await ask(BATCH, "POST");
    if (status === 202) await followed(data.remaining, look);
    else say(data.errors ? "bad" : "good", message, told(data));
  } finally {
    clearInterval(looking);
  }
  await refresh();
}

async function followed(remaining, look) {
  say("", t("handed_over", { remaining: number(remaining) }));
  let newest;
  do {
    await new Promise((resolve) => { setTimeout(resolve, LOOK_EVERY); });
    newest = await look();
  } while (newest.state === "running");
  if (newest.state === "completed") say(newest.errors ? "bad" : "good", told(newest));
  else say("bad", t("ended_badly", { state: t(newest.state) }));
}

async function preview() {
  const { data } = await ask(`${BATCH}?dry_run=true`, "POST");
  say("", t("would_sync", { changed: number(data.changed), total: number(data.total) }));
}

function progress(done, total) {
  const text = t("progress", { done: number(done), total: number(total) });
  $("progress").hidden = false;
  $("progress").replaceChildren(bar([{ kind: "profit", share: Math.min(done / total, 1) }]), element("span", {}, text));
}

function say(kind = "", ...lines) {
  $("sync-result").className = kind;
  $("sync-result").replaceChildren(...lines.map((line) => element("p", {}, line)));
}

export const told = ({ synced, skipped, errors }) =>
  t("counts", { synced: number(synced), skipped: number(skipped), errors: number(errors) });
