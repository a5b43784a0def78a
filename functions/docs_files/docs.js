// Shows the document that lies beside the page, and asks its endpoints with the browser's session. Text is set as text.
"use strict";

let doc;

function make(name, attributes, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag);
  node.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) node[key] = value;
    else if (value != null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null && child !== ""));
  return node;
}

const paragraphs = (text) => (text ?? "").split(/\n\n+/).map((one) => make("p", {}, ...prose(one)));
const prose = (text) => text.split("`").map((part, number) => (number % 2 ? make("code", {}, part) : part));
const json = (value) => make("pre", { tabindex: 0 }, JSON.stringify(value, null, 2));
const named = (ref) => ref.split("/").slice(1).reduce((node, key) => node[key], doc);
const whole = (node) => (node?.$ref ? { ...named(node.$ref), ...node, $ref: undefined, is: node.$ref.split("/").pop() } : node ?? {});

/** A type in a few words: "integer 1–200", "active | offline", "list of Miner", "number or null". */
function kind(schema) {
  const { type, items, anyOf, enum: values, const: only, minimum, maximum, additionalProperties: more, is } = whole(schema);
  if (anyOf) return anyOf.map(kind).join(" or ");
  if (values) return values.map((one) => one || "(empty)").join(" | ");
  if (only !== undefined) return String(only);
  if (type === "array") return `list of ${kind(items)}`;
  if (type === "object" && typeof more === "object") return `object of ${kind(more)}`;
  const range = minimum ?? maximum;
  return (is ?? type ?? "anything") + (range == null ? "" : ` ${minimum ?? ""}–${maximum ?? ""}`);
}

/** The rows of a table of a schema's fields, those of its objects indented below them. */
function fields(schema, depth = 0, seen = []) {
  const node = whole(schema);
  if (seen.includes(node.is ?? node)) return [];
  const within = [...seen, node.is ?? node];
  const rows = Object.entries(node.properties ?? {}).flatMap(([name, one]) => {
    const cell = make("td", {}, make("code", {}, name));
    cell.style.setProperty("--depth", depth);
    const text = make("td", {}, ...prose(one.description ?? ""));
    return [make("tr", {}, cell, make("td", {}, kind(one)), text), ...fields(one, depth + 1, within)];
  });
  const inner = [...(node.anyOf ?? []), node.items, typeof node.additionalProperties === "object" && node.additionalProperties];
  return [...rows, ...inner.filter(Boolean).flatMap((one) => fields(one, depth, within))];
}

function answer(status, given) {
  const response = whole(given);
  const { schema, examples = {} } = Object.values(response.content ?? {})[0] ?? {};
  const rows = schema ? fields(schema) : [];
  return make("details", {},
    make("summary", {}, make("strong", {}, status), ` ${response.description}`),
    rows.length ? make("table.fields", {}, make("tbody", {}, ...rows)) : null,
    ...Object.entries(examples).flatMap(([name, { description, value }]) => [
      make("h3", {}, `Example: ${name}`), make("p.muted", {}, ...prose(description ?? "")), json(value)]));
}

function field({ name, in: place, required, description, schema: given }) {
  const schema = whole(given);
  const about = { name, "data-in": place, required: place === "path" || required };
  const choices = schema.enum ?? (schema.type === "boolean" ? ["false", "true"] : null);
  const input = choices
    ? make("select", about, make("option", { value: "\0" }, "—"), ...choices.map((one) => make("option", { value: one }, one || "(empty)")))
    : make("input", { ...about, autocomplete: "off", placeholder: schema.default ?? "" });
  return make("label", {}, make("span", {}, make("code", {}, name), make("span.muted", {}, ` ${kind(schema)} `), ...prose(description ?? "")), input);
}

function operation(path, method, { operationId, summary, description, parameters = [], responses, security }) {
  const writes = method !== "get";
  const result = make("div", { role: "status" });
  const button = make(`button${writes ? ".writes" : ""}`, {}, writes ? "Send: this writes" : "Ask");
  const form = make("form", {
    onsubmit: (event) => {
      event.preventDefault();
      send(path, method, form, button, result);
    },
  }, ...parameters.map(field), button);
  const name = make("code", {}, path);
  return make("details.operation", { id: operationId },
    make("summary", {}, make(`span.method.${method}`, {}, method.toUpperCase()), name, make("span.muted", {}, summary)),
    make("div", {}, ...paragraphs(description),
      security?.length ? null : make("p.muted", {}, "Open to everybody."),
      make("h2", {}, "Try it"), form, result,
      make("h2", {}, "Answers"), ...Object.entries(responses).map(([status, one]) => answer(status, one))));
}

async function send(path, method, form, button, result) {
  const query = new URLSearchParams();
  for (const { name, value, dataset, tagName } of form.elements) {
    if (dataset.in === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (dataset.in && value !== (tagName === "SELECT" ? "\0" : "")) query.set(name, value);
  }
  const url = path + (query.size ? `?${query}` : "");
  button.disabled = true;
  result.replaceChildren(make("p.muted", {}, `${url} …`));
  try {
    const began = performance.now();
    const response = await fetch(url, { method: method.toUpperCase(), cache: "no-store" });
    const text = await response.text();
    const took = Math.round(performance.now() - began);
    const body = /json/.test(response.headers.get("content-type")) ? json(JSON.parse(text)) : make("pre", { tabindex: 0 }, text);
    const line = `${response.status} ${url} · ${took} ms · ${text.length.toLocaleString("en")} characters`;
    result.replaceChildren(make(response.ok ? "p" : "p.bad", {}, line), body);
  } catch (error) {
    result.replaceChildren(make("p.bad", {}, `${url} · ${error.message}`));
  }
  button.disabled = false;
}

async function show(page) {
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
  doc = await response.json();
  const all = Object.entries(doc.paths).flatMap(([path, item]) => Object.entries(item).map(([method, one]) => operation(path, method, one)));
  const link = make("a", { href: "openapi.json" }, "openapi.json");
  page.replaceChildren(make("h1", {}, doc.info.title), ...paragraphs(doc.info.description), make("p", {}, link), ...all);
  const linked = document.getElementById(location.hash.slice(1));
  if (linked) linked.open = true;
  linked?.scrollIntoView();
  for (const one of page.querySelectorAll(".operation")) {
    one.ontoggle = () => one.open && history.replaceState(null, "", `#${one.id}`);
  }
}

const page = document.getElementById("page");
show(page)
  .catch((error) => page.replaceChildren(make("p.bad", {}, `The document cannot be shown: ${error.message}`)))
  .finally(() => page.setAttribute("aria-busy", "false"));
