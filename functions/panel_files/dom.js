// Elements, made and filled. Whatever comes from data is set as text: nothing here takes HTML.

export const $ = (id) => document.getElementById(id);

/** An element of a name and its classes, as in "p.muted"; {attributes}, if any; children, but for those that are nothing. */
export const element = (name, ...rest) => build("http://www.w3.org/1999/xhtml", name, ...rest);

export const shape = (name, ...rest) => build("http://www.w3.org/2000/svg", name, ...rest);

/** A <data> with the exact figure in `value` and [number, unit] as its text, the unit smaller. */
export function value(node, exact, format, title = "") {
  const [number, unit] = format(exact);
  node.value = exact ?? "";
  node.title = title;
  node.replaceChildren(number, ...(unit ? [" ", element("small", unit)] : []));
  return node;
}

/** A <time> that shows a moment as `moment()` gives it. */
export function time(node, { iso, full, text }) {
  node.dateTime = iso;
  node.title = full;
  node.textContent = text;
  return node;
}

function build(space, name, ...children) {
  const attributes = children[0]?.constructor === Object ? children.shift() : {};
  const [tag, ...classes] = name.split(".");
  const node = document.createElementNS(space, tag);
  node.classList.add(...classes);
  for (const [name, content] of Object.entries(attributes)) {
    if (name.startsWith("on")) node[name] = content;
    else if (content) node.setAttribute(name, content);
  }
  node.append(...children.filter(Boolean));
  return node;
}
