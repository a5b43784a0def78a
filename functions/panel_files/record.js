// The CRM's record of the customer: what it says, what a sync would change, and the button that does it.

import { ask, customerPath } from "./api.js";
import { $, element } from "./dom.js";
import { btc, count, megawatt, moment, NONE, usd } from "./format.js";
import { busily } from "./parts.js";
import { figure } from "./table.js";
import { t } from "./texts.js";
import "./texts_fields.js";

/** What a sync writes, and how it is shown. */
export const FIELDS = {
  miners_count: count,
  mining_capacity: megawatt,
  primary_miner_model: (name) => (name ? [name] : NONE),
  hosting_estimated_daily_btc: btc,
  hosting_estimated_daily_usd: usd,
  hosting_net_profit_daily: usd,
};

/** Show the record and what the dry run says of it; `customer` is the overview's row of it. */
export async function showRecord(customer) {
  const synced = customer.synced_at ? t("changed_at", { when: moment(customer.synced_at).text }) : t("never_synced");
  const say = (text = "") => { $("record-state").textContent = `${synced} ${text}`; };
  const found = customer.findings.map((kind) => element("li.bad", t(kind)));
  $("findings").replaceChildren(...found, found.length ? element("li", t("mend")) : "");
  compare(customer, {});
  say();
  try {
    const { data: changes } = await ask(`${customerPath(customer.id)}/sync-hosting?dry_run=true`, "POST");
    const changed = Object.keys(changes).length;
    compare(customer, changes);
    say(changed ? t("would_change", { count: changed }) : t("up_to_date"));
    $("sync").classList.toggle("primary", changed);
    $("sync").disabled = false;
  } catch (error) {
    if (error.status !== 403) throw error;
    say(t("view_only"));
  }
}

/** What the button does: sync, then `refresh` what is shown. */
export function prepareSync(customerId, refresh) {
  $("sync").onclick = () => busily($("sync"), async () => {
    const result = $("sync-result");
    try {
      const { message } = await ask(`${customerPath(customerId)}/sync-hosting`, "POST");
      await refresh();
      result.className = "good";
      result.textContent = message;
    } catch (error) {
      result.className = "bad";
      result.textContent = error.message;
    }
  });
}

function compare(customer, changes) {
  $("fields").replaceChildren(...Object.entries(FIELDS).map(([field, format]) => {
    const { before, after } = changes[field] ?? { before: customer[field] ?? customer[field.replace("hosting_", "")] };
    return element("tr", { role: "row", class: changes[field] && "changed", "data-field": field },
      element("th", { role: "rowheader" }, t(field)),
      element("td", { role: "cell" }, figure(before, format)),
      element("td", { role: "cell" }, changes[field] && figure(after, format)));
  }));
}
