/* SPDX-License-Identifier: Apache-2.0
 * Collects lines, checks their frame (SEQ and CRC), and answers what is wrong with them; verbs.c answers the rest.
 */
#include "protocol.h"

#include <string.h>

#include "crc16.h"
#include "number.h"
#include "reply.h"
#include "verbs.h"

#if PROTOCOL_LINE_BYTES < 64 || PROTOCOL_LINE_BYTES > 32767
#error "PROTOCOL_LINE_BYTES must be between 64 and 32767"
#endif

#define CRC_DIGITS 4

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

/* Value of four upper-case hex digits, or -1. */
static int32_t parse_crc(const char *text) {
    int32_t crc = 0;
    for (int i = 0; i < CRC_DIGITS; i++) {
        const char c = text[i];
        if (c >= '0' && c <= '9') {
            crc = crc * 16 + (c - '0');
        } else if (c >= 'A' && c <= 'F') {
            crc = crc * 16 + (c - 'A' + 10);
        } else {
            return -1;
        }
    }
    return crc;
}

/* Takes *CRC off the line. False: there is a CRC, and it does not match. */
static bool take_crc(struct protocol *protocol) {
    const char *const star = memchr(protocol->line, '*', protocol->count);
    protocol->with_crc = star != NULL;
    if (!star) {
        return true;
    }
    const size_t covered = (size_t)(star - protocol->line);
    if (covered + 1 + CRC_DIGITS != protocol->count) {
        return false;
    }
    uint16_t crc = CRC16_INITIAL;
    for (size_t i = 0; i < covered; i++) {
        crc = crc16_add(crc, (uint8_t)protocol->line[i]);
    }
    protocol->count = (uint16_t)covered;
    return parse_crc(star + 1) == (int32_t)crc;
}

static enum protocol_error take_seq(struct protocol *protocol, struct words *words) {
    if (words->rest == words->end || *words->rest != '@') {
        return PROTOCOL_OK;
    }
    struct word word;
    (void)words_next(words, &word);
    if (word.count > 1 && (word.text[1] == '-' || word.text[1] == '+')) {
        return PROTOCOL_ERROR_SYNTAX; /* a SEQ has no sign */
    }
    int32_t seq = -1;
    const enum number_status status = number_parse_int(word.text + 1, word.count - 1, 0, UINT16_MAX, &seq);
    if (status != NUMBER_OK) {
        return status == NUMBER_ERROR_RANGE ? PROTOCOL_ERROR_RANGE : PROTOCOL_ERROR_SYNTAX;
    }
    protocol->seq = seq;
    return PROTOCOL_OK;
}

static void answer(struct protocol *protocol) {
    const char *remedy = NULL;
    if (!take_crc(protocol)) {
        reply_error(protocol, PROTOCOL_ERROR_CRC, NULL); /* without SEQ, which cannot be trusted */
        return;
    }
    struct words words = {protocol->line, protocol->line + protocol->count};
    enum protocol_error error = take_seq(protocol, &words);
    if (error == PROTOCOL_OK) {
        error = verbs_answer(protocol, &words, &remedy);
    }
    if (error != PROTOCOL_OK) {
        reply_error(protocol, error, remedy);
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
        if (protocol->count < PROTOCOL_LINE_BYTES) {
            protocol->line[protocol->count++] = (char)byte;
        } else {
            protocol->overlong = true;
        }
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
