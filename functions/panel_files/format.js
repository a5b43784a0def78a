// Figures as a miner writes them, in the reader's own manner and time zone. Each gives [number, unit].

import { language, t } from "./texts.js";

const usual = language === "zh" ? "zh-CN" : "en-US";
// Words are the page's language in the reader's variety of it; digits are the reader's, whatever the language.
export const locale = navigator.languages.find((one) => one.startsWith(language)) ?? usual;
const manner = /^(ar|fa|mr|ne|bn|my)\b/.test(navigator.language) ? usual : navigator.language; // Latin digits
export const NONE = ["–"];

const fixed = (digits) => new Intl.NumberFormat(manner, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const [whole, one, two, three, eight] = [0, 1, 2, 3, 8].map(fixed);
const open = new Intl.NumberFormat(manner, { maximumFractionDigits: 8 });
const money = (more) => new Intl.NumberFormat(manner, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", ...more });
const huge = { notation: "compact", maximumFractionDigits: 2 };
const from = (steps) => known((figure) => [(steps.findLast(([least]) => Math.abs(figure) >= least) ?? steps[0])[1].format(figure)]);
const at = { hour: "numeric", minute: "2-digit" };
const full = new Intl.DateTimeFormat(locale, { year: "numeric", month: "short", day: "numeric", ...at, timeZoneName: "short" });
const clock = new Intl.DateTimeFormat(locale, at);
const date = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", timeZone: "UTC" });
const ago = new Intl.RelativeTimeFormat(locale);

const AGES = [["second", 60], ["minute", 60], ["hour", 24], ["day", 365], ["year", Infinity]];

const known = (format) => (figure) => (figure == null ? NONE : format(figure));

const scaled = (units) => known((figure) => {
  let step = 0;
  while (Math.abs(figure) >= 1000 && step < units.length - 1) [figure, step] = [figure / 1000, step + 1];
  return [two.format(figure), units[step]];
});

export const count = known((figure) => [whole.format(figure)]);
export const hashrate = scaled(["TH/s", "PH/s", "EH/s"]);
export const power = scaled(["W", "kW", "MW", "GW"]);
export const megawatt = known((figure) => [three.format(figure), "MW"]);
export const efficiency = (figure) => (figure ? [two.format(figure), "J/TH"] : NONE);
export const difficulty = scaled(["", "K", "M", "G", "T", "P"]);
export const usd = from([[0, money()], [1e9, money(huge)]]);
const roughly = (sign) => from([[0, money(sign)], [1e3, money({ maximumFractionDigits: 0, ...sign })], [1e9, money({ ...huge, ...sign })]]);
/** Dollars at a glance: cents only where they say something. */
export const dollarsRoughly = roughly();
export const gained = roughly({ signDisplay: "exceptZero" });
const exact = money({ minimumFractionDigits: 0, maximumFractionDigits: 8 });
export const tariff = (figure) => [`${exact.format(figure)}/kWh`];
export const btc = known((figure) => [`₿${eight.format(figure)}`]);
export const percent = known((figure) => [one.format(figure), "%"]);
export const temperature = known((figure) => [one.format(figure), "°C"]);
export const energy = scaled(["kWh", "MWh", "GWh"]);
export const seconds = (figure) => t("seconds", { count: one.format(figure) });
export const exactly = known((figure) => [open.format(figure)]);

export const joined = (parts) => parts.filter(Boolean).join(" ");

/** A count as text. */
export const number = (figure) => joined(count(figure));

const signed = new Intl.NumberFormat(manner, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" });
export const change = known((figure) => [signed.format(figure), "%"]);
export const points = known((figure) => [signed.format(figure), t("points")]);

/** A day of the history, "2026-11-28": it is the deployment's calendar's, wherever the reader is. */
export const day = (iso) => date.format(new Date(`${iso}T00:00Z`));

/** The reader's wall clock at a moment, and the date where it is another day's. */
export function timeOfDay(iso) {
  const moment = new Date(iso);
  return moment.toDateString() === new Date().toDateString() ? clock.format(moment) : full.format(moment);
}

/** A moment as an age, with the full date for a tooltip; "never" for none. */
export function moment(iso) {
  if (!iso) return { iso: "", text: t("never"), full: "" };
  let age = (new Date(iso) - Date.now()) / 1000;
  let text = t("just_now");
  for (const [unit, size] of AGES) {
    if (unit !== "second") text = ago.format(Math.round(age), unit);
    if (Math.abs(age) < size) break;
    age /= size;
  }
  return { iso, text, full: full.format(new Date(iso)) };
}
