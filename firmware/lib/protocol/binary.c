/* SPDX-License-Identifier: Apache-2.0 */
#include "binary.h"

#include "crc16.h"
#include "framing.h"
#include "verbs.h"

#define ESCAPE 0x7DU
#define ESCAPED_BIT 0x40U /* what an escaped byte is sent with the other way round */

/* Bytes are written from OFFSET on before their CRC has come. So OFFSET is from now on all that counts as loaded: what
 * was there before is acknowledged and stays, what is written is taken for nothing until the CRC proves it. */
static enum protocol_error open_at(struct protocol *protocol, uint32_t offset) {
    protocol->binary_end = offset;
    if (!protocol->engine) {
        return PROTOCOL_ERROR_ENGINE;
    }
    if (offset > protocol->engine->inputs.bytes) {
        return PROTOCOL_ERROR_RANGE;
    }
    if (offset > protocol->loaded_bytes) {
        return PROTOCOL_ERROR_STATE;
    }
    protocol->loaded_bytes = offset;
    protocol->has_output = false; /* input and output may share memory */
    protocol->run_seq = -1;
    return PROTOCOL_OK;
}

bool binary_begin(struct protocol *protocol) {
    struct words words = {protocol->line, protocol->line + protocol->count};
    struct word word;
    uint32_t offset = 0;
    protocol->seq = -1;
    const enum protocol_error seq_error = framing_take_seq(protocol, &words);
    if (seq_error == PROTOCOL_ERROR_SYNTAX || !words_next(&words, &word) || !word_is(&word, "load")) {
        return false;
    }
    const enum protocol_error offset_error = words_take_uint(&words, &offset);
    if (offset_error == PROTOCOL_ERROR_SYNTAX || words_next(&words, &word)) {
        return false;
    }
    enum protocol_error error = seq_error != PROTOCOL_OK ? seq_error : offset_error;
    if (error == PROTOCOL_OK) {
        error = open_at(protocol, offset);
    }
    protocol->binary_error = (uint8_t)error;
    protocol->binary_stage = BINARY_BYTES;
    protocol->crc = crc16_add(crc16_over(CRC16_INITIAL, protocol->line, protocol->count), ':');
    protocol->count = 0; /* the buffer takes the digits of the CRC next */
    return true;
}

static void take_byte(struct protocol *protocol, uint8_t byte) {
    if (protocol->binary_error == PROTOCOL_OK && protocol->binary_end >= protocol->engine->inputs.bytes) {
        protocol->binary_error = PROTOCOL_ERROR_RANGE;
    }
    if (protocol->binary_error == PROTOCOL_OK) {
        *tensors_byte(&protocol->engine->inputs, protocol->binary_end) =
            (int8_t)(byte > INT8_MAX ? (int)byte - 256 : (int)byte);
        protocol->binary_end++;
    }
}

void binary_feed(struct protocol *protocol, uint8_t byte) {
    if (protocol->binary_stage == BINARY_CRC) {
        if (protocol->count <= CRC_DIGITS) {
            protocol->line[protocol->count++] = (char)byte;
        }
        return;
    }
    if (byte == '*') {
        if (protocol->binary_stage == BINARY_ESCAPED && protocol->binary_error == PROTOCOL_OK) {
            protocol->binary_error = PROTOCOL_ERROR_SYNTAX; /* ends within an escape */
        }
        protocol->binary_stage = BINARY_CRC;
        return;
    }
    protocol->crc = crc16_add(protocol->crc, byte);
    if (protocol->binary_stage == BINARY_ESCAPED) {
        protocol->binary_stage = BINARY_BYTES;
        take_byte(protocol, byte ^ ESCAPED_BIT);
    } else if (byte == ESCAPE) {
        protocol->binary_stage = BINARY_ESCAPED;
    } else {
        take_byte(protocol, byte);
    }
}

enum protocol_error binary_end(struct protocol *protocol) {
    const bool whole = protocol->binary_stage == BINARY_CRC && protocol->count == CRC_DIGITS;
    protocol->binary_stage = BINARY_NONE;
    protocol->with_crc = true;
    if (!whole || !framing_is_crc(protocol->line, protocol->crc)) {
        protocol->seq = -1; /* cannot be trusted */
        return PROTOCOL_ERROR_CRC;
    }
    if (protocol->binary_error == PROTOCOL_OK) {
        if (protocol->binary_end == protocol->loaded_bytes) { /* not one byte has come */
            return PROTOCOL_ERROR_SYNTAX;
        }
        protocol->loaded_bytes = protocol->binary_end;
    }
    return (enum protocol_error)protocol->binary_error;
}
