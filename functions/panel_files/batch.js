// The batch over all customers in scope: its buttons, how far it is, and its result.

import { within } from "./address.js";
import { ask } from "./api.js";
import { bar } from "./charts.js";
import { $, element } from "./dom.js";
import { number } from "./format.js";
import { busily } from "./parts.js";
import { t } from "./texts.js";
import "./texts_runs.js";

export const BATCH = "/crm/api/sync-all-hosting";
export const MARKS = { completed: "active", running: "maintenance", partial: "maintenance", failed: "offline", abandoned: "offline" };
const LOOK_EVERY = 1000;

export const told = ({ synced, skipped, errors }) =>
  t("counts", { synced: number(synced), skipped: number(skipped), errors: number(errors) });

/** What the buttons do: the batch, then `refresh` what is shown; or only what it would change. */
export function prepareBatch(refresh, preview = countChanges) {
  $("sync").onclick = () => working($("sync"), () => run(refresh));
  $("preview").onclick = () => working($("preview"), preview);
}

/** A run that is under way, whoever asked for it, is followed to its end. */
export async function followBatch(refresh) {
  const newest = await newestRun();
  if (newest?.state === "running") await working($("sync"), () => followed(refresh, newest));
}

const working = (button, work) => busily(button, async () => {
  say();
  await work().catch((error) => say("bad", error.message));
  $("progress").hidden = true;
});

/** The answer takes up to 20 s, and may leave a rest to the background: meanwhile the run says how far it is. */
async function run(refresh) {
  const total = await customers();
  progress(0, total);
  let isAnswered = false;
  watch(total, () => isAnswered).catch(() => {});
  const { status, data, message } = await ask(BATCH, "POST").finally(() => { isAnswered = true; });
  if (status === 202) {
    say("", t("handed_over", { remaining: number(data.remaining) }));
    await followed(refresh);
  } else {
    say(data.errors ? "bad" : "good", message, told(data));
    await refresh();
  }
}

async function followed(refresh, begun) {
  const total = await customers();
  if (begun) progress(begun.total, total);
  const ended = await watch(total);
  if (ended.state === "completed") say(ended.errors ? "bad" : "good", told(ended));
  else say("bad", t("ended_badly", { state: t(ended.state) }));
  await refresh();
}

/** Say how far the newest run is, until it has ended (and give it then) or nobody asks any more. */
async function watch(total, isEnough) {
  for (;;) {
    await pause();
    if (isEnough?.()) return null;
    const newest = await newestRun().catch((error) => { if (error.status && error.status < 500) throw error; }); // a network, or a server, comes back
    if (newest?.state === "running") progress(newest.total, total);
    else if (newest && !isEnough) return newest;
  }
}

/** A moment, and longer while nobody sees the page. */
async function pause() {
  await new Promise((resolve) => { setTimeout(resolve, LOOK_EVERY); });
  if (document.hidden) await new Promise((resolve) => { document.addEventListener("visibilitychange", resolve, { once: true }); });
}

/** The newest of the runs that cover what the caller sees: who sees everything sees the owners' own runs too. */
async function newestRun() {
  const { data: runs } = await ask("/crm/api/sync-runs?limit=8");
  return runs.find((run) => run.tenant_id == null) ?? runs[0];
}

async function customers() {
  const { data } = await ask("/crm/api/sync-status");
  return data.total_customers;
}

async function countChanges() {
  const { data: { changed, total } } = await ask(`${BATCH}?dry_run=true`, "POST");
  const all = changed && element("a", { href: within("/crm/hosting/runs", { preview: 1 }) }, t("changes_all"));
  say("", element("span", t("would_sync", { changed: number(changed), total: number(total) }), " ", all));
}

function progress(done, total) {
  const text = t("progress", { done: number(done), total: number(total) });
  $("progress").hidden = false;
  $("progress").replaceChildren(bar([{ kind: "profit", share: Math.min(done / (total || 1), 1) }]), element("span", text));
}

function say(kind = "", ...lines) {
  $("sync-result").className = kind;
  $("sync-result").replaceChildren(...lines.map((line) => element("p", line)));
}
