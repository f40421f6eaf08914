/* SPDX-License-Identifier: Apache-2.0 */
#include "values.h"

#include <string.h>

#include "number.h"
#include "quantize.h"
#include "reply.h"

/* For words that a person could have got wrong in length. */
const char values_use_load[] = " use load, run, read";
static const char wrong_count[] = " wrong number of values";

enum protocol_error number_error(enum number_status status) {
    switch (status) {
    case NUMBER_OK:
        return PROTOCOL_OK;
    case NUMBER_ERROR_RANGE:
        return PROTOCOL_ERROR_RANGE;
    case NUMBER_ERROR_SYNTAX:
        break;
    }
    return PROTOCOL_ERROR_SYNTAX;
}

/* An element of the inputs or outputs, all of them one after the other. */
struct place {
    const struct engine_tensor *tensor;
    const struct engine_tensor *end;
    uint32_t index;
};

static struct place first_place(const struct engine_tensors *tensors) {
    const struct place place = {tensors->list, tensors->list + tensors->count, 0};
    return place;
}

/* The next one; false behind the last. */
static bool next_place(struct place *place) {
    if (++place->index >= element_count(place->tensor)) {
        place->tensor++;
        place->index = 0;
    }
    return place->tensor < place->end;
}

uint32_t values_text_bytes(const struct engine_tensors *tensors, uint32_t more) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < tensors->count && total <= PROTOCOL_LINE_BYTES; i++) {
        const struct engine_tensor *const tensor = &tensors->list[i];
        const uint32_t each = element_text_bytes(tensor), count = element_count(tensor);
        if (each == 0 || count > PROTOCOL_LINE_BYTES) {
            return PROTOCOL_LINE_BYTES + 1;
        }
        total += count * (each + more);
    }
    return total;
}

enum protocol_error values_take(struct protocol *protocol, struct words *words, bool floats, bool *saturated,
                                const char **remedy) {
    const struct engine_tensors *const inputs = &protocol->engine->inputs;
    struct place place = first_place(inputs);
    struct word word;
    bool room = true;
    protocol->loaded_bytes = 0;
    protocol->has_output = false;
    while (words_next(words, &word)) {
        const struct engine_tensor *const tensor = room ? place.tensor : inputs->list;
        enum number_status status = NUMBER_OK;
        int32_t q = 0;
        if (element_text_bytes(tensor) == 0) {
            *remedy = values_use_load;
            return PROTOCOL_ERROR_LENGTH;
        }
        if (floats) {
            float x = 0.0F;
            status = number_parse_float(word.text, word.count, &x);
            q = status == NUMBER_OK && room ? quantize(x, place.tensor, saturated) : q;
        } else {
            status = number_parse_int(word.text, word.count, element_low(tensor), element_high(tensor), &q);
        }
        if (status != NUMBER_OK) {
            return number_error(status);
        }
        if (!room) {
            place.index++; /* too many; the rest of them shall still be numbers */
        } else {
            element_write(place.tensor, place.index, q);
            room = next_place(&place);
        }
    }
    if (room || place.index > 0) {
        *remedy = inputs->bytes > PROTOCOL_LINE_BYTES / 2 ? values_use_load : wrong_count;
        return PROTOCOL_ERROR_LENGTH;
    }
    return PROTOCOL_OK;
}

void values_reply(struct protocol *protocol, bool with_y) {
    const struct engine_tensors *const outputs = &protocol->engine->outputs;
    const char *before = "q=";
    struct place place = first_place(outputs);
    reply_begin(protocol, "ok ");
    do {
        reply_text(protocol, before);
        reply_int(protocol, element_read(place.tensor, place.index));
        before = ",";
    } while (next_place(&place));
    if (with_y) {
        before = " y=";
        place = first_place(outputs);
        do {
            const float y = dequantize(element_read(place.tensor, place.index), place.tensor);
            uint32_t bits;
            memcpy(&bits, &y, sizeof bits);
            reply_text(protocol, before);
            reply_hex(protocol, bits, 8);
            before = ",";
        } while (next_place(&place));
    }
    reply_elapsed(protocol, " t=", protocol->run_elapsed);
    reply_end(protocol);
}

void values_reply_people(struct protocol *protocol, bool saturated) {
    const struct engine_tensors *const outputs = &protocol->engine->outputs;
    const char *before = "";
    struct place place = first_place(outputs);
    reply_begin(protocol, "y = ");
    do {
        const int32_t q = element_read(place.tensor, place.index);
        reply_text(protocol, before);
        reply_float(protocol, dequantize(q, place.tensor));
        saturated = saturated || at_rail(q, place.tensor);
        before = ", ";
    } while (next_place(&place));
    before = " (q = ";
    place = first_place(outputs);
    do {
        reply_text(protocol, before);
        reply_int(protocol, element_read(place.tensor, place.index));
        before = ", ";
    } while (next_place(&place));
    reply_count(protocol, ", ", protocol->run_elapsed);
    reply_text(protocol, " ");
    reply_text(protocol, protocol->port->tick_unit);
    reply_text(protocol, saturated ? ", saturated)" : ")");
    reply_end(protocol);
}
