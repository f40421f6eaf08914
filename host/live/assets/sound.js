// SPDX-License-Identifier: Apache-2.0
// A mono .wav file as the values of a model's input: its lowest sample is the input's low end, its highest the high one.

const SAMPLES = {
  8: (view, at) => view.getUint8(at) / 256,
  16: (view, at) => (view.getInt16(at, true) + 2 ** 15) / 2 ** 16,
  32: (view, at) => (view.getInt32(at, true) + 2 ** 31) / 2 ** 32,
};

export const parseWave = (buffer) => {
  const view = new DataView(buffer);
  const name = (at) => String.fromCharCode(...new Uint8Array(buffer, at, 4));
  if (buffer.byteLength < 12 || name(0) !== "RIFF" || name(8) !== "WAVE") throw new Error("it is no .wav");
  let form = null;
  for (let at = 12; at + 8 <= buffer.byteLength;) {
    const size = view.getUint32(at + 4, true), body = at + 8;
    if (name(at) === "fmt ") {
      const [kind, channels] = [view.getUint16(body, true), view.getUint16(body + 2, true)];
      form = { rate: view.getUint32(body + 4, true), bits: view.getUint16(body + 14, true) };
      if (kind !== 1 && kind !== 0xFFFE || !SAMPLES[form.bits]) throw new Error("its samples are not PCM of 8, 16 or 32 bits");
      if (channels !== 1) throw new Error(`it has ${channels} channels; save it as mono`);
    } else if (name(at) === "data" && form) {
      const step = form.bits / 8, count = Math.floor(Math.min(size, buffer.byteLength - body) / step);
      return { rate: form.rate, shares: Array.from({ length: count }, (_, k) => SAMPLES[form.bits](view, body + k * step)) };
    }
    at = body + size + (size & 1);
  }
  throw new Error("it holds no samples");
};

// As many frames of `size` values as it takes; of a model without state one, which ends in silence or is cut.
export const readSound = async (file, input, size, stateful) => {
  const { rate, shares } = parseWave(await file.arrayBuffer());
  const length = stateful ? Math.max(1, Math.ceil(shares.length / size)) * size : size;
  const values = Array.from({ length }, (_, k) => input.black + (input.white - input.black) * (shares[k] ?? 0.5));
  const cut = shares.length > length ? `, cut to ${length}` : "";
  return { values, remark: `${shares.length} samples at ${rate} Hz${cut}` };
};
