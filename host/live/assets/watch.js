// SPDX-License-Identifier: Apache-2.0
// The slider's x goes to the board by WebSocket; each answer moves the point.
"use strict";
(() => {
  const part = (id) => document.getElementById(id);
  const slider = part("x");
  const [left, top, width, height] = [74, 14, 550, 356];
  const SVG = "http://www.w3.org/2000/svg";
  const UNITS = { insn: "instructions", cycle: "cycles", us: "µs" };
  const number = (value, digits) => value.toFixed(digits).replace("-", "−");
  let range = null, socket = null, asked = null;

  const px = (x) => left + width * (x - range.x[0]) / (range.x[1] - range.x[0]);
  const py = (y) => top + height * (1 - (y - range.y[0]) / (range.y[1] - range.y[0]));
  const padded = (values, share) => {
    const low = Math.min(...values), high = Math.max(...values);
    const room = (high - low) * share || 1;
    return [low - room, high + room];
  };
  const ticks = ([low, high]) => {
    const raw = (high - low) / 6, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= raw);
    const found = [];
    for (let k = Math.ceil(low / step); k <= high / step; k++) found.push(+(k * step).toPrecision(12));
    return found;
  };
  const add = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    part("axes").append(element);
  };
  const say = (id, text) => { part(id).textContent = text; };

  const hello = (message) => {
    const xs = message.points.map(([x]) => x), ys = message.points.map(([, y]) => y);
    range = { x: padded(xs, 0.1), y: padded(ys, 0.1) };
    document.title = `${message.model} on ${message.board}, live`;
    say("model", `${message.model} on ${message.board}`);
    say("about", `Model id ${message.model_id}. Beyond the outermost dots x is clamped, and the answer stays.`);
    part("axes").replaceChildren();
    for (const x of ticks(range.x)) {
      add("line", { class: x === 0 ? "zero" : "grid", x1: px(x), x2: px(x), y1: top, y2: top + height });
      add("text", { x: px(x), y: top + height + 20, "text-anchor": "middle" }, String(x).replace("-", "−"));
    }
    for (const y of ticks(range.y)) {
      add("line", { class: y === 0 ? "zero" : "grid", x1: left, x2: left + width, y1: py(y), y2: py(y) });
      add("text", { x: left - 8, y: py(y) + 4, "text-anchor": "end" }, String(y).replace("-", "−"));
    }
    part("points").setAttribute("d", message.points.map(([x, y]) => `M${px(x) - 2} ${py(y)}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`).join(""));
    const { line } = message;
    part("line").setAttribute("points", line ? range.x.map((x) => `${px(x)},${py(line.w * x + line.b)}`).join(" ") : "");
    if (+slider.min !== range.x[0]) {
      const value = slider.value;
      [slider.min, slider.max] = range.x;
      slider.value = value;
    }
    ask();
  };

  const state = (message) => {
    document.body.classList.toggle("lost", !message.connected);
    part("status").className = message.connected ? "status on" : "status off";
    say("status-text", message.connected ? `connected: board ${message.board}, engine ${message.engine}`
      : `board disconnected, trying again: ${message.why}`);
    if (!message.connected) {
      part("verdict").className = "verdict bad";
      say("verdict", "No board answers. What is shown is its last answer.");
    } else if (range) ask();
  };

  const answer = (message) => {
    if (message.y !== null) {
      part("dot").setAttribute("cx", px(message.x));
      part("dot").setAttribute("cy", py(message.y));
      part("cross").setAttribute("d", `M${px(message.x)} ${top + height}V${py(message.y)}H${left}`);
    }
    say("y", message.y === null ? "not a number" : number(message.y, 4));
    say("x_q", message.x_q);
    say("q", message.q);
    say("q_bits", message.q_bits);
    say("y_bits", message.y_bits);
    say("ticks", `${message.ticks} ${UNITS[message.unit]}`);
    say("rate", Math.round(message.rate).toLocaleString("en"));
    const verdict = part("verdict");
    if (!message.identical) {
      verdict.className = "verdict bad";
      verdict.textContent = `Differs from the golden reference, which answers ${message.expected_q}.`;
    } else if (message.saturated) {
      verdict.className = "verdict warm";
      verdict.textContent = `Identical to the golden reference; the ${message.saturated === "input" ? "question" : "answer"} saturates.`;
    } else {
      verdict.className = "verdict good";
      verdict.textContent = "Identical to the golden reference, bit for bit.";
    }
  };

  const ask = () => {
    const x = +slider.value;
    say("x-now", number(x, 3));
    if (socket && socket.readyState === WebSocket.OPEN && range) socket.send(String(x));
    asked = null;
  };
  // At most one question per frame: a slider fires faster than a board need answer.
  slider.addEventListener("input", () => { asked ??= requestAnimationFrame(ask); });

  const handlers = { hello, state, answer };
  const connect = () => {
    socket = new WebSocket(new URL("board", location.href.replace(/^http/, "ws")));
    socket.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      handlers[message.kind](message);
    });
    socket.addEventListener("close", () => {
      state({ connected: false, why: "tinyproof watch has ended; start it again for a new address" });
      setTimeout(connect, 1000);
    });
  };
  connect();
})();
