// The exact matches that wait for somebody's word, all at once: first a preview, then the button.

import { ask } from "./api.js";
import { $, element } from "./dom.js";
import { count, joined } from "./format.js";
import { busily, empty, failure } from "./parts.js";
import { row } from "./table.js";
import { t } from "./texts.js";

const PATH = "/crm/api/hosting/links/confirm";
const LEFT = ["ambiguous", "created_by_another", "claimed_twice"];

/** What the button does: a preview, whose own button confirms it and then has the list shown `again`. */
export function prepareExact(again) {
  const look = () => busily($("preview"), () => preview(again));
  $("preview").onclick = () => look().catch((error) => {
    $("found").replaceChildren(error.status === 403 ? empty(t("exact_forbidden")) : failure(error.message, $("preview").onclick));
  });
}

async function preview(again) {
  const { data } = await ask(`${PATH}?dry_run=true`, "POST");
  const left = LEFT.filter((kind) => data[kind]).map((kind) => element("li", {}, t(`left_${kind}`, { count: number(data[kind]) })));
  const confirm = element("button.primary", { type: "button" }, t("exact_confirm", { count: number(data.confirmed) }));
  const cancel = element("button", { type: "button", onclick: () => $("found").replaceChildren() }, t("cancel"));
  confirm.onclick = () => busily(confirm, () => confirmAll(again)).catch((error) => confirm.after(failure(error.message, confirm.onclick)));
  $("found").replaceChildren(...(data.confirmed
    ? [table(data.links), data.confirmed > data.links.length && element("p.muted", {}, t("exact_first", { count: number(data.links.length) })), element("p.actions", {}, confirm, cancel)]
    : [empty(t("exact_none"))]).filter(Boolean), element("ul.issues", {}, ...left));
}

async function confirmAll(again) {
  const { data, message } = await ask(PATH, "POST");
  $("found").replaceChildren(element("p.good", {}, message), data.remaining ? element("p.muted", {}, t("exact_more", { count: number(data.remaining) })) : "");
  await again();
}

const number = (figure) => joined(count(figure));

function table(links) {
  const cells = ({ customer_id: id, name, owner_id: owner, account_id: account }) => row(
    element("td", { role: "cell" }, `${name} #${id}`),
    element("td", { role: "cell" }, t("account", { id: owner })),
    element("td", { role: "cell" }, t("account", { id: account })));
  const head = ["customer", "owner", "account_name"].map((name) => element("th", { role: "columnheader" }, t(name)));
  return element("div.scroll", { tabindex: "0", role: "region", "aria-label": t("exact_title") },
    element("table.plain", { role: "table" }, element("thead", { role: "rowgroup" }, row(...head)), element("tbody", { role: "rowgroup" }, ...links.map(cells))));
}
