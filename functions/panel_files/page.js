// What both pages have in common: their words, the switch of language, and the states without figures.

import { $, element } from "./dom.js";
import { language, remember, t } from "./texts.js";

// A table that is shown as cards is no table to a screen reader unless it says so.
const ROLES = { table: "table", "thead, tbody, tfoot": "rowgroup", tr: "row", th: "columnheader" };
const STATES = { 401: "expired", 403: "forbidden", 404: "missing" };

/** Fill in the page's words, mark its language and theme, and load what it shows. */
export function open(show) {
  const root = document.documentElement;
  const query = new URLSearchParams(location.search);
  root.lang = language === "zh" ? "zh-CN" : "en";
  root.dataset.theme = query.get("theme") ?? "";
  root.classList.toggle("embedded", window !== top);
  remember();
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-label]")) {
    node.ariaLabel = node.placeholder = t(node.dataset.label);
  }
  for (const [selector, role] of Object.entries(ROLES)) {
    for (const node of document.querySelectorAll(selector)) node.role = role;
  }
  for (const link of document.querySelectorAll("[hreflang]")) {
    query.set("lang", link.hreflang.slice(0, 2));
    link.href = `?${query}`;
    if (link.hreflang === root.lang) link.ariaCurrent = "true";
  }
  $("main").ariaBusy = "true";
  show().catch(fail).finally(() => { $("main").ariaBusy = "false"; });
}

/** A link within the panel keeps what the address says of language and theme. */
export const within = (path) => path + location.search;

/** Show the state of that name: "ready", or one that a notice explains. */
export function become(state) {
  document.body.dataset.state = state;
  document.body.classList.toggle("told", state !== "ready");
}

/** The page cannot show its figures: say why, and what helps. */
export function fail(error) {
  const state = STATES[error.status] ?? "error";
  $("record")?.remove();
  notify(state, state === "error" ? error.message : t(`${state}_text`), element("p.actions", {},
    state === "expired" && element("a.button.primary", { href: "/", target: "_top" }, t("log_in")),
    /expired|error/.test(state)
      ? element("button", { type: "button", onclick: () => location.reload() }, t("retry"))
      : $("back") && element("a.button", { href: $("back").href }, t("all_customers"))));
}

/** Put a notice of that state in the place of the figures. */
export function notify(state, ...lines) {
  if ($("name")?.dataset.t) $("name").textContent = t("hosting");
  $("notice").replaceChildren(
    element("h2", {}, t(`${state}_title`)),
    ...lines.map((line) => (line.nodeType ? line : element("p", {}, line))),
  );
  $("notice").hidden = false;
  become(state);
}

/** Do the work of a button that cannot be pressed again meanwhile. */
export async function busily(button, work) {
  button.disabled = true;
  await work();
  button.disabled = false;
}
