// What all pages have in common: their words, the way between them, and the states without figures.

import { translated, within } from "./address.js";
import { ask } from "./api.js";
import { $, element } from "./dom.js";
import { language, remember, t } from "./texts.js";

// A table that is shown as cards is no table to a screen reader unless it says so.
const ROLES = { table: "table", "thead, tbody, tfoot": "rowgroup", tr: "row", th: "columnheader" };
const STATES = { 401: "expired", 403: "forbidden", 404: "missing" };

/** Fill in the page's words, mark its language and theme and where it is, and load what it shows. */
export function open(show) {
  const root = document.documentElement;
  root.lang = language === "zh" ? "zh-CN" : "en";
  root.dataset.theme = new URLSearchParams(location.search).get("theme") ?? "";
  root.classList.toggle("embedded", window !== top);
  remember();
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-label]")) {
    node.ariaLabel = t(node.dataset.label);
    if (node.localName === "input") node.placeholder = node.ariaLabel;
  }
  for (const [selector, role] of Object.entries(ROLES)) {
    for (const node of document.querySelectorAll(selector)) node.role = role;
  }
  for (const link of document.querySelectorAll(".pages a")) {
    if (link.pathname === location.pathname) link.ariaCurrent = "page";
    link.href = within(link.pathname);
  }
  for (const link of document.querySelectorAll("[hreflang]")) {
    // What the address says when it is pressed, not when the page was opened.
    link.onclick = () => { link.href = translated(link.hreflang.slice(0, 2)); };
    link.href = translated(link.hreflang.slice(0, 2));
    if (link.hreflang === root.lang) link.ariaCurrent = "true";
  }
  addEventListener("refused", ({ detail }) => fail(detail));
  $("main").ariaBusy = "true";
  show().catch(fail).finally(() => { $("main").ariaBusy = "false"; });
}

/** Show the state of that name: "ready", or one that a notice explains. */
export function become(state) {
  document.body.dataset.state = state;
  document.body.classList.toggle("told", state !== "ready");
}

/** The page cannot show its figures: say why, and what helps. */
export function fail(error) {
  if (!(error.status >= 0)) console.error(error);
  const state = STATES[error.status] ?? "error";
  if (document.body.dataset.state === "expired") return;
  $("record")?.remove();
  const again = element("button", { onclick: () => location.reload() }, t("retry"));
  if (state === "expired") {
    notify(state, t("expired_text"), element("p.actions", signIn(), again));
    goOnWhenSignedIn();
  } else if (state === "error") {
    notify(state, error.message, element("p.actions", again));
  } else {
    const back = $("back") && element("a.button", { href: $("back").href }, t("all_customers"));
    notify(state, t(`${state}_text`), element("p.actions", back));
  }
}

/** The way to the CRM's own page, which has the address of this one to come back to. */
function signIn() {
  const page = encodeURIComponent(location.pathname + location.search);
  const href = document.body.dataset.signIn.replace("{page}", page);
  return element("a.button.primary", { href, target: "_blank" }, t("log_in"));
}

/** Whoever comes back from there, with a session again, finds the page as it was left. */
function goOnWhenSignedIn() {
  document.addEventListener("visibilitychange", async () => {
    if (document.visibilityState !== "visible") return;
    const isSignedIn = await ask("/crm/api/sync-runs?limit=1").then(() => true, (error) => error.status === 403);
    if (isSignedIn) location.reload();
  });
}

/** Put a notice of that state in the place of the figures. */
export function notify(state, ...lines) {
  if ($("name")?.dataset.t) $("name").textContent = t("hosting");
  $("notice").replaceChildren(
    element("h2", t(`${state}_title`)),
    ...lines.map((line) => (line.nodeType ? line : element("p", line))),
  );
  $("notice").hidden = false;
  const isSudden = document.body.dataset.state === "ready";
  become(state);
  if (isSudden) $("notice").focus(); // what had the focus is not there any more
}
