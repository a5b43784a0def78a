// What needs attention, worst first, each a click from the customer.

import { said, say } from "./address.js";
import { $, element } from "./dom.js";
import { change, day, hashrate, joined, number, percent } from "./format.js";
import { customerLink, empty } from "./parts.js";
import { t } from "./texts.js";

const FIRST = 5;

/** The list, its beginning unless the address asks for all of it. */
export function showAttention({ data: worst }) {
  const draw = () => {
    const isWhole = said("worst") === "all";
    $("worst").replaceChildren(...(isWhole ? worst : worst.slice(0, FIRST)).map(drawn));
    $("all-worst").textContent = isWhole ? t("fewer") : t("all_worst", { count: number(worst.length) });
  };
  $("all-worst").hidden = worst.length <= FIRST;
  $("all-worst").onclick = () => {
    say({ worst: said("worst") ? "" : "all" }, false);
    draw();
  };
  draw();
  if (!worst.length) $("worst").append(element("li", empty(t("nothing_worse"))));
}

function drawn({ customer_id: id, name, kind, since, before, after, severity }) {
  const isShare = kind === "offline_share";
  const told = (figure) => joined((isShare ? percent : hashrate)(figure));
  return element("li", { "data-customer": id },
    element("span.dot.offline", customerLink(id, name)),
    element("span.what", t(kind, { before: told(before), after: told(after) })),
    element("span.muted.since", t("since", { day: day(since) })),
    element("strong.bad", severity ? joined(isShare ? percent(severity) : change(-severity)) : ""));
}
