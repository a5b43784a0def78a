// Numbers as a miner writes them, in the page's language. Each gives [number, unit].

import { language, t } from "./texts.js";

export const locale = language === "zh" ? "zh-CN" : "en-US";
export const NONE = ["–"];

const fixed = (digits) => new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const [whole, one, two, three, eight] = [0, 1, 2, 3, 8].map(fixed);
const open = new Intl.NumberFormat(locale, { maximumFractionDigits: 8 });
const dollars = new Intl.NumberFormat(locale, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
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
export const usd = known((figure) => [dollars.format(figure)]);
export const tariff = (figure) => [`$${open.format(figure)}/kWh`];
export const btc = known((figure) => [`₿${eight.format(figure)}`]);
export const percent = known((figure) => [one.format(figure), "%"]);
export const exactly = known((figure) => [open.format(figure)]);

export const joined = (parts) => parts.filter(Boolean).join(" ");

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
