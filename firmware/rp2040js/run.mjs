// SPDX-License-Identifier: Apache-2.0
// Runs a Raspberry Pi Pico on rp2040js, its UART 0 on a TCP socket: node run.mjs RP2040JS ELF FD. RP2040JS is the folder
// of that package, FD a listening socket that whoever starts this has opened. The board starts when the first client has
// connected, so that its banner is never lost; clients may come and go, one at a time, and the board stands still while
// there is none.
//
// There is no image of the chip's boot ROM here: what it does of a start is in `start` below.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { pathToFileURL } from 'node:url';

const FLASH = 0x10000000;
const BOOT2_BYTES = 256;
const BOOT2_RUNS_AT = 0x20041f00;
const NANOS_PER_CYCLE = 8; // 125 MHz: whole, so that sums stay exact
const SLICE = 200_000; // instructions between two looks at the socket

const [emulator, elfPath, descriptor] = process.argv.slice(2);
if (descriptor === undefined) fail('usage', 'node run.mjs RP2040JS ELF FD');
const { RP2040 } = await import(pathToFileURL(`${emulator}/dist/esm/index.js`).href);

function fail(what, why) {
  process.stderr.write(`rp2040js: ${what}: ${why}\n`);
  process.exit(1);
}

// Parts of the ELF by load address, as the flash holds them.
function* loadedParts(elf) {
  const at = elf.readUInt32LE(28), size = elf.readUInt16LE(42), count = elf.readUInt16LE(44);
  for (let header = at; header < at + size * count; header += size) {
    const bytes = elf.readUInt32LE(header + 16), from = elf.readUInt32LE(header + 4);
    if (elf.readUInt32LE(header) === 1 && bytes) yield [elf.readUInt32LE(header + 12), elf.subarray(from, from + bytes)];
  }
}

// As the boot ROM reckons it (RP2040 Datasheet 2.8.1.3.1).
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

// What of the emulator's remarks says that the image is wrong, ends it; a register that it does not model is none.
const logger = {
  debug() {},
  info() {},
  warn(who, words) {
    if (who === 'CortexM0Core' || (who === 'RP2040' && words.includes('address'))) fail(who, words);
  },
  error: fail,
};

// As the boot ROM: the second stage goes from the flash to RAM, and is entered there if its checksum is right.
function start(elf) {
  const chip = new RP2040();
  chip.logger = logger;
  for (const [address, bytes] of loadedParts(elf)) chip.flash.set(bytes, address - FLASH);
  const stage2 = chip.flash.subarray(0, BOOT2_BYTES);
  const sum = new DataView(stage2.buffer, BOOT2_BYTES - 4, 4).getUint32(0, true);
  if (crc32(stage2.subarray(0, BOOT2_BYTES - 4)) !== sum) fail(elfPath, 'the second stage has a wrong checksum');
  chip.sram.set(stage2, BOOT2_RUNS_AT - 0x20000000);
  chip.core.PC = BOOT2_RUNS_AT;
  chip.core.LR = 0;
  // It would shorten each turn of SysTick by a cycle, and nothing here takes its interrupt.
  chip.ppb.systickAlarm.enable = false;
  chip.onBreak = (code) => fail(elfPath, `breakpoint ${code} at 0x${chip.core.PC.toString(16)}`);
  return chip;
}

const chip = start(readFileSync(elfPath));
const uart = chip.uart[0];
const waiting = []; // clients behind the one that is served
let client = null, received = Buffer.alloc(0), sent = [], running = false;

function flush() {
  if (sent.length && client) client.write(Buffer.from(sent));
  sent = [];
}

uart.onByte = (byte) => {
  sent.push(byte);
  if (byte === 10 || sent.length === 4096) flush();
};

// Bytes from the client into the UART, as far as its FIFO has room: nothing overruns, as on a line with flow control.
function feed() {
  let used = 0;
  while (used < received.length && !uart.rxFIFO.full) uart.feedByte(received[used++]);
  if (used) received = received.subarray(used);
}

function run() {
  running = false;
  if (!client) return;
  const { core, clock } = chip;
  for (let step = 0; step < SLICE; step++) {
    if (core.waiting) {
      feed();
      if (uart.rxFIFO.empty) {
        flush();
        return; // the next bytes start it again; until then time stands still
      }
      core.waiting = false; // an interrupt is pending, which with SEVONPEND ends WFE; rp2040js leaves that out
    }
    clock.tick(core.executeInstruction() * NANOS_PER_CYCLE);
  }
  flush();
  resume();
}

function resume() {
  if (!running) {
    running = true;
    setImmediate(run);
  }
}

function serve(socket) {
  client = socket;
  received = Buffer.alloc(0);
  sent = [];
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    resume();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    client = null;
    if (waiting.length) serve(waiting.shift());
  });
  socket.resume();
  resume();
}

const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
  if (client) waiting.push(socket);
  else serve(socket);
});
server.listen({ fd: Number(descriptor) });
