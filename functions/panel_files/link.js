// A customer with its account, or those that may be its own: confirm, refuse, undo, by button or by key.

import { ask, customerPath } from "./api.js";
import { element, time } from "./dom.js";
import { moment } from "./format.js";
import { customerLink } from "./parts.js";
import { t } from "./texts.js";

const MARKS = { linked: "active", unlinked: "sold", lost: "offline" };
const KEYS = { c: "confirm", r: "refuse", u: "undo" };
const STEPS = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" };

/** A row of the list, of a customer as the API tells of it. */
export function link(customer) {
  const row = element("li", { tabindex: "-1", "data-customer": customer.customer_id });
  draw(row, customer);
  return row;
}

/** The keys of the list, while the focus is in a row: arrows choose, C confirms, R refuses, U undoes. */
export function listen(list) {
  const rowOf = (target) => target.closest("li[data-customer]");
  list.addEventListener("focusin", ({ target }) => {
    for (const row of list.children) row.tabIndex = row === rowOf(target) ? 0 : -1;
  });
  list.onkeydown = (event) => {
    const { key, target } = event;
    const row = rowOf(target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = `[data-does="${KEYS[key.toLowerCase()]}"]:not(:disabled)`;
    // Of the account in whose line the focus is, else of the likeliest.
    const pressed = target.closest("[data-account]")?.querySelector(button) ?? row.querySelector(button);
    if (STEPS[key]) row[STEPS[key]]?.focus();
    else if (pressed) pressed.click();
    else return;
    event.preventDefault();
  };
}

/** A name and its number, which a name that runs from right to left does not turn round. */
export const isolated = (name, id) => `\u2068${name}\u2069 #${id}`;

/** Draw the row anew, with a note of what was done: {text, isBad, undo}. */
function draw(row, customer, note) {
  const { customer_id: id, name, company, email, state, reasons, account, suggestions, refused, changes } = customer;
  const button = (does, account, verdict) => element("button", {
    "data-does": does, "aria-label": `${t(does)} #${account}`, onclick: () => decide(row, customer, account, verdict),
  }, t(does));
  const line = (account, who, email, why, ...buttons) => element("div.account", { "data-account": account },
    element("div", who, email && element("p.lesser", email.trim()), why && element("p.lesser", why)),
    element("p.actions", ...buttons));
  const both = (account) => [button("confirm", account, "confirmed"), button("refuse", account, "refused")];
  const lines = suggestions.map((one) =>
    line(one.account_id, isolated(one.name, one.account_id), one.email, t("likely", one), ...both(one.account_id)));
  if (account) {
    const buttons = both(account.id).slice(state === "linked" || customer.linked_by !== "email" ? 1 : 0);
    lines.push(line(account.id, isolated(account.name, account.id), account.email, account.is_active ? "" : t("inactive"), ...buttons));
  }
  lines.push(...refused.map((one) => line(one, t("refused", { id: one }), "", "", button("take_back", one, "undone"))));

  row.dataset.state = state;
  row.replaceChildren(
    element("div.who",
      customerLink(id, name),
      company && element("span.muted", ` ${company}`),
      element("p.lesser", email?.trim() || t("no_email"))),
    element("div.why",
      element(`span.dot.${MARKS[state] ?? "maintenance"}`, t(`state_${state}`)),
      ...reasons.map((reason) => element("p.lesser", reason.text))),
    element("div.accounts", ...(lines.length ? lines : [element("p.lesser", t("no_suggestion"))])),
    element("div.said",
      note && element("p", { role: "status", class: note.isBad ? "bad" : "good" }, note.text, " ",
        note.undo && element("button.quiet", { "data-does": "undo", onclick: note.undo }, t("undo"))),
      changes.length > 0 && element("details.lesser",
        element("summary", t("changes")), element("ol", ...changes.map(change)))));
}

const word = ({ confirmed, refused }) => [
  confirmed && t("confirmed", { id: confirmed }), ...refused.map((id) => t("refused", { id })),
].filter(Boolean).join(", ") || t("nothing");

const change = ({ changed_by: by, changed_at: at, before, after }) => element("li",
  time(element("time"), moment(at)), ` · ${t("account", { id: by })}: ${word(before)} → ${word(after)}`);

async function tell({ customer_id: id }, account, verdict) {
  const query = `account_id=${account}${verdict === "refused" ? "&refuse=true" : ""}`;
  const method = verdict === "undone" ? "DELETE" : "PUT";
  return (await ask(`${customerPath(id)}/hosting-link?${query}`, method)).data;
}

const decide = (row, customer, account, verdict) => doing(row, customer, async () => {
  const now = await tell(customer, account, verdict);
  const undo = () => doing(row, now, () => restored(now, account, now.changes[0].before));
  return [now, { text: t(verdict, { id: account }), undo }];
});

/** As it was before something was said of that account. */
async function restored(customer, account, { confirmed, refused }) {
  const was = confirmed === account ? "confirmed" : refused.includes(account) ? "refused" : "undone";
  let now = await tell(customer, account, was);
  if (confirmed && confirmed !== account) now = await tell(customer, confirmed, "confirmed");
  return [now, { text: t("as_before") }];
}

/** Do it with the row's buttons off; the focus stays in the row, whose buttons are others then. */
async function doing(row, customer, work) {
  const hadFocus = row.contains(document.activeElement);
  for (const button of row.querySelectorAll("button")) button.disabled = true;
  try {
    draw(row, ...(await work()));
  } catch (error) {
    draw(row, customer, { text: error.message, isBad: true });
  }
  if (hadFocus) row.focus();
}
