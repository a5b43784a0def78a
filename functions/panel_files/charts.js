// The charts, drawn as SVG; each says what it shows to who does not see it.

import { $, element, shape } from "./dom.js";
import { count, number } from "./format.js";
import { figure } from "./table.js";

const RADIUS = 42;
const AROUND = 2 * Math.PI * RADIUS;

/** The ring of parts {kind, name, count} and its legend, where a part set `apart`, for that reason, stands alone. */
export function ring(parts) {
  const drawn = parts.filter((part) => part.count && !part.apart);
  const total = drawn.reduce((sum, part) => sum + part.count, 0);
  const gap = drawn.length > 1 ? 1.5 : 0;
  const circle = (more) => shape("circle", { cx: 50, cy: 50, r: RADIUS, ...more });
  let start = 0;
  const arcs = drawn.map(({ kind, count: size }) => {
    const length = (size / total) * AROUND;
    start += length;
    const dashes = { "stroke-dasharray": `${Math.max(length - gap, 0.8)} ${AROUND}`, "stroke-dashoffset": length - start };
    return circle({ class: kind, transform: "rotate(-90 50 50)", ...dashes });
  });
  const label = drawn.map((part) => `${part.name}: ${number(part.count)}`).join(", ");
  $("ring").querySelector("svg")?.remove();
  $("ring").prepend(shape("svg.chart", { viewBox: "0 0 100 100", role: "img", "aria-label": label || "0" }, circle(), ...arcs));
  $("legend").replaceChildren(...parts.map((part) => element("li", { "data-status": part.kind },
    element(`span.dot.${part.kind}`, part.name),
    figure(part.count, count),
    part.apart && element("span.muted", part.apart))));
}

/** A bar of parts {kind, share}, shares of 1; without a label the words beside it say the same. */
export function bar(parts, label) {
  let left = 0;
  const blocks = parts.map(({ kind, share }) => {
    left += share;
    return shape("rect", { class: kind, x: `${100 * (left - share)}%`, width: `${100 * share}%`, height: "100%" });
  });
  return shape("svg.bar", { role: label ? "img" : "presentation", "aria-label": label },
    shape("rect.track", { width: "100%", height: "100%" }), ...blocks);
}
