/* SPDX-License-Identifier: Apache-2.0
 * Collects lines, and answers what is wrong with their frame (framing.c); verbs.c answers the rest. A `load` of bytes
 * as they are is not collected but taken as it comes (binary.c).
 */
#include "protocol.h"

#include <string.h>

#include "binary.h"
#include "framing.h"
#include "reply.h"
#include "verbs.h"

#if PROTOCOL_LINE_BYTES < 64 || PROTOCOL_LINE_BYTES > 32767
#error "PROTOCOL_LINE_BYTES must be between 64 and 32767"
#endif

static const char *const error_words[] = {
    [PROTOCOL_ERROR_SYNTAX] = "err 1 syntax", [PROTOCOL_ERROR_CRC] = "err 2 crc",
    [PROTOCOL_ERROR_RANGE] = "err 3 range",   [PROTOCOL_ERROR_LENGTH] = "err 4 length",
    [PROTOCOL_ERROR_STATE] = "err 5 state",   [PROTOCOL_ERROR_ENGINE] = "err 6 engine",
};

static void reply_error(struct protocol *protocol, enum protocol_error error, const char *remedy) {
    reply_begin(protocol, error_words[error]);
    if (remedy) {
        reply_text(protocol, remedy);
    }
    reply_end(protocol);
}

/* A request has come whole, so that both sides are at one speed. After the answer: what it took is not the line's. */
static void keep_speed(const struct protocol *protocol) {
    if (protocol->port->base_baud[0] && protocol->with_crc) {
        protocol->port->keep_baud();
    }
}

static void answer(struct protocol *protocol) {
    const char *remedy = NULL;
    if (!framing_take_crc(protocol)) {
        reply_error(protocol, PROTOCOL_ERROR_CRC, NULL); /* without SEQ, which cannot be trusted */
        return;
    }
    struct words words = {protocol->line, protocol->line + protocol->count};
    enum protocol_error error = framing_take_seq(protocol, &words);
    if (error == PROTOCOL_OK) {
        error = verbs_answer(protocol, &words, &remedy);
    }
    if (error != PROTOCOL_OK) {
        reply_error(protocol, error, remedy);
    }
    keep_speed(protocol);
}

static void answer_binary(struct protocol *protocol) {
    const enum protocol_error error = binary_end(protocol);
    if (error != PROTOCOL_OK) {
        reply_error(protocol, error, NULL);
    } else {
        reply_ok(protocol);
    }
    if (error != PROTOCOL_ERROR_CRC) {
        keep_speed(protocol);
    }
}

void protocol_init(struct protocol *protocol, const struct protocol_port *port, const struct engine *engine,
                   uint32_t init_elapsed) {
    memset(protocol, 0, sizeof *protocol);
    protocol->port = port;
    protocol->engine = engine;
    protocol->init_elapsed = init_elapsed;
    protocol->seq = -1;
    protocol->run_seq = -1;
    reply_begin(protocol, "# tinyproof on ");
    reply_text(protocol, port->board);
    reply_text(protocol, engine ? ": send a number, or help" : ": err 6 engine");
    reply_end(protocol);
}

void protocol_feed(struct protocol *protocol, uint8_t byte) {
    if (byte == '\r') {
        return;
    }
    if (byte != '\n') {
        if (protocol->binary_stage != BINARY_NONE) {
            binary_feed(protocol, byte);
        } else if (byte == ':' && !protocol->overlong && binary_begin(protocol)) {
            return;
        } else if (protocol->count < PROTOCOL_LINE_BYTES) {
            protocol->line[protocol->count++] = (char)byte;
        } else {
            protocol->overlong = true;
        }
        return;
    }
    if (protocol->binary_stage != BINARY_NONE) {
        answer_binary(protocol);
        protocol->count = 0;
        return;
    }
    protocol->seq = -1;
    protocol->with_crc = false;
    if (protocol->overlong) {
        reply_error(protocol, PROTOCOL_ERROR_LENGTH, NULL);
    } else if (protocol->count > 0) {
        answer(protocol);
    }
    protocol->overlong = false;
    protocol->count = 0;
}
