// What a page shows is in its address: that can be shared, kept and gone back from.

const ALONG = ["lang", "theme"]; // from page to page

const query = () => new URLSearchParams(location.search);

/** What the address says by that name; "" for nothing. */
export const said = (name) => query().get(name) ?? "";

/** Have it say {name: value}, and no more where the value is nothing: a step to go back from, unless it is none. */
export function say(changes, isStep = true) {
  const search = query();
  for (const [name, value] of Object.entries(changes)) {
    if (value || value === 0) search.set(name, value);
    else search.delete(name);
  }
  if (`${search}` === `${query()}`) return;
  history[isStep ? "pushState" : "replaceState"](null, "", `${location.pathname}${search.size ? `?${search}` : ""}`);
}

/** Show anew what the address says when the browser's buttons have changed it. */
export const whenMoved = (show) => addEventListener("popstate", () => show());

/** The address of another page of the panel, with what it shall say. */
export function within(path, says) {
  const search = new URLSearchParams(says || {});
  for (const name of ALONG) if (said(name)) search.set(name, said(name));
  return path + (search.size ? `?${search}` : "");
}

/** This page in another language. */
export function translated(language) {
  const search = query();
  search.set("lang", language);
  return `?${search}`;
}
