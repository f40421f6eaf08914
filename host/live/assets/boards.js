// SPDX-License-Identifier: Apache-2.0
// What each board answers: a card with its state, its outputs, its time, and whether it keeps to the reference.
import { make, shown, svg } from "./controls.js";

const UNITS = { insn: "instructions", cycle: "cycles", us: "µs" };
const MOST_BARS = 40, MOST_LINES = 4, LATE_MS = 2000;
const ROLES = ["model", "error", "target", "warm"];

const lines = (words) => svg("svg", { viewBox: "0 0 320 90", preserveAspectRatio: "none", role: "img", class: "lines", "aria-label": words });
const polyline = (values, low, high, last) => values
  .map((value, k) => `${(320 * k / Math.max(1, last)).toFixed(1)},${(86 - 82 * (value - low) / (high - low || 1)).toFixed(1)}`).join(" ");

// One output: a number, a bar for each class, or a curve.
const outputView = (output, id) => {
  const share = (value) => `${(100 * (value - output.low) / (output.high - output.low)).toFixed(1)}%`;
  if (output.elements === 1) {
    const number = make("span", { id }, "…"), fill = make("i");
    const name = make("span", { class: "muted" }, `${output.title} = `);
    return {
      element: make("div", {}, make("p", { class: "big" }, name, number), make("span", { class: "track", "aria-hidden": "true" }, fill)),
      show: ([value]) => { number.textContent = value === null ? "not a number" : shown(value); fill.style.width = share(value ?? output.low); },
    };
  }
  if (output.elements <= MOST_BARS) {
    const rows = Array.from({ length: output.elements }, (_, k) => {
      const fill = make("i"), number = make("span", { class: "number" }, "…");
      const name = make("span", { class: "name" }, output.classes[k] ?? String(k));
      return { row: make("li", {}, name, make("span", { class: "track", "aria-hidden": "true" }, fill), number), fill, number };
    });
    return {
      element: make("ol", { class: "bars", id, "aria-label": output.title }, ...rows.map(({ row }) => row)),
      show: (values) => {
        const most = Math.max(...values.filter((value) => value !== null));
        rows.forEach(({ row, fill, number }, k) => {
          fill.style.width = share(values[k] ?? output.low);
          number.textContent = values[k] === null ? "not a number" : shown(values[k], 3);
          row.classList.toggle("most", values[k] === most);
        });
      },
    };
  }
  const drawing = lines(`${output.title}, ${output.elements} values`), line = svg("polyline", { class: "line model" });
  drawing.id = id;
  drawing.append(line);
  return { element: drawing, show: (values) => line.setAttribute("points", polyline(values, output.low, output.high, values.length - 1)) };
};

// What the outputs were, frame by frame.
const historyView = (output) => {
  const drawing = lines(`${output.title}, frame by frame`);
  const count = Math.min(output.elements, MOST_LINES), past = Array.from({ length: count }, () => []);
  const drawn = past.map((_, k) => svg("polyline", { class: `line ${ROLES[k]}` }));
  drawing.append(...drawn);
  return {
    element: make("figure", { class: "history" }, drawing, make("figcaption", { class: "muted" }, "frame by frame")),
    show: (values, frame, frames) => {
      past.forEach((values_, k) => {
        values_.length = Math.min(values_.length, frame);
        values_[frame] = values[k] ?? output.low;
        drawn[k].setAttribute("points", polyline(Array.from(values_, (value) => value ?? output.low), output.low, output.high, frames - 1));
      });
    },
  };
};

export const makeBoard = (place, name, hello, changed) => {
  const single = hello.points.length > 0;
  const part = (key, ...children) => make("span", { id: `${key}-${place}` }, ...children);
  const words = part("status", "connecting"), verdict = make("p", { class: "verdict", id: `verdict-${place}` }, "waiting for the first answer");
  const status = make("p", { class: "status", role: "status" }, make("span", { class: "dot", "aria-hidden": "true" }), words);
  const views = hello.outputs.map((output, k) => outputView(output, `output-${place}-${k}`));
  const histories = hello.stateful ? [historyView(hello.outputs[0])] : [];
  const details = single ? { x_q: "x as int8", q: "answer as int8", q_bits: "its eight bits", y_bits: "y as IEEE-754 bits" } : {};
  const facts = { ...details, ...(hello.stateful ? { frame: "frame" } : {}), ticks: "one inference", rate: "round trips per second" };
  const list = make("dl", {}, ...Object.entries(facts).map(([key, title]) =>
    make("div", {}, make("dt", {}, title), make("dd", { id: `${key}-${place}`, class: key.endsWith("bits") ? "code" : "" }, "…"))));
  const element = make("article", { class: "board", id: `board-${place}` }, make("h2", {}, name), status,
    ...views.map((view) => view.element), ...histories.map((view) => view.element), verdict, list);
  const say = (key, text) => { const found = element.querySelector(`#${key}-${place}`); if (found) found.textContent = text; };
  const board = { element, name, connected: false, fault: "", answer: null };
  let heard = Date.now(), told = "connecting";

  const judge = (kind, text) => { verdict.className = `verdict ${kind}`; verdict.textContent = text; };
  board.state = (message) => {
    board.connected = message.connected;
    heard = Date.now();
    element.classList.toggle("lost", !message.connected);
    status.className = message.connected ? "status on" : "status off";
    told = message.connected ? `connected, engine ${message.engine}` : `disconnected, trying again: ${message.why}`;
    words.textContent = told;
    if (!message.connected) judge("bad", "No board answers. What is shown is its last answer.");
  };
  board.alive = () => { heard = Date.now(); words.textContent = told; };
  board.show = (message) => {
    board.alive();
    if (message.position === 0) board.fault = "";
    board.answer = message;
    let at = 0;
    hello.outputs.forEach((output, k) => { views[k].show(message.y.slice(at, at + output.elements)); at += output.elements; });
    histories.forEach((view) => view.show(message.y, message.position, message.end));
    say("frame", `${message.frame + 1} of ${message.frames}${message.position > message.frame ? `, ${message.position + 1} since the reset` : ""}`);
    say("ticks", `${message.ticks.toLocaleString("en")} ${UNITS[message.unit]}`);
    say("rate", Math.round(message.rate).toLocaleString("en"));
    if (single) {
      say("x_q", message.x_q[0]);
      say("q", message.q[0]);
      say("q_bits", (message.q[0] & 255).toString(2).padStart(8, "0"));
      say("y_bits", message.y_bits[0]);
    }
    if (!message.identical) {
      const k = Math.max(0, message.q.findIndex((value, i) => value !== message.expected[i]));
      const where = message.q.length > 1 ? ` at output ${k}` : "", frame = message.end > 1 ? ` of frame ${message.position + 1}` : "";
      board.fault ||= `${name} differs from the golden reference${where}${frame}: it answers ${message.q[k]}, the reference ${message.expected[k]}`;
    }
    if (message.different) board.fault ||= `${name} differed from the golden reference`;
    if (board.fault) judge("bad", message.end > 1 ? `${message.different} of ${message.position + 1} frames differ. ${board.fault}.` : `${board.fault}.`);
    else if (message.saturated) judge("warm", `Identical to the golden reference; the ${message.saturated === "input" ? "question" : "answer"} saturates.`);
    else judge("good", message.end > 1 ? `All ${message.position + 1} frames identical to the golden reference, bit for bit.` : "Identical to the golden reference, bit for bit.");
    element.classList.toggle("differs", board.fault !== "");
    changed();
  };
  // A board that neither answers nor is known to be gone.
  setInterval(() => {
    const silent = Date.now() - heard;
    if (board.connected && silent > LATE_MS) words.textContent = `no answer for ${Math.round(silent / 1000)} s`;
  }, 500);
  return board;
};
