/* SPDX-License-Identifier: Apache-2.0
 * Serial protocol, version 1, the device's side. Pure C99 over an engine and a few functions of the board.
 *
 * Request: [@SEQ ]VERB[ ARGS][*CRC] and LF; CR is ignored, and so is an empty line. Words are separated by spaces.
 * Reply:   [@SEQ ]ok[ FIELDS][*CRC] or [@SEQ ]err CODE WORDS[*CRC]; SEQ and CRC exactly when the request had them.
 * A `*` anywhere but before four upper-case hex digits at the end counts as a CRC that does not match. Lines that
 * start with `#` are remarks: one is sent at start.
 *
 * Tensors by pieces: `load` takes offsets from 0 upwards without gaps, `run` wants all bytes loaded (err 5 state
 * otherwise), `read` wants a run. A `run` repeated with the same SEQ repeats its reply and does not run again;
 * nor does a `q` or an `x` of a model with state.
 */
#ifndef TINYPROOF_PROTOCOL_H
#define TINYPROOF_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PROTOCOL_VERSION 1

/* Longest request without its LF, and longest reply to `q`, `x` and `read`. At least 128, on AVR 64. */
#ifndef PROTOCOL_LINE_BYTES
#define PROTOCOL_LINE_BYTES 128
#endif

/* Most bytes of one binary `load`, which needs no buffer: the CRC tells any three wrong bits of up to 4,095 bytes. */
#define PROTOCOL_BINARY_BYTES 1024

/* Bytes of requests that may be on their way unanswered while an input is loaded. A board keeps pace with its line,
 * so that what its receiver buffers only has to last while it replies: that may be a few dozen bytes. */
#ifndef PROTOCOL_WINDOW_BYTES
#define PROTOCOL_WINDOW_BYTES 4096
#endif

enum protocol_error {
    PROTOCOL_OK = 0,
    PROTOCOL_ERROR_SYNTAX = 1,
    PROTOCOL_ERROR_CRC = 2,
    PROTOCOL_ERROR_RANGE = 3,
    PROTOCOL_ERROR_LENGTH = 4,
    PROTOCOL_ERROR_STATE = 5,
    PROTOCOL_ERROR_ENGINE = 6,
};

/* What the protocol needs of a board; hal.h describes each, speed.h the last three. */
struct protocol_port {
    const char *board;
    const char *tick_unit;
    const char *model_id; /* first 16 hex digits of the SHA-256 of model.tflite */
    void (*write)(const char *bytes, size_t count);
    uint32_t (*ticks)(void);
    uint32_t (*elapsed)(uint32_t start);
    uint32_t (*stack_used)(void);
    const char *base_baud; /* "": the line has no speed that could be changed, and the functions are never called */
    bool (*set_baud)(uint32_t baud);
    void (*keep_baud)(void);
};

struct protocol {
    const struct protocol_port *port;
    const struct engine *engine; /* NULL: its set-up failed */
    uint32_t init_elapsed;    /* cost of engine_init, in tick_unit */
    uint32_t run_elapsed;     /* cost of the last inference */
    uint32_t loaded_bytes;    /* input bytes that `load` has brought, from 0 */
    int32_t run_seq;          /* SEQ of the `run`, `q` or `x` that made the present output, or -1 */
    int32_t seq;              /* SEQ of the request, or -1 */
    uint32_t binary_end;      /* offset behind the last byte of a binary `load` */
    uint16_t crc;             /* of the reply so far, or of a binary `load` */
    uint8_t binary_stage;     /* enum binary_stage */
    uint8_t binary_error;     /* enum protocol_error */
    bool with_crc;            /* the request had one */
    bool has_output;          /* output holds the answer to the bytes loaded */
    bool overlong;            /* swallow until LF */
    uint16_t count;           /* bytes in line */
    char line[PROTOCOL_LINE_BYTES];
};

/* `engine` is NULL when its set-up failed; every request for it is then answered `err 6 engine`. Sends the banner. */
void protocol_init(struct protocol *protocol, const struct protocol_port *port, const struct engine *engine,
                   uint32_t init_elapsed);

/* One received byte; replies when it ends a line. */
void protocol_feed(struct protocol *protocol, uint8_t byte);

#ifdef __cplusplus
}
#endif
#endif
