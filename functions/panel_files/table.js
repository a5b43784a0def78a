// What the tables share: headers that sort, cells that name their column where the table is shown as cards.

import { said } from "./address.js";
import { element, value } from "./dom.js";
import { locale } from "./format.js";
import { t } from "./texts.js";

/** Headers of columns {key, numeric}; with `sort(key)` each is a button that sorts. */
export function headers(columns, sort) {
  return columns.map(({ key, numeric }) =>
    element("th", { class: numeric && "numeric", role: "columnheader", "data-key": key },
      sort ? element("button", { onclick: () => sort(key) }, t(key)) : t(key)));
}

const byText = new Intl.Collator(locale, { numeric: true }).compare;

/** By which column the address says that rows are sorted: "power" upwards, "-power" downwards. */
function order() {
  const sort = said("sort");
  return { key: sort.replace(/^-/, ""), isDescending: sort.startsWith("-") };
}

/** What a click on that column's header makes of it: up, down, and back; figures begin with the largest. */
export function sorted(columns, clicked) {
  const { key, isDescending } = order();
  const isNumber = columns.find((column) => column.key === clicked).numeric ?? false;
  const [first, second] = isNumber ? [`-${clicked}`, clicked] : [clicked, `-${clicked}`];
  if (key !== clicked) return first;
  return isDescending === isNumber ? second : "";
}

/** Sort rows by what the address says, in place; a column's `of` is the name of a row's figure or text. */
export function arrange(rows, columns) {
  const { key, isDescending } = order();
  const { of, numeric } = columns.find((column) => column.key === key) ?? {};
  if (of) rows.sort(numeric ? (a, b) => a[of] - b[of] : (a, b) => byText(a[of], b[of]));
  if (of && isDescending) rows.reverse();
  return rows;
}

/** Say in the headers by which column the rows are sorted. */
export function mark(headerRow) {
  const { key, isDescending } = order();
  for (const header of headerRow.children) {
    header.removeAttribute("aria-sort");
    if (header.dataset.key === key) header.ariaSort = isDescending ? "descending" : "ascending";
  }
}

/** A cell with a main line and a lesser one below it. */
export function cell({ key, numeric }, main, lesser) {
  return element("td", { role: "cell", class: numeric && "numeric", "data-key": key, "data-label": t(key) },
    element("span.main", main),
    lesser && element("span.lesser", lesser));
}

export const row = (...cells) => element("tr", { role: "row" }, ...cells);

export const figure = (exact, format, title) => value(element("data"), exact, format, title);
