// A customer with its account or the accounts that may be its own: confirm, refuse, undo, by button or by key.

import { within } from "./address.js";
import { ask, customerPath } from "./api.js";
import { element, time } from "./dom.js";
import { count, joined, moment } from "./format.js";
import { t } from "./texts.js";

const MARKS = { linked: "active", suggested: "maintenance", ambiguous: "maintenance", shared: "maintenance", lost: "offline", unlinked: "sold" };
const drawnBy = new WeakMap(); // a row's customer, as the API last told it, and what undoes the last word

/** A row of the list. */
export function link(customer) {
  const row = element("li", { "data-customer": customer.customer_id });
  row.tabIndex = -1;
  draw(row, customer);
  return row;
}

/** The keys of the list, which hold while a row has the focus: arrows choose, C confirms, R refuses, U undoes. */
export function listen(list) {
  list.onfocus = ({ target }) => {
    const row = target.closest("li[data-customer]");
    if (!row) return;
    for (const one of list.children) one.tabIndex = one === row ? 0 : -1;
  };
  list.addEventListener("focusin", list.onfocus);
  list.onkeydown = (event) => {
    const row = event.target.closest("li[data-customer]");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    const button = pressed(row, event);
    if (!step && !button) return;
    event.preventDefault();
    if (step) step.focus();
    else button.click();
  };
}

/** The button that a key stands for: of the account in whose line the focus is, else of the likeliest. */
function pressed(row, { key, target }) {
  const name = { c: "confirm", r: "refuse", u: "undo" }[key.toLowerCase()];
  if (!name) return null;
  const selector = `[data-does="${name}"]:not(:disabled)`;
  return target.closest("[data-account]")?.querySelector(selector) ?? row.querySelector(selector);
}

function draw(row, customer, note) {
  drawnBy.set(row, customer);
  row.dataset.state = customer.state;
  row.replaceChildren(who(customer), why(customer), accounts(row, customer), said(row, customer, note));
}

function who({ customer_id: id, name, company, email }) {
  return element("div.who", {},
    element("p", {}, element("a", { href: within(`/crm/hosting/customer/${id}`) }, name), company && element("span.muted", {}, ` ${company}`)),
    element("p.lesser", {}, email?.trim() || t("no_email")));
}

function why({ state, reasons }) {
  return element("div.why", {},
    element("p", {}, element(`span.dot.${MARKS[state]}`, {}, t(`state_${state}`))),
    ...reasons.map((reason) => element("p.lesser", {}, reason.text)));
}

function accounts(row, { account, linked_by: by, state, suggestions, refused }) {
  const lines = [];
  if (account) {
    const isSure = by !== "email" || state === "linked";
    lines.push(line(row, account.id, account.name, account.email, t(`by_${by}`), {
      confirm: by === "email" && !isSure && t("confirm"),
      refuse: by !== "crm" && t("refuse"),
    }, !account.is_active && t("inactive")));
  }
  for (const one of suggestions) {
    const likely = t("likely", { score: joined(count(one.score)) });
    lines.push(line(row, one.account_id, one.name, one.email, `${one.reason} · ${likely}`, { confirm: t("confirm"), refuse: t("refuse") }));
  }
  for (const id of refused) lines.push(line(row, id, t("refused", { id }), "", "", { takeBack: t("take_back") }));
  return element("div.accounts", {}, ...(lines.length ? lines : [element("p.lesser", {}, t("no_suggestion"))]));
}

function line(row, id, name, email, why, { confirm, refuse, takeBack }, more) {
  const button = (does, text, verdict) => text && element("button", {
    type: "button", "data-does": does, "aria-label": `${text}: ${name}`, onclick: () => decide(row, id, verdict),
  }, text);
  return element("div.account", { "data-account": id },
    element("div", {},
      element("p", {}, name, !takeBack && element("span.muted", {}, ` #${id}`), more && element("span.bad", {}, ` ${more}`)),
      email && element("p.lesser", {}, email.trim()),
      why && element("p.lesser", {}, why)),
    element("p.actions", {}, button("confirm", confirm, "confirmed"), button("refuse", refuse, "refused"), button("back", takeBack, "undone")));
}

/** What was just done with a way to undo it, and who said what before. */
function said(row, { changes }, note) {
  const told = note && element("p.told-now", { role: "status", class: note.isBad ? "bad" : "good" }, note.text, " ",
    note.undo && element("button.quiet", { type: "button", "data-does": "undo", onclick: note.undo }, t("undo")));
  const list = changes.length > 0 && element("details.lesser", {},
    element("summary", {}, t("changes", { count: joined(count(changes.length)) })),
    element("ol", {}, ...changes.map(change)));
  return element("div.said", {}, told, list);
}

function change({ changed_by: by, changed_at: at, before, after }) {
  const words = [];
  if (before.confirmed !== after.confirmed) {
    words.push(after.confirmed ? t("did_confirm", { id: after.confirmed }) : t("did_unconfirm", { id: before.confirmed }));
  }
  for (const id of after.refused) if (!before.refused.includes(id)) words.push(t("did_refuse", { id }));
  for (const id of before.refused) if (!after.refused.includes(id) && id !== after.confirmed) words.push(t("did_unrefuse", { id }));
  return element("li", {}, time(element("time"), moment(at)), ` · ${t("account", { id: by })}: `, words.join(", "));
}

const path = (id, query) => `${customerPath(id)}/hosting-link?${new URLSearchParams(query)}`;

async function tell(id, account, verdict) {
  const method = verdict === "undone" ? "DELETE" : "PUT";
  return (await ask(path(id, { account_id: account, ...(verdict === "refused" && { refuse: true }) }), method)).data;
}

async function decide(row, account, verdict) {
  const known = drawnBy.get(row);
  await doing(row, async () => {
    const now = await tell(known.customer_id, account, verdict);
    const [newest] = now.changes;
    const text = t(`done_${verdict}`, { id: account });
    return [now, { text, undo: newest && (() => undo(row, account, newest.before)) }];
  });
}

/** Have it be as it was before that word on that account. */
async function undo(row, account, before) {
  const { customer_id: id } = drawnBy.get(row);
  await doing(row, async () => {
    const was = before.confirmed === account ? "confirmed" : before.refused.includes(account) ? "refused" : "undone";
    let now = await tell(id, account, was);
    if (before.confirmed && before.confirmed !== account) now = await tell(id, before.confirmed, "confirmed");
    return [now, { text: t("done_undo") }];
  });
}

/** Do it with the row's buttons off; the focus stays in the row, whose buttons are others then. */
async function doing(row, work) {
  const hadFocus = row.contains(document.activeElement);
  for (const button of row.querySelectorAll("button")) button.disabled = true;
  row.ariaBusy = "true";
  try {
    draw(row, ...(await work()));
  } catch (error) {
    draw(row, drawnBy.get(row), { text: error.message, isBad: true });
    if (error.status === 401) dispatchEvent(new CustomEvent("refused", { detail: error }));
  }
  row.ariaBusy = "false";
  if (hadFocus) row.focus();
}
