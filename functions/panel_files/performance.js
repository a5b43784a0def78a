// How the machines do, where the hosting module's collector says: elsewhere the API knows nothing, and nothing shows.

import { ask, customerPath } from "./api.js";
import { bar } from "./charts.js";
import { $, element, time } from "./dom.js";
import { count, energy, hashrate, joined, moment, number, percent, temperature } from "./format.js";
import { line } from "./line.js";
import { part } from "./parts.js";
import { figure } from "./table.js";
import { t } from "./texts.js";

const WORST = 5;

/** Fill the part, and show it if there is anything to show. */
export const showPerformance = (customerId) => part("performance", async () => {
  const { data } = await ask(`${customerPath(customerId)}/hosting-performance`).catch((error) => {
    if (error.status !== 404) {
      $("performance").hidden = false; // to say so
      throw error;
    }
    return {};
  });
  $("performance").hidden = !data?.miners_count;
  if (data?.miners_count) draw(data);
});

function draw({ as_of: at, hashrate: hash, temperature: heat, reject_rate: rejects, silent, last_30_days: past, by_model: models }) {
  const fact = (name, exact, format, more) => element("div",
    element("dt", t(name)), element("dd", figure(exact, format)), element("dd.lesser", more));
  const of = (part, whole, format) => `${joined(format(part))} / ${joined(format(whole))}`;
  const highest = ({ highest: exact }, format) => t("highest", { figure: joined(format(exact)) });
  const column = (title, ...content) => element("div", element("h3", title), ...content);
  const item = (name, lesser, main) => element("li", element("span", name, element("span.lesser", lesser)), main);
  const worst = (name, total, machines, says) => total > 0 && column(`${t(name)} · ${number(total)}`,
    element("ul.ranked", ...machines.slice(0, WORST).map((one) =>
      item(one.name, [one.model, one.location, one.rack_position].filter(Boolean).join(" · "), says(one)))));
  const points = past?.days.map((one) => ({ day: one.day, value: one.uptime_percent })) ?? [];
  const uptime = element("div");

  $("performance").replaceChildren(
    element("div.head", element("h2", t("performance")), time(element("time.muted"), moment(at))),
    element("dl.facts",
      fact("of_reference", hash.percent, percent, of(hash.actual, hash.reference, hashrate)),
      fact("temperature", heat.average, temperature, highest(heat, temperature)),
      fact("rejects", rejects.average, percent, highest(rejects, percent)),
      fact("silent", silent.watched ? silent.count : null, count, of(silent.count, silent.watched, count)),
      fact("uptime", past?.uptime_percent, percent, joined(energy(past?.energy_kwh)))),
    element("div.three",
      column(t("of_reference"), element("ul.bars", ...models.filter((model) => model.percent != null).map((model) => element("li",
        element("span", model.model), element("span.muted", joined([...count(model.active_miners), t("machines")])),
        element("div.measure", bar([{ kind: model.low ? "loss" : "hash", share: Math.min(model.percent / 100, 1) }]), figure(model.percent, percent)))))),
      worst("low", hash.low, hash.lowest, (one) => figure(one.percent, percent)),
      worst("silent_longest", silent.count, silent.longest, (one) => time(element("time"), moment(one.since))),
      points.length > 1 && column(t("uptime"), uptime)));
  if (points.length > 1) line(uptime, { name: t("uptime"), points, format: percent });
}
