// SPDX-License-Identifier: Apache-2.0
// What the controls hold goes to the boards by WebSocket; each answer comes back with the board that gave it.
import { makeControl } from "./controls.js";
import { makeBoard } from "./boards.js";
import { drawAxes, moveDot } from "./curve.js";

const part = (id) => document.getElementById(id);
const RANDOM_FRAMES = 50, REST_MS = 400;
let hello = null, controls = [], boards = [], socket = null, frame = null, asked = Math.floor(Math.random() * 2 ** 40), sample = null, label = "", anew = false, resting = null;

// One row of all inputs for each frame; an input with fewer frames keeps its last one.
const rows = () => {
  const parts = controls.map((control, k) => ({ values: control.values(), size: hello.inputs[k].elements }));
  const frames = Math.max(...parts.map(({ values, size }) => values.length / size));
  if (parts.length === 1) return parts[0].values;
  const all = [];
  for (let at = 0; at < frames; at++) for (const { values, size } of parts) {
    const mine = Math.min(at, values.length / size - 1) * size;
    all.push(...values.slice(mine, mine + size));
  }
  return all;
};
const spread = (x) => {
  const width = hello.inputs.reduce((sum, { elements }) => sum + elements, 0);
  let start = 0;
  controls.forEach((control, k) => {
    const size = hello.inputs[k].elements, values = [];
    for (let at = 0; at < x.length; at += width) values.push(...x.slice(at + start, at + start + size));
    control.set(values);
    start += size;
  });
};

const send = (question) => {
  frame = null;
  if (socket?.readyState !== WebSocket.OPEN || !hello) return;
  asked += 1;
  socket.send(JSON.stringify({ ask: asked, pace: +part("pace").value, goes_on: keeps() && !anew, ...question }));
  anew = false;
};
// Whether what is asked comes after what the boards have heard, in the state in which that has left them.
const keeps = () => hello.stateful && part("keep").checked;
const ask = () => send({ x: rows() });
// At most one question per frame of the screen: a pen moves faster than a board need answer.
const changed = () => {
  sample = null;
  label = "";
  about();
  clearTimeout(resting);
  if (keeps()) resting = setTimeout(ask, REST_MS); // every question is heard to its end: one when the pen rests
  else frame ??= requestAnimationFrame(ask);
};
const about = () => {
  part("sample-now").textContent = sample === null ? "" : `sample ${sample} of ${hello.samples}${label ? `, labelled ${label}` : ""}`;
};
const replay = (number) => {
  sample = (number + hello.samples) % hello.samples;
  send({ sample });
};
const random = () => {
  const count = hello.stateful ? RANDOM_FRAMES : 1, all = [];
  for (let at = 0; at < count; at++) for (const input of hello.inputs)
    for (let k = 0; k < input.elements; k++) all.push(input.low + (input.high - input.low) * Math.random());
  spread(all);
  changed();
};

const alarm = () => {
  const faults = boards.filter(({ fault }) => fault).map(({ fault }) => fault);
  const same = boards.filter(({ answer }) => answer?.ask === asked && answer.frame === boards[0].answer?.frame);
  const apart = same.length > 1 && new Set(same.map(({ answer }) => answer.q.join())).size > 1 ? " The boards do not agree." : "";
  part("alarm").hidden = faults.length === 0;
  part("alarm").textContent = faults.length ? `${faults.join("; ")}.${apart}` : "";
};

const handlers = {
  hello: (message) => {
    if (hello) { anew = true; ask(); return; } // the connection is back; what is drawn stays
    hello = message;
    const title = (ends, letter) => ends.forEach((end, k) => { end.title = ends.length > 1 ? end.name || `${letter}${k}` : letter; });
    title(hello.inputs, "x");
    title(hello.outputs, "y");
    document.title = `${hello.model} on ${hello.boards.join(", ")}, live`;
    part("model").textContent = `${hello.model} on ${hello.boards.join(", ")}`;
    part("about").textContent = `Model id ${hello.model_id}.${hello.points.length ? " Beyond the outermost dots x is clamped, and the answer stays." : ""}`;
    boards = hello.boards.map((name, place) => makeBoard(place, name, hello, alarm));
    document.querySelector("main").classList.toggle("several", boards.length > 1);
    part("boards").replaceChildren(...boards.map(({ element }) => element));
    controls = hello.inputs.map((input, place) => makeControl(input, place, hello.stateful, changed));
    part("controls").replaceChildren(...controls.map(({ element }) => element));
    part("curve").hidden = hello.points.length === 0;
    if (hello.points.length) drawAxes(hello);
    part("replay").hidden = hello.samples === 0;
    part("file").textContent = hello.file;
    for (const id of ["pace-label", "keep-label", "anew"]) part(id).hidden = !hello.stateful;
    const wished = /^#sample=(\d+)$/.exec(location.hash); // a page may be opened on a sample
    if (wished && +wished[1] < hello.samples) replay(+wished[1]); else ask();
  },
  state: (message) => {
    boards[message.board].state(message);
    document.body.classList.toggle("lost", boards.every(({ connected }) => !connected));
  },
  alive: (message) => boards[message.board].alive(),
  asked: (message) => {
    if (message.ask !== asked) sample = null;
    label = message.label;
    spread(message.x);
    about();
  },
  answer: (message) => {
    boards[message.board].show(message);
    if (hello.points.length && message.board === 0) moveDot(hello, message);
  },
};

part("random").addEventListener("click", random);
part("next").addEventListener("click", () => replay((sample ?? -1) + 1));
part("back").addEventListener("click", () => replay((sample ?? 0) - 1));
const again = () => (sample === null ? ask() : replay(sample));
part("again").addEventListener("click", again);
part("pace").addEventListener("change", () => { if (!keeps()) again(); });
part("anew").addEventListener("click", () => { anew = true; again(); });

const connect = () => {
  socket = new WebSocket(new URL("board", location.href.replace(/^http/, "ws")));
  socket.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    handlers[message.kind](message);
  });
  socket.addEventListener("close", () => {
    for (const board of boards) board.state({ connected: false, why: "tinyproof watch has ended; start it again for a new address" });
    document.body.classList.add("lost");
    setTimeout(connect, 1000);
  });
};
connect();
