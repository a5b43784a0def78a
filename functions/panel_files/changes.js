// What a run would change, before it does: every customer with each field before and after, page by page.

import { said, say, whenMoved } from "./address.js";
import { ask, newest } from "./api.js";
import { BATCH } from "./batch.js";
import { $, element } from "./dom.js";
import { joined, number } from "./format.js";
import { fail } from "./page.js";
import { busily, customerLink, part } from "./parts.js";
import { FIELDS } from "./record.js";
import { cell, figure, headers, row } from "./table.js";
import { t } from "./texts.js";
import "./texts_fields.js";

const CUSTOMER = { key: "customer" };
const COLUMNS = Object.keys(FIELDS).map((key) => ({ key, numeric: key !== "primary_miner_model" }));

const asked = newest((after) => ask(`${BATCH}?dry_run=true${after}`, "POST"));
let next = null;

/** What the button does; and the address, which remembers that it was pressed. */
export function prepareChanges() {
  $("change-columns").append(...headers([CUSTOMER, ...COLUMNS]));
  $("preview").onclick = () => busily($("preview"), async () => {
    say({ preview: 1 });
    await show();
    if (said("preview")) $("changes").focus();
  });
  $("close").onclick = () => {
    say({ preview: "" });
    show();
    $("preview").focus();
  };
  $("more-changes").onclick = () => busily($("more-changes"), () => part("changes", () => load(`&after=${next}`)).catch(fail));
  whenMoved(show);
  show();
}

async function show() {
  $("changes").hidden = !said("preview");
  if ($("changes").hidden) return;
  $("would").textContent = t("looking");
  $("changed").replaceChildren();
  await part("changes", () => load("")).catch(fail);
}

async function load(after) {
  const page = await asked(after).catch((error) => {
    if (error.status !== 403) throw error;
    $("would").textContent = error.message; // who may view may not preview: the page is theirs all the same
  });
  if (!page) return;
  const { changed, total, changes, remaining } = page.data;
  next = page.next;
  if (!after) {
    const told = { changed: number(changed), total: number(total) };
    $("would").textContent = joined([t("would_sync", told), remaining && t("not_looked_at", { count: number(remaining) })]);
  }
  $("changed").append(...changes.map(drawn));
  const shown = $("changed").children.length;
  $("changes-shown").textContent = shown ? t("customers_shown", { count: number(shown) }) : "";
  $("changes").querySelector("table").hidden = !shown;
  $("more-changes").hidden = next == null;
}

function drawn({ customer_id: id, name, changes }) {
  const link = customerLink(id, name);
  return row(cell(CUSTOMER, link), ...COLUMNS.map((column) => {
    const change = changes[column.key];
    const shown = (exact) => figure(exact, FIELDS[column.key]);
    return change ? cell(column, shown(change.after), element("s", shown(change.before))) : cell(column, "");
  }));
}
