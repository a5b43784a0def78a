// What needs attention, worst first, each a click from the customer.

import { said, say, within } from "./address.js";
import { ask } from "./api.js";
import { $, element } from "./dom.js";
import { count, day, hashrate, joined, percent } from "./format.js";
import { empty } from "./parts.js";
import { t } from "./texts.js";

const FIRST = 5;

export const attention = () => ask("/crm/api/hosting/attention");

/** The list, its beginning unless the address asks for all of it. */
export function showAttention({ data: worst, customers }) {
  const draw = () => {
    const shown = said("worst") ? worst : worst.slice(0, FIRST);
    $("worst").replaceChildren(...shown.map(drawn));
    $("all-worst").textContent = said("worst") ? t("fewer") : t("all_worst", { count: joined(count(worst.length)) });
    $("all-worst").ariaExpanded = String(Boolean(said("worst")));
  };
  $("attention-count").textContent = customers ? t("customers_affected", { count: joined(count(customers)) }) : "";
  $("all-worst").hidden = worst.length <= FIRST;
  $("all-worst").onclick = () => {
    say({ worst: said("worst") ? "" : "all" }, false);
    draw();
  };
  draw();
  if (!worst.length) $("worst").replaceChildren(element("li", {}, empty(t("nothing_worse"))));
}

function drawn({ customer_id: id, name, kind, since, before, after, severity }) {
  const figures = kind === "offline_share" ? percent : hashrate;
  const told = { before: joined(figures(before)), after: joined(figures(after)) };
  const lost = severity ? [`−${joined(percent(severity))}`] : [];
  const isShare = kind === "offline_share";
  return element("li", { "data-kind": kind, "data-customer": id },
    element("span.dot.offline", {}, element("a", { href: within(`/crm/hosting/customer/${id}`) }, name)),
    element("span.what", {}, t(kind, told)),
    element("span.muted.since", {}, t("since", { day: day(since) })),
    element("strong.bad", {}, ...(isShare ? [joined(percent(severity))] : lost)));
}
