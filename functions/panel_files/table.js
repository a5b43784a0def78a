// What the tables share: headers that sort, cells that name their column where the table is shown as cards.

import { element, value } from "./dom.js";
import { t } from "./texts.js";

/** Headers of columns {key, numeric}; with `sort(key)` each is a button that sorts. */
export function headers(columns, sort) {
  return columns.map(({ key, numeric }) =>
    element("th", { class: numeric && "numeric", role: "columnheader", "data-key": key },
      sort ? element("button", { type: "button", onclick: () => sort(key) }, t(key)) : t(key)));
}

/** Say in the headers by which column the rows are sorted. */
export function mark(headerRow, key, isDescending) {
  for (const header of headerRow.children) {
    header.removeAttribute("aria-sort");
    if (header.dataset.key === key) header.ariaSort = isDescending ? "descending" : "ascending";
  }
}

/** A cell with a main line and a lesser one below it. */
export function cell({ key, numeric }, main, lesser) {
  return element("td", { role: "cell", class: numeric && "numeric", "data-key": key, "data-label": t(key) },
    element("span.main", {}, main),
    lesser && element("span.lesser", {}, lesser));
}

export const row = (...cells) => element("tr", { role: "row" }, ...cells);

export const figure = (exact, format, title) => value(element("data"), exact, format, title);
