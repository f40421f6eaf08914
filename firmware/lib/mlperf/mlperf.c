/* SPDX-License-Identifier: Apache-2.0
 * The dialect of MLPerf Tiny's runner (EEMBC), in the place of the protocol's own files: commands of ASCII that end in
 * `%`, answers that end in "m-ready". It implements protocol.h, so that main.c and the engine are those of every build.
 *
 *   name%  profile%  help%  timestamp%  db load N%  db HEX%  db print%  infer N [WARMUPS]%  results%
 *
 * A wrong command is answered "e-[WORDS]". CR and LF between commands are passed over, for people at a serial monitor.
 * The runner sends a sample as its data set has it (scripts/model.py says which): MLPERF_FLOAT float32 values, which are
 * quantized here, MLPERF_UNSIGNED pixels from 0 to 255, or else the input's own bytes.
 * The interface's fixed words are those of github.com/mlcommons/tiny, benchmark/api/internally_implemented.cpp.
 */
#include <string.h>

#include "number.h"
#include "protocol.h"
#include "quantize.h"
#include "reply.h"

#define COMMAND_BYTES 80 /* the runner's own limit */
#define WARMUPS 10       /* where a command names none */
#define PRINTED 8        /* bytes in a line of `db print` */
#define THOUSANDTHS_MAX 4000000000.0F

#if PROTOCOL_LINE_BYTES < COMMAND_BYTES
#error "PROTOCOL_LINE_BYTES must be at least 80 for this dialect"
#endif

static uint8_t db[MLPERF_DB_BYTES]; /* the sample as it came: an engine may spend its input, and N inferences want it */
static uint32_t db_size; /* what `db load` has announced; 0: nothing yet */
static uint32_t now; /* of the lap timer, in tick units; a real board's are microseconds */

/* `before`, the number, `after` and a line's end. */
static void say_count(struct protocol *protocol, const char *before, uint32_t value, const char *after) {
    reply_count(protocol, before, value);
    reply_text(protocol, after);
    reply_text(protocol, "\r\n");
}

/* As "%0.3f" prints it, ties to even. */
static void say_thousandths(struct protocol *protocol, float value) {
    if (value < 0.0F) {
        reply_text(protocol, "-");
        value = -value;
    }
    float scaled = value * 1000.0F;
    if (!(scaled < THOUSANDTHS_MAX)) {
        scaled = THOUSANDTHS_MAX;
    }
    uint32_t whole = (uint32_t)scaled;
    const float fraction = scaled - (float)whole;
    if (fraction > 0.5F || (fraction >= 0.5F && whole % 2U == 1U)) {
        whole++;
    }
    reply_unsigned(protocol, whole / 1000U);
    const char digits[] = {
        '.',
        (char)('0' + whole / 100U % 10U),
        (char)('0' + whole / 10U % 10U),
        (char)('0' + whole % 10U),
    };
    protocol->port->write(digits, sizeof digits);
}

static void say_error(struct protocol *protocol, const char *words) {
    reply_text(protocol, "e-[");
    reply_text(protocol, words);
    reply_text(protocol, "]\r\n");
}

static void say_lap(struct protocol *protocol) {
    say_count(protocol, "m-lap-us-", now, "");
}

/* The next word of the line, ended by a zero in its place; NULL where there is none. */
static char *next_word(char **rest) {
    while (**rest == ' ') {
        (*rest)++;
    }
    char *const word = *rest;
    while (**rest != ' ' && **rest != 0) {
        (*rest)++;
    }
    if (**rest == ' ') {
        *(*rest)++ = 0;
    }
    return *word ? word : NULL;
}

/* A decimal number of at most nine digits, or -1. */
static int32_t number_of(const char *word) {
    int32_t value = 0;
    if (!word || strlen(word) > 9) {
        return -1;
    }
    for (; *word; word++) {
        if (*word < '0' || *word > '9') {
            return -1;
        }
        value = 10 * value + (*word - '0');
    }
    return value;
}

static void db_load(struct protocol *protocol, char *rest) {
    const int32_t count = number_of(next_word(&rest));
    protocol->loaded_bytes = 0;
    db_size = 0;
    if (count != MLPERF_DB_BYTES) {
        say_count(protocol, "e-[A sample of this model has ", MLPERF_DB_BYTES, " bytes]");
        return;
    }
    db_size = MLPERF_DB_BYTES;
    say_count(protocol, "m-[Expecting ", db_size, " bytes]");
}

static void db_hex(struct protocol *protocol, const char *hex) {
    const size_t count = strlen(hex);
    if (count % 2 != 0) {
        say_error(protocol, "Insufficent number of hex digits"); /* spelt as the runner knows it */
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (number_hex_digit(hex[i]) < 0) {
            say_error(protocol, "Invalid hex digit");
            return;
        }
    }
    if (protocol->loaded_bytes == db_size) {
        say_error(protocol, "Command 'db' wants a 'db load' first");
        return;
    }
    /* More than was announced is disregarded. */
    for (size_t i = 0; i < count && protocol->loaded_bytes < db_size; i += 2) {
        db[protocol->loaded_bytes++] = (uint8_t)(16 * number_hex_digit(hex[i]) + number_hex_digit(hex[i + 1]));
    }
    if (protocol->loaded_bytes == db_size) {
        reply_text(protocol, "m-load-done\r\n");
    }
}

static void db_print(struct protocol *protocol) {
    for (uint32_t i = 0; i < protocol->loaded_bytes; i++) {
        const char hex[] = {"0123456789abcdef"[db[i] >> 4], "0123456789abcdef"[db[i] & 15]};
        reply_text(protocol, i % PRINTED ? "-" : "m-buffer-");
        protocol->port->write(hex, sizeof hex);
        if (i % PRINTED == PRINTED - 1 || i + 1 == protocol->loaded_bytes) {
            reply_text(protocol, "\r\n");
        }
    }
}

static void answer_db(struct protocol *protocol, char *rest) {
    char *const word = next_word(&rest);
    if (!word) {
        say_error(protocol, "Command 'db' requires a subcommand");
    } else if (strcmp(word, "load") == 0) {
        db_load(protocol, rest);
    } else if (strcmp(word, "print") == 0) {
        db_print(protocol);
    } else {
        db_hex(protocol, word);
    }
}

static float float_at(uint32_t index) {
    float value = 0.0F;
    memcpy(&value, db + sizeof value * index, sizeof value); /* little-endian, as all boards are */
    return value;
}

static void take_sample(const struct engine_tensor *input) {
    bool saturated = false;
    for (uint32_t i = 0; i < element_count(input); i++) {
        if (MLPERF_FLOAT) {
            element_write(input, i, quantize(float_at(i), input, &saturated));
        } else {
            input->data[i] = (int8_t)(MLPERF_UNSIGNED ? db[i] - 128 : db[i] > INT8_MAX ? db[i] - 256 : db[i]);
        }
    }
}

/* The outputs in real values; of an autoencoder (MLPERF_FLOAT) how far they are from the input, squared. */
static void answer_results(struct protocol *protocol) {
    const struct engine_tensor *const output = protocol->engine->outputs.list;
    const uint32_t count = element_count(output);
    if (!protocol->has_output) {
        say_error(protocol, "No inference yet");
        return;
    }
    reply_text(protocol, "m-results-[");
    float sum = 0.0F;
    for (uint32_t i = 0; i < count; i++) {
        const float value = dequantize(element_read(output, i), output);
        if (MLPERF_FLOAT) {
            sum += (float_at(i) - value) * (float_at(i) - value);
        } else {
            reply_text(protocol, i ? "," : "");
            say_thousandths(protocol, value);
        }
    }
    if (MLPERF_FLOAT) {
        say_thousandths(protocol, sum / (float)count);
    }
    reply_text(protocol, "]\r\n");
}

/* `count` inferences of the sample; only they are on the lap timer, not the copying of the sample. */
static bool infer(struct protocol *protocol, uint32_t count) {
    for (; count > 0; count--) {
        take_sample(protocol->engine->inputs.list);
        const uint32_t start = protocol->port->ticks();
        const enum engine_status status = engine_run();
        now += protocol->port->elapsed(start);
        if (status != ENGINE_OK) {
            return false;
        }
    }
    return true;
}

static void answer_infer(struct protocol *protocol, char *rest) {
    const char *const first = next_word(&rest), *const second = next_word(&rest);
    const int32_t count = first ? number_of(first) : 1, warmups = second ? number_of(second) : WARMUPS;
    protocol->has_output = false;
    if (count <= 0) {
        say_error(protocol, "Inference iterations must be >0");
    } else if (warmups < 0) {
        say_error(protocol, "Inference warmup must be >=0");
    } else if (protocol->loaded_bytes != MLPERF_DB_BYTES) {
        say_error(protocol, "No whole sample is loaded");
    } else {
        say_count(protocol, "m-warmup-start-", (uint32_t)warmups, "");
        engine_reset();
        bool done = infer(protocol, (uint32_t)warmups);
        reply_text(protocol, "m-warmup-done\r\n");
        engine_reset();
        say_count(protocol, "m-infer-start-", (uint32_t)count, "");
        now = 0; /* each command has the timer's whole range */
        say_lap(protocol);
        done = done && infer(protocol, (uint32_t)count);
        say_lap(protocol);
        reply_text(protocol, "m-infer-done\r\n");
        protocol->has_output = done;
        if (done) {
            answer_results(protocol);
        } else {
            say_error(protocol, "The inference failed");
        }
    }
}

static void answer_help(struct protocol *protocol) {
    reply_text(protocol, "name, profile, timestamp, results\r\n");
    say_count(protocol, "db load N, then db HEX: a sample, N = ", MLPERF_DB_BYTES, "");
    reply_text(protocol, "infer N [WARMUPS]: N inferences, 10 before them\r\n");
    reply_text(protocol, "m-lap-us counts: ");
    reply_text(protocol, protocol->port->tick_unit);
    reply_text(protocol, "\r\n");
}

static void answer(struct protocol *protocol) {
    char *rest = protocol->line;
    const char *const word = next_word(&rest);
    if (!word) {
        say_error(protocol, "Unknown command: ");
    } else if (strcmp(word, "name") == 0) {
        reply_text(protocol, "m-name-dut-[tinyproof-");
        reply_text(protocol, protocol->port->board);
        reply_text(protocol, "]\r\n");
    } else if (strcmp(word, "timestamp") == 0) {
        say_lap(protocol);
    } else if (strcmp(word, "profile") == 0) {
        reply_text(protocol, "m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[" MLPERF_MODEL "]\r\n");
    } else if (strcmp(word, "help") == 0) {
        answer_help(protocol);
    } else if (strcmp(word, "db") == 0) {
        answer_db(protocol, rest);
    } else if (!protocol->engine) {
        say_error(protocol, "The engine could not be set up");
    } else if (strcmp(word, "infer") == 0) {
        answer_infer(protocol, rest);
    } else if (strcmp(word, "results") == 0) {
        answer_results(protocol);
    } else {
        reply_text(protocol, "e-[Unknown command: ");
        reply_text(protocol, word);
        reply_text(protocol, "]\r\n");
    }
}

void protocol_init(struct protocol *protocol, const struct protocol_port *port, const struct engine *engine,
                   uint32_t init_elapsed) {
    memset(protocol, 0, sizeof *protocol);
    protocol->port = port;
    protocol->engine = engine;
    protocol->init_elapsed = init_elapsed;
    db_size = 0;
    now = 0;
    reply_text(protocol, "m-timestamp-mode-performance\r\n");
    say_lap(protocol);
    reply_text(protocol, "m-init-done\r\nm-ready\r\n");
}

void protocol_feed(struct protocol *protocol, uint8_t byte) {
    if (byte == '\r' || byte == '\n') {
        return;
    }
    if (byte != '%') {
        if (protocol->count < COMMAND_BYTES - 1 && byte != 0) {
            protocol->line[protocol->count++] = (char)byte;
        } else {
            protocol->overlong = true;
        }
        return;
    }
    protocol->line[protocol->count] = 0;
    if (protocol->overlong) {
        say_error(protocol, "Command too long");
    } else {
        answer(protocol);
    }
    reply_text(protocol, "m-ready\r\n");
    protocol->overlong = false;
    protocol->count = 0;
}
