// What is where in the fleet: machines by model or site, and what part of the hashrate and power is theirs.

import { bar } from "./charts.js";
import { element, value } from "./dom.js";
import { count, efficiency, joined, percent } from "./format.js";
import { figure } from "./table.js";
import { t } from "./texts.js";

const SHOWN = 8;

/** Into the list: each name of `figures`, as the API has them by name; the last ones together as `others(count)`. */
export function shares(node, figures, { total_hashrate: hashrate, total_power: power }, others, withPower) {
  const listed = Object.entries(figures).map(([name, of]) => ({ name, ...of }));
  const rest = listed.splice(listed.length > SHOWN ? SHOWN - 1 : SHOWN);
  const total = (of) => rest.reduce((sofar, one) => sofar + one[of], 0);
  if (rest.length) listed.push({ name: others(rest.length), count: total("count"), hashrate: total("hashrate"), power: total("power") });
  const measure = (kind, part, label) => element("div.measure",
    bar([{ kind, share: part }]), figure(100 * part, percent, t(label)));
  const none = element("li.muted", t("no_machines"));
  node.replaceChildren(...(listed.length ? [] : [none]), ...listed.map((one) => element("li", { "data-name": one.name },
    element("span", one.name,
      element("span.muted", joined(efficiency(one.hashrate && one.power / one.hashrate)))),
    value(element("data"), one.count, (machines) => [...count(machines), t("machines")]),
    measure("hash", one.hashrate / (hashrate || 1), "hashrate_share"),
    withPower && measure("watt", one.power / (power || 1), "power_share"))));
}

/** Sites by the names that people know; the API has names of its own for machines without one, and for the rest. */
export const named = (sites) => Object.fromEntries(Object.entries(sites).map(([name, of]) => [
  { __none__: t("no_site"), __other__: t("other_sites") }[name] ?? name.replace(/^___/, "__"), of,
]));
