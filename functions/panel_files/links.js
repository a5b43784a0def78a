// Whom the caller's customers are linked to, why not, and what somebody decides about it.

import { said, say, whenMoved } from "./address.js";
import { ask, newest } from "./api.js";
import { $, element } from "./dom.js";
import { csv } from "./download.js";
import { prepareExact } from "./exact.js";
import { joined, number, percent } from "./format.js";
import { link, listen } from "./link.js";
import { become, fail, notify, open } from "./page.js";
import { empty, part, prepareSearch } from "./parts.js";
import { t } from "./texts.js";
import "./texts_links.js";

const PATH = "/crm/api/hosting/links";
const STATES = ["unlinked", "suggested", "ambiguous", "lost", "gone", "shared", "linked", "all"];
const PAGE = 20;
const FEW = 8; // what is rare comes in short pages: so many rows are worth a look,
const MOST = 6; // and so many questions

const state = () => (STATES.includes(said("state")) ? said("state") : STATES[0]);
const query = (more) => new URLSearchParams({
  ...(state() !== "all" && { state: state() }), ...(said("q") && { search: said("q") }), ...more,
});
const page = newest((after) => ask(`${PATH}?${query({ limit: PAGE, ...(after && { after }) })}`));
const again = () => part("decide", show).catch(fail);

document.title = `${t("links")} · ${t("hosting")}`;
prepare();
open(async () => {
  let total;
  await Promise.all([part("decide", show), part("rate", async () => { total = await rate(); })]);
  if (total === 0) notify("no_customers", t("no_customers_text"));
  else become("ready");
});

/** Say it: of how many customers. */
async function rate() {
  const { data: { linked_customers: linked, total_customers: total, link_rate: share } } = await ask("/crm/api/sync-status");
  const figures = { linked: number(linked), total: number(total), share: joined(percent(share)) };
  $("rate").textContent = total ? t("rate", figures) : "";
  return total;
}

function prepare() {
  $("csv").append(csv(() => `${PATH}?${query({ limit: 100 })}`, "links"));
  prepareSearch((q) => choose({ q }, false));
  $("first").onclick = () => turn("");
  $("next").onclick = () => turn($("next").value);
  whenMoved(again);
  listen($("list"));
  prepareExact(again);
}

async function turn(after) {
  say({ after });
  await again();
  $("list").firstElementChild?.focus();
}

function choose(changes, isStep) {
  say({ ...changes, after: "" }, isStep);
  again();
}

async function show() {
  if ($("search") !== document.activeElement) $("search").value = said("q");
  chips();
  let after = said("after");
  for (let asked = 0; asked < MOST; asked++) {
    const found = await page(after);
    if (!found) return;
    if (!asked) $("list").replaceChildren();
    $("list").append(...found.data.map(link));
    after = found.next;
    if (!after || $("list").children.length >= FEW) break;
  }
  const shown = $("list").children.length;
  if (shown) $("list").firstElementChild.tabIndex = 0;
  $("next").value = after ?? "";
  $("next").hidden = !after;
  $("first").hidden = !said("after");
  $("shown").replaceChildren(shown ? t("links_shown", { count: number(shown) }) : none(after));
}

/** Why nothing is there, and where to look. */
function none(more) {
  if (more) return empty(t("none_so_far"));
  if (said("q")) return empty(t("nothing_found"), element("button.quiet", { onclick: () => {
    choose({ q: "" });
    $("search").focus();
  } }, t("all")));
  return empty(t(/ambiguous|lost|gone|shared/.test(state()) ? "none_found_then" : state() === "all" ? "no_customers_text" : `none_${state()}`));
}

function chips() {
  const focused = document.activeElement.dataset.state;
  $("states").replaceChildren(...STATES.map((one) => element("button", {
    "data-state": one, "aria-pressed": String(state() === one), onclick: () => choose({ state: one }),
  }, t(`state_${one}`))));
  if (focused) $("states").querySelector(`[data-state="${focused}"]`)?.focus();
}
