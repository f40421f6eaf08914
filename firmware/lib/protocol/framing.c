/* SPDX-License-Identifier: Apache-2.0 */
#include "framing.h"

#include <string.h>

#include "crc16.h"
#include "number.h"

bool framing_is_crc(const char *text, uint16_t crc) {
    int32_t value = 0;
    for (int i = 0; i < CRC_DIGITS; i++) {
        const char c = text[i];
        if (c >= '0' && c <= '9') {
            value = value * 16 + (c - '0');
        } else if (c >= 'A' && c <= 'F') {
            value = value * 16 + (c - 'A' + 10);
        } else {
            return false;
        }
    }
    return value == (int32_t)crc;
}

bool framing_take_crc(struct protocol *protocol) {
    const char *const star = memchr(protocol->line, '*', protocol->count);
    protocol->with_crc = star != NULL;
    if (!star) {
        return true;
    }
    const size_t covered = (size_t)(star - protocol->line);
    if (covered + 1 + CRC_DIGITS != protocol->count) {
        return false;
    }
    protocol->count = (uint16_t)covered;
    return framing_is_crc(star + 1, crc16_over(CRC16_INITIAL, protocol->line, covered));
}

enum protocol_error framing_take_seq(struct protocol *protocol, struct words *words) {
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
