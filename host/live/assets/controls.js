// SPDX-License-Identifier: Apache-2.0
// One control for each input of the model: sliders, an image, a series drawn by hand, or values that come from elsewhere.
import { readSound } from "./sound.js";

const FIRST_FRAMES = 50; // of a model with state, before anything was drawn or loaded
const ROLES = ["model", "error", "target", "warm", "extra", "ink", "faint", "good"];
const SIZE = { width: 640, height: 220 };
let pens = 0;

const filled = (element, attributes, children) => {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};
export const make = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
export const svg = (name, attributes, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
export const shown = (value, digits = 4) => {
  const text = Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-4) ? value.toExponential(2) : value.toFixed(digits);
  return text.replace("-", "−");
};
const colour = (role) => getComputedStyle(document.documentElement).getPropertyValue(`--${role}`).trim();
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Up to eight numbers, each with a slider that reaches a little beyond what the model can hold.
const sliders = (input, place, changed) => {
  const room = (input.high - input.low) * 0.1;
  const parts = Array.from({ length: input.elements }, (_, i) => {
    const id = input.elements === 1 && place === 0 ? "x" : `x-${place}-${i}`;
    const range = make("input", { type: "range", id, min: input.low - room, max: input.high + room, step: "any" });
    range.value = clamp(0, input.low, input.high);
    const output = make("output", { for: id, id: `${id}-now` });
    const label = make("label", { for: id }, input.elements === 1 ? input.title : `${input.title} ${i}`);
    const show = () => { output.textContent = shown(+range.value, 3); };
    range.addEventListener("input", () => { show(); changed(); });
    return { row: make("div", { class: "ask" }, label, range, output), range, show };
  });
  const set = (values) => parts.forEach(({ range, show }, i) => { range.value = values[i]; show(); });
  parts.forEach(({ show }) => show());
  return { body: parts.map(({ row }) => row), values: () => parts.map(({ range }) => +range.value), set };
};

// A pen on a canvas: `mark(x, y, from)` gets shares of its width and height; arrow keys move a cursor, blank draws.
const pen = (canvas, cells, mark, draw) => {
  let last = null, cursor = [0.5, 0.5];
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width, 0, 0.9999), clamp((event.clientY - box.top) / box.height, 0, 0.9999)];
  };
  const go = (event) => { const to = at(event); mark(to, last ?? to); last = to; };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); last = null; go(event); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons && last) go(event); });
  canvas.addEventListener("pointerup", () => { last = null; });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step && event.key !== " ") return;
    event.preventDefault();
    if (step) cursor = cursor.map((value, i) => clamp(value + step[i] / cells[i], 0.5 / cells[i], 1 - 0.5 / cells[i]));
    else mark(cursor, cursor);
    draw(cursor);
  });
  canvas.addEventListener("blur", () => draw(null));
};
const canvasOf = (words) => make("canvas", {
  ...SIZE, class: "pad", id: `pad-${pens++}`, tabindex: "0", role: "img", "aria-label": `${words}; arrow keys move, the space bar draws`,
});

// A field of pixels; `place(row, column)` is where its first channel stands among the values.
const field = (input, data, rows, columns, place, changed) => {
  const canvas = canvasOf(`${input.title}, ${columns} by ${rows}, drawn by hand`);
  canvas.width = columns; canvas.height = rows;
  canvas.classList.add("pixels");
  canvas.style.aspectRatio = `${columns} / ${rows}`;
  canvas.style.maxWidth = `min(100%, ${Math.max(12, 20 * columns / rows)}rem)`;
  const context = canvas.getContext("2d");
  const draw = (cursor) => {
    const image = context.createImageData(columns, rows), [low, high] = [input.black, input.white];
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
      const from = place(row, column), to = 4 * (row * columns + column);
      for (let c = 0; c < 3; c++) image.data[to + c] = 255 * (data()[from + (input.channels === 3 ? c : 0)] - low) / (high - low);
      image.data[to + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    if (!cursor) return;
    context.fillStyle = colour("error");
    context.fillRect(Math.floor(cursor[0] * columns), Math.floor(cursor[1] * rows), 1, 1);
  };
  const radius = Math.max(0.7, Math.min(rows, columns) / 22);
  pen(canvas, [columns, rows], (to, from) => {
    const steps = Math.ceil(Math.hypot((to[0] - from[0]) * columns, (to[1] - from[1]) * rows)) || 1;
    for (let k = 1; k <= steps; k++) {
      const [x, y] = [0, 1].map((i) => (from[i] + (to[i] - from[i]) * k / steps) * [columns, rows][i]);
      for (let row = Math.max(0, Math.floor(y - radius)); row < Math.min(rows, y + radius); row++)
        for (let column = Math.max(0, Math.floor(x - radius)); column < Math.min(columns, x + radius); column++)
          if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius)
            for (let c = 0; c < input.channels; c++) data()[place(row, column) + c] = input.white;
    }
    draw(); changed();
  }, draw);
  return { canvas, draw };
};

// Signals over time; the pen draws the chosen one.
const series = (input, data, signals, changed) => {
  const canvas = canvasOf(`${input.title}, ${signals === 1 ? "a signal" : `${signals} signals`} over time, drawn by hand`);
  let chosen = 0;
  const context = canvas.getContext("2d"), points = () => data().length / signals;
  const height = (value) => SIZE.height * (1 - (value - input.low) / (input.high - input.low));
  const draw = (cursor) => {
    context.clearRect(0, 0, SIZE.width, SIZE.height);
    context.strokeStyle = colour("grid");
    context.lineWidth = 1;
    context.beginPath(); context.moveTo(0, height(0)); context.lineTo(SIZE.width, height(0)); context.stroke();
    for (let signal = 0; signal < signals; signal++) {
      context.strokeStyle = colour(ROLES[signal % ROLES.length]);
      context.lineWidth = signal === chosen ? 3 : 1.5;
      context.beginPath();
      for (let t = 0; t < points(); t++)
        context.lineTo(SIZE.width * t / Math.max(1, points() - 1), height(data()[t * signals + signal]));
      context.stroke();
    }
    if (cursor) { context.fillStyle = colour("error"); context.fillRect(cursor[0] * SIZE.width - 3, cursor[1] * SIZE.height - 3, 7, 7); }
  };
  pen(canvas, [Math.min(64, points()), 32], (to, from) => {
    const [start, end] = [from, to].map(([x]) => Math.floor(x * points())), step = Math.sign(end - start) || 1;
    for (let t = start; ; t += step) {
      const share = end === start ? 1 : (t - start) / (end - start);
      data()[t * signals + chosen] = input.low + (input.high - input.low) * (1 - from[1] - (to[1] - from[1]) * share);
      if (t === end) break;
    }
    draw(); changed();
  }, draw);
  const picks = signals === 1 ? [] : [make("p", { class: "tools" }, "draw signal ", ...Array.from({ length: signals }, (_, i) => {
    const button = make("button", { type: "button", class: `pick ${ROLES[i % ROLES.length]}`, "aria-pressed": i === 0 }, String(i));
    button.addEventListener("click", () => {
      chosen = i; draw();
      [...button.parentElement.children].forEach((each, k) => each.setAttribute("aria-pressed", k === i));
    });
    return button;
  }))];
  return { canvas, draw, picks };
};

// An image file, brought to the size that the model takes.
const readImage = async (file, input) => {
  const scratch = make("canvas", { width: input.columns, height: input.rows }).getContext("2d", { willReadFrequently: true });
  scratch.drawImage(await createImageBitmap(file), 0, 0, input.columns, input.rows);
  const { data } = scratch.getImageData(0, 0, input.columns, input.rows), values = [];
  for (let at = 0; at < data.length; at += 4) {
    const colours = [data[at], data[at + 1], data[at + 2]];
    const pixel = input.channels === 3 ? colours : [0.299 * colours[0] + 0.587 * colours[1] + 0.114 * colours[2]];
    values.push(...pixel.map((value) => input.black + (input.white - input.black) * value / 255));
  }
  return values;
};

const fileTool = (words, accept, read, load, canvas) => {
  const id = `file-${canvas.id}`, picker = make("input", { type: "file", id, accept });
  const note = make("span", { class: "muted", role: "status" });
  const take = async (file) => {
    if (!file) return;
    try { const { values, remark } = await read(file); load(values); note.textContent = remark ?? ""; }
    catch (error) { note.textContent = `${file.name} cannot be read: ${error.message}`; }
  };
  picker.addEventListener("change", () => take(picker.files[0]));
  canvas.addEventListener("dragover", (event) => event.preventDefault());
  canvas.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files[0]); });
  return [make("label", { for: id }, words), picker, note];
};

// `values`: of all frames, one after the other; `set` takes as many frames as it is given.
export const makeControl = (input, place, stateful, changed) => {
  if (!stateful && input.kind === "numbers") {
    const { body, values, set } = sliders(input, place, changed);
    return { element: make("fieldset", {}, ...body), values, set };
  }
  const size = input.elements, rest = input.kind === "image" ? input.black : clamp(0, input.low, input.high);
  const holder = make("fieldset", {}, make("legend", {}, `${input.title}, ${input.shape.slice(1).join(" × ") || 1}`));
  let data = new Float64Array(size * (stateful ? FIRST_FRAMES : 1)).fill(rest), draw = () => {};
  const isSeries = input.kind === "series" || (stateful && input.kind === "numbers");
  const build = () => {
    holder.querySelectorAll(".pad, .tools").forEach((part) => part.remove());
    const frames = data.length / size, tools = make("p", { class: "tools" });
    let canvas, picks = [];
    if (isSeries) ({ canvas, draw, picks } = series(input, () => data, input.kind === "numbers" ? size : input.columns, changed));
    else if (stateful) ({ canvas, draw } = field({ ...input, channels: 1, black: input.low, white: input.high }, () => data, size, frames, (row, column) => column * size + row, changed));
    else if (input.kind === "image") ({ canvas, draw } = field(input, () => data, input.rows, input.columns, (row, column) => (row * input.columns + column) * input.channels, changed));
    else ({ canvas, draw } = field({ ...input, channels: 1, black: input.low, white: input.high }, () => data, 1, size, (row, column) => column, changed));
    const clear = make("button", { type: "button" }, "Clear");
    clear.addEventListener("click", () => { data.fill(rest); draw(); changed(); });
    tools.append(clear);
    if (input.kind === "image" && !stateful)
      tools.append(...fileTool("an image", "image/*", async (file) => ({ values: await readImage(file, input) }), load, canvas));
    if (isSeries && input.columns === 1 && input.kind === "series")
      tools.append(...fileTool("a .wav file", ".wav,audio/wav", (file) => readSound(file, input, size, stateful), load, canvas));
    holder.append(canvas, ...picks, tools);
    draw();
  };
  const set = (values) => {
    const same = values.length === data.length;
    data = Float64Array.from(values);
    if (same) draw(); else build();
  };
  const load = (values) => { set(values); changed(); };
  build();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  return { element: holder, values: () => Array.from(data), set };
};
