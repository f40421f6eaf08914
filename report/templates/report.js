// SPDX-License-Identifier: Apache-2.0
// One slider moves every figure of the lesson. The page is complete without it: it then shows the first guess.
"use strict";
(() => {
  const holder = document.getElementById("state");
  if (!holder) return;
  const state = JSON.parse(holder.textContent);
  const rows = state.rows.map(([step, w, b, loss, rmse, gradW, gradB]) => ({ step, w, b, loss, rmse, gradW, gradB }));
  const [mxx, mx, mxy, my, myy] = state.moments;
  const lossAt = (w, b) => Math.max(0, w * w * mxx + 2 * w * b * mx + b * b - 2 * w * mxy - 2 * b * my + myy);
  const fixed = (value, digits = 3) => (Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits).replace("-", "−");

  // Scales of a drawing, from the attributes that the page was written with.
  const scalesOf = (svg) => {
    const [left, top, width, height] = svg.dataset.plot.split(" ").map(Number);
    const unit = (text) => {
      const [low, high, log] = text.split(" ").map(Number);
      const flat = log ? Math.log10 : (value) => value;
      return { low, high, at: (value) => (flat(log ? Math.max(value, 1e-300) : value) - flat(low)) / (flat(high) - flat(low)) };
    };
    const x = unit(svg.dataset.x), y = unit(svg.dataset.y);
    const px = (value) => (left + width * x.at(value)).toFixed(1);
    const py = (value) => (top + height * (1 - y.at(value))).toFixed(1);
    return { x, y, px, py, point: ([a, b]) => `${px(a)},${py(b)}` };
  };

  const marker = (kind, x, y, size) => {
    if (kind === "square") return `M${x - size} ${y - size}h${2 * size}v${2 * size}h${-2 * size}Z`;
    if (kind === "diamond") { const r = size * 1.35; return `M${x - r} ${y}l${r} ${-r}l${r} ${r}l${-r} ${r}Z`; }
    if (kind === "cross") return `M${x - size} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`;
    return `M${x - size} ${y}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0Z`;
  };
  const drawLine = (element, scales, points) => element.setAttribute("points", points.map(scales.point).join(" "));
  const drawDots = (element, scales, points) => element.setAttribute("d", points.map(([a, b]) =>
    marker(element.dataset.shape, +scales.px(a), +scales.py(b), +element.dataset.size)).join(""));

  const predict = (row) => state.x.map((x) => row.w * x + row.b);
  const level = (scales, height) => [[scales.x.low, height], [scales.x.high, height]];
  const average = (row) => row.w * mx + row.b - my;
  const along = {
    w: { value: (row) => row.w, slope: (row) => row.gradW, loss: (row, w) => lossAt(w, row.b),
      bottom: (row) => (mxy - row.b * mx) / mxx },
    b: { value: (row) => row.b, slope: (row) => row.gradB, loss: (row, b) => lossAt(row.w, b),
      bottom: (row) => my - row.w * mx },
  };

  // What each moving mark shows at row number k of the training.
  const moves = {
    line: (e, s, row) => drawLine(e, s, [s.x.low, s.x.high].map((x) => [x, row.w * x + row.b])),
    residuals: (e, s, row) => e.setAttribute("d", predict(row).map((y, i) =>
      `M${s.px(state.x[i])} ${s.py(state.y[i])}V${s.py(y)}`).join("")),
    predictions: (e, s, row) => drawDots(e, s, predict(row).map((y, i) => [state.y[i], y])),
    errors: (e, s, row) => e.setAttribute("d", predict(row).map((y, i) => {
      const half = +e.dataset.width / 2;
      return `M${s.px(state.x[i] - half)} ${s.py(0)}V${s.py(y - state.y[i])}H${s.px(state.x[i] + half)}V${s.py(0)}Z`;
    }).join("")),
    mean: (e, s, row) => drawLine(e, s, level(s, average(row))),
    "rmse-level": (e, s, row) => drawLine(e, s, level(s, row.rmse)),
    "rmse-trail": (e, s, row, k) => drawLine(e, s, rows.slice(0, k + 1).map((r) => [r.step, r.rmse])),
    "rmse-dot": (e, s, row) => drawDots(e, s, [[row.step, row.rmse]]),
    "path-trail": (e, s, row, k) => drawLine(e, s, rows.slice(0, k + 1).map((r) => [r.w, r.b])),
    "path-dot": (e, s, row) => drawDots(e, s, [[row.w, row.b]]),
  };
  for (const [name, part] of Object.entries(along)) {
    moves[`parabola-${name}`] = (e, s, row) => drawLine(e, s, Array.from({ length: 97 }, (_, i) => {
      const value = s.x.low + (s.x.high - s.x.low) * i / 96;
      return [value, part.loss(row, value)];
    }));
    moves[`tangent-${name}`] = (e, s, row) => {
      const reach = (part.bottom(row) - part.value(row)) / 2;
      drawLine(e, s, [[part.value(row), row.loss], [part.value(row) + reach, row.loss + part.slope(row) * reach]]);
    };
    moves[`bottom-${name}`] = (e, s, row) => drawDots(e, s, [[part.bottom(row), part.loss(row, part.bottom(row))]]);
    moves[`loss-dot-${name}`] = (e, s, row) => drawDots(e, s, [[part.value(row), row.loss]]);
  }
  for (const [role, run] of Object.entries(state.runs)) {
    moves[`rate-${role}`] = (e, s, row) => {
      const at = Math.min(row.step, run.length - 1);
      drawDots(e, s, [[at, Math.min(s.y.high, Math.max(s.y.low, run[at]))]]);
    };
  }
  const stepWords = (name) => (row) => {
    const value = along[name].value(row), slope = along[name].slope(row);
    if (state.rate === null) return `slope ${fixed(slope)}`;
    if (row === rows[rows.length - 1]) return `slope ${fixed(slope)}: almost flat, training ends here`;
    return `slope ${fixed(slope)}, so the next ${name} is ${fixed(value)} − ${state.rate} × (${fixed(slope)}) = ` +
      fixed(value - state.rate * slope);
  };
  const words = {
    squares: (row) => `plain average ${fixed(average(row))}, RMSE ${fixed(row.rmse)}`,
    "parabola-w": stepWords("w"),
    "parabola-b": stepWords("b"),
  };

  const marks = [...document.querySelectorAll("[data-move]")].map((element) =>
    ({ element, scales: scalesOf(element.ownerSVGElement), move: moves[element.dataset.move] }));
  const slider = document.getElementById("step"), button = document.getElementById("play");
  const shown = Object.fromEntries(["step", "w", "b", "rmse"].map((name) => [name, document.getElementById(`now-${name}`)]));
  const show = (k) => {
    const row = rows[k];
    for (const { element, scales, move } of marks) move(element, scales, row, k);
    for (const element of document.querySelectorAll("[data-live]")) element.textContent = words[element.dataset.live](row);
    shown.step.textContent = `${row.step} of ${state.steps}`;
    for (const name of ["w", "b", "rmse"]) shown[name].textContent = fixed(row[name]);
    slider.setAttribute("aria-valuetext", `step ${row.step}, w ${fixed(row.w)}, b ${fixed(row.b)}, RMSE ${fixed(row.rmse)}`);
  };

  // Playing starts slowly, since most happens in the first steps.
  const SECONDS = 14;
  let playing = null;
  const stop = () => {
    cancelAnimationFrame(playing);
    playing = null;
    button.textContent = "Play";
    button.setAttribute("aria-pressed", "false");
  };
  const play = () => {
    const last = rows.length - 1;
    const from = +slider.value >= last ? 0 : Math.sqrt(+slider.value / last);
    let start = null;
    button.textContent = "Pause";
    button.setAttribute("aria-pressed", "true");
    const frame = (now) => {
      start ??= now;
      const time = Math.min(1, from + (now - start) / 1000 / SECONDS);
      slider.value = Math.round(last * time * time);
      show(+slider.value);
      if (time < 1) playing = requestAnimationFrame(frame); else stop();
    };
    playing = requestAnimationFrame(frame);
  };
  button.addEventListener("click", () => (playing === null ? play() : stop()));
  slider.addEventListener("input", () => { if (playing !== null) stop(); show(+slider.value); });
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));

  slider.max = rows.length - 1;
  slider.value = 0;
  document.getElementById("player").hidden = false;
  show(0);
})();
