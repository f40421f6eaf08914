/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <string.h>

#include "crc16.h"
#include "number.h"

void reply_bytes(struct protocol *protocol, const char *bytes, size_t count) {
    protocol->crc = crc16_over(protocol->crc, bytes, count);
    protocol->port->write(bytes, count);
}

void reply_begin(struct protocol *protocol, const char *text) {
    protocol->crc = CRC16_INITIAL;
    if (protocol->seq >= 0) {
        reply_text(protocol, "@");
        reply_int(protocol, protocol->seq);
        reply_text(protocol, " ");
    }
    reply_text(protocol, text);
}

void reply_end(struct protocol *protocol) {
    if (protocol->with_crc) {
        const uint16_t crc = protocol->crc;
        reply_text(protocol, "*");
        reply_hex(protocol, crc, 4);
    }
    reply_text(protocol, "\n");
}

void reply_ok(struct protocol *protocol) {
    reply_begin(protocol, "ok");
    reply_end(protocol);
}

void reply_text(struct protocol *protocol, const char *text) {
    reply_bytes(protocol, text, strlen(text));
}

void reply_unsigned(struct protocol *protocol, uint32_t value) {
    char digits[10]; /* of UINT32_MAX */
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + value % 10U);
        value /= 10U;
    } while (value != 0);
    reply_bytes(protocol, &digits[first], sizeof digits - first);
}

void reply_int(struct protocol *protocol, int32_t value) {
    if (value < 0) {
        reply_text(protocol, "-");
    }
    reply_unsigned(protocol, value < 0 ? 0U - (uint32_t)value : (uint32_t)value);
}

void reply_hex(struct protocol *protocol, uint32_t value, unsigned digits) {
    while (digits-- > 0) {
        const char digit = "0123456789ABCDEF"[(value >> (4U * digits)) & 0xFU];
        reply_bytes(protocol, &digit, 1);
    }
}

void reply_float(struct protocol *protocol, float value) {
    char text[NUMBER_FORMAT_BYTES];
    reply_bytes(protocol, text, number_format(value, text));
}

void reply_count(struct protocol *protocol, const char *before, uint32_t count) {
    reply_text(protocol, before);
    reply_unsigned(protocol, count);
}

void reply_elapsed(struct protocol *protocol, const char *before, uint32_t elapsed) {
    reply_count(protocol, before, elapsed);
    reply_text(protocol, protocol->port->tick_unit);
}
