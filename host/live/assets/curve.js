// SPDX-License-Identifier: Apache-2.0
// The answer of a model of one number, on the curve of all its 256 golden answers.
import { svg } from "./controls.js";

const [left, top, width, height] = [74, 14, 550, 356];
const part = (id) => document.getElementById(id);
let range = null;

const px = (x) => left + width * (x - range.x[0]) / (range.x[1] - range.x[0]);
const py = (y) => top + height * (1 - (y - range.y[0]) / (range.y[1] - range.y[0]));
const padded = (values, share) => {
  const low = Math.min(...values), high = Math.max(...values), room = (high - low) * share || 1;
  return [low - room, high + room];
};
const ticks = ([low, high]) => {
  const raw = (high - low) / 6, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= raw), found = [];
  for (let k = Math.ceil(low / step); k <= high / step; k++) found.push(+(k * step).toPrecision(12));
  return found;
};
const add = (...element) => part("axes").append(svg(...element));

export const drawAxes = ({ points, line }) => {
  range = { x: padded(points.map(([x]) => x), 0.1), y: padded(points.map(([, y]) => y), 0.1) };
  part("axes").replaceChildren();
  for (const x of ticks(range.x)) {
    add("line", { class: x === 0 ? "zero" : "grid", x1: px(x), x2: px(x), y1: top, y2: top + height });
    add("text", { x: px(x), y: top + height + 20, "text-anchor": "middle" }, String(x).replace("-", "−"));
  }
  for (const y of ticks(range.y)) {
    add("line", { class: y === 0 ? "zero" : "grid", x1: left, x2: left + width, y1: py(y), y2: py(y) });
    add("text", { x: left - 8, y: py(y) + 4, "text-anchor": "end" }, String(y).replace("-", "−"));
  }
  part("points").setAttribute("d", points.map(([x, y]) => `M${px(x) - 2} ${py(y)}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`).join(""));
  part("line").setAttribute("points", line ? range.x.map((x) => `${px(x)},${py(line.w * x + line.b)}`).join(" ") : "");
};

export const moveDot = ({ inputs }, { x, y: [y] }) => {
  if (y === null) return;
  const at = px(x[0] ?? inputs[0].low);
  part("dot").setAttribute("cx", at);
  part("dot").setAttribute("cy", py(y));
  part("cross").setAttribute("d", `M${at} ${top + height}V${py(y)}H${left}`);
};
