// A page's parts, each filled by itself: its place is kept while it loads, and it says what helps when it fails.

import { within } from "./address.js";
import { $, element } from "./dom.js";
import { t } from "./texts.js";

const PAUSE = 250; // between the last key and the search

/** Do the work that fills the part of that id. That nobody is signed in, or may see it, or answers, is the whole page's. */
export async function part(id, work) {
  const node = $(id);
  node.ariaBusy = "true";
  node.querySelector(":scope > .failure")?.remove();
  try {
    await work();
  } catch (error) {
    if (!(error.status >= 0)) console.error(error);
    if ([401, 403].includes(error.status) || (error.status === 0 && document.body.dataset.state === "loading")) throw error;
    const again = () => part(id, work).catch((worse) => dispatchEvent(new CustomEvent("refused", { detail: worse })));
    node.append(failure(error.message, again));
  } finally {
    node.ariaBusy = "false";
  }
}

/** Why something could not be done, and a button that does it again. */
export const failure = (why, again) => element("p.failure", { role: "alert" },
  why, " ", element("button", { onclick: again }, t("retry")));

/** There is nothing to show: why that is, and what to do, as text or a link. */
export const empty = (why, ...ways) => element("p.empty", why, ...ways.flatMap((way) => [" ", way]));

/** A customer's name, or the number of one that has none. */
export const named = (id, name) => name?.trim() || t("customer_number", { id });

/** The way to a customer's page. */
export const customerLink = (id, name) => element("a", { href: within(`/crm/hosting/customer/${id}`), dir: "auto" }, named(id, name));

/** Have the search field say what is looked for, once the keys rest. */
export function prepareSearch(look) {
  let pause;
  $("search").oninput = () => {
    clearTimeout(pause);
    pause = setTimeout(() => look($("search").value.trim()), PAUSE);
  };
}

/** Do the work of a button that cannot be pressed again meanwhile; it keeps its focus, or what is before it has it. */
export async function busily(button, work) {
  const hadFocus = document.activeElement === button;
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
    if (hadFocus && document.activeElement === document.body) {
      const all = [...$("main").querySelectorAll("a, button")];
      all.slice(0, all.indexOf(button) + 1).findLast((one) => one.checkVisibility())?.focus();
    }
  }
}
