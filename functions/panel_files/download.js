// A list as CSV: the API gives it page by page, the reader gets one file.

import { answer } from "./api.js";
import { element } from "./dom.js";
import { busily } from "./parts.js";

/** A button that saves the whole list of that path (a string, or what gives it when it is pressed) under that name. */
export function csv(path, name) {
  const button = element("button.quiet", "CSV");
  const why = element("span.bad", { role: "alert" });
  button.onclick = () => busily(button, async () => {
    why.remove();
    try {
      save(await whole(typeof path === "string" ? path : path()), name);
    } catch (error) {
      why.textContent = error.message;
      button.after(why);
    }
  });
  return button;
}

async function whole(path) {
  const parts = [];
  let next = path + (path.includes("?") ? "&" : "?") + "format=csv";
  while (next) {
    const response = await answer(next);
    const rows = await response.text();
    parts.push(parts.length ? rows.slice(rows.indexOf("\n") + 1) : rows);
    next = /<([^>]+)>;\s*rel=.?next/.exec(response.headers.get("link") ?? "")?.[1];
  }
  return parts;
}

function save(parts, name) {
  // The text lost its byte order mark on the way; a spreadsheet wants it.
  const href = URL.createObjectURL(new Blob(["\ufeff", ...parts], { type: "text/csv" }));
  element("a", { href, download: `${name}.csv` }).click();
  URL.revokeObjectURL(href);
}
