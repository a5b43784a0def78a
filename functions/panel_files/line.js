// A line over days, by hand: a range lies over it, so that mouse, finger and arrow keys read it, and a screen reader too.

import { element, shape } from "./dom.js";
import { day, joined, NONE } from "./format.js";
import { t } from "./texts.js";

/**
 * The line of `points` [{day, value, carried}], oldest first, into the node. `name` is what it shows, `format` gives
 * [number, unit]. A value that is null is a gap. `isLarge` has room for the highest and the lowest figure.
 */
export function line(node, { name, points, format, isLarge = false }) {
  const known = points.filter(({ value }) => value != null);
  if (known.length < 2) {
    node.replaceChildren(element("p.muted", t("line_later")));
    return;
  }
  const values = known.map(({ value }) => value);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const room = (highest - lowest || Math.abs(highest) || 1) * 0.12;
  const x = (index) => (100 * index) / (points.length - 1);
  const y = (value) => 100 - (100 * (value - lowest + room)) / (highest - lowest + 2 * room);
  const says = (point) => `${day(point.day)}: ${joined(point.value == null ? NONE : format(point.value))}`;

  const path = drawn(points, x, y);
  const zero = lowest < 0 && highest > 0 && shape("line.zero", { x1: 0, x2: 100, y1: y(0), y2: y(0) });
  const cursor = shape("line.cursor", { y1: "0", y2: "100%" });
  const dot = shape("circle", { r: 4 });
  const reads = element("span.reads", { "aria-hidden": "true" });
  const range = element("input", { type: "range", min: "0", max: points.length - 1, "aria-label": `${name}, ${t("by_day")}` });

  const point = (index) => {
    const at = points[index];
    range.value = index;
    range.setAttribute("aria-valuetext", says(at) + (at.carried ? `, ${t("carried")}` : ""));
    reads.textContent = range.getAttribute("aria-valuetext");
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, `${x(index)}%`);
    dot.setAttribute("cx", `${x(index)}%`);
    dot.setAttribute("cy", `${at.value == null ? -50 : y(at.value)}%`);
  };
  point(points.length - 1);
  range.oninput = () => point(Number(range.value));
  range.onpointermove = ({ clientX }) => {
    const { left, width } = range.getBoundingClientRect();
    point(Math.round(Math.min(Math.max((clientX - left) / width, 0), 1) * (points.length - 1)));
  };
  range.onpointerleave = () => point(points.length - 1);

  const told = { lowest: joined(format(lowest)), highest: joined(format(highest)) };
  node.classList.add("line");
  node.classList.toggle("large", isLarge);
  node.replaceChildren(
    element("p.unseen", t("line_told", { name, ...told, first: day(points[0].day), last: day(points.at(-1).day) })),
    element("div.plot",
      shape("svg", { "aria-hidden": "true" },
        shape("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", width: "100%", height: "100%" }, zero, ...path),
        cursor, dot),
      range,
      isLarge && element("span.highest", { "aria-hidden": "true" }, told.highest),
      isLarge && element("span.lowest", { "aria-hidden": "true" }, told.lowest)),
    element("p.days", element("span.first", { "aria-hidden": "true" }, day(points[0].day)), reads),
  );
}

/** The strokes between the gaps, and the area below them. */
function drawn(points, x, y) {
  const strokes = [[]];
  points.forEach(({ value }, index) => {
    if (value == null) strokes.push([]);
    else strokes.at(-1).push([x(index), y(value)]);
  });
  return strokes.filter((stroke) => stroke.length).flatMap((stroke) => {
    if (stroke.length === 1) stroke.push([stroke[0][0] + 0.3, stroke[0][1]]);
    const along = stroke.map((place) => place.map((one) => one.toFixed(2)).join(" ")).join("L");
    return [
      shape("path.area", { d: `M${along}L${stroke.at(-1)[0]} 100L${stroke[0][0]} 100Z` }),
      shape("path.stroke", { d: `M${along}` }),
    ];
  });
}
