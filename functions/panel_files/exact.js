// The exact matches that wait for somebody's word, all at once: first a preview, then the button.

import { ask } from "./api.js";
import { $, element } from "./dom.js";
import { number } from "./format.js";
import { isolated } from "./link.js";
import { busily, empty } from "./parts.js";
import { t } from "./texts.js";

const PATH = "/crm/api/hosting/links/confirm";
const LEFT = ["ambiguous", "created_by_another", "claimed_twice"];

const counted = (figure) => ({ count: number(figure) });
const say = (...nodes) => $("found").replaceChildren(...nodes);

/** What the button does: a preview, whose own button confirms it and then has the list shown `again`. */
export function prepareExact(again) {
  const does = (button, work) => {
    button.onclick = () => busily(button, () => work().catch((error) =>
      say(empty(error.status === 403 ? t("exact_forbidden") : error.message))));
    return button;
  };
  does($("preview"), async () => {
    const { data } = await ask(`${PATH}?dry_run=true`, "POST");
    const confirm = element("button.primary", t("exact_confirm", counted(data.confirmed)));
    does(confirm, async () => {
      const { data: { remaining }, message } = await ask(PATH, "POST");
      say(element("p.good", message), remaining ? t("exact_more", counted(remaining)) : "");
      $("preview").focus();
      await again();
    });
    say(
      ...(data.confirmed ? [links(data), element("p.actions", confirm)] : [empty(t("exact_none"))]),
      element("ul.issues", ...LEFT.filter((kind) => data[kind]).map((kind) => element("li", t(`left_${kind}`, counted(data[kind]))))),
    );
  });
}

const links = ({ links: shown, confirmed }) => element("ol.plain", { tabindex: "0", "aria-label": t("exact_title") },
  ...shown.map((one) => element("li", t("exact_one", { ...one, who: isolated(one.name, one.customer_id) }))),
  confirmed > shown.length && element("li", "…"));
