/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

#include <string.h>

#include "number.h"
#include "reply.h"

#define Q_MIN (-128)
#define Q_MAX 127

/* Longest frame around the fields of a reply: "@65535 ok q=", " y=", " t=4294967295cycle", "*29B1". */
#define FRAME_BYTES 37U
#define Q_TEXT_BYTES 5U /* "-128," */
#define Y_TEXT_BYTES 9U /* "3F800000," */

/* For words that a person could have got wrong in length. */
static const char use_load[] = " use load, run, read";
static const char wrong_count[] = " wrong number of values";

bool words_next(struct words *words, struct word *word) {
    while (words->rest < words->end && *words->rest == ' ') {
        words->rest++;
    }
    word->text = words->rest;
    while (words->rest < words->end && *words->rest != ' ') {
        words->rest++;
    }
    word->count = (size_t)(words->rest - word->text);
    return word->count > 0;
}

static bool word_is(const struct word *word, const char *text) {
    return word->count == strlen(text) && memcmp(word->text, text, word->count) == 0;
}

static enum protocol_error from_number(enum number_status status) {
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

/* q = clamp(round(x / scale) + zero_point), in float32, ties away from zero: TFLM's own quantization.
 * Rounding by the exact fraction, because x + 0.5 can round up to the next integer. */
static int8_t quantize(float x, const struct engine_tensor *tensor, bool *saturated) {
    const float steps = x / tensor->scale;
    int32_t q = 0;
    if (steps >= 1e6F || steps <= -1e6F) {
        q = steps > 0.0F ? INT16_MAX : INT16_MIN; /* beyond any int8 with any zero point, and safe to convert */
    } else {
        const int32_t whole = (int32_t)steps;
        const float fraction = steps - (float)whole;
        q = whole + (fraction >= 0.5F ? 1 : 0) - (fraction <= -0.5F ? 1 : 0) + tensor->zero_point;
    }
    if (q < Q_MIN || q > Q_MAX) {
        *saturated = true;
        q = q < Q_MIN ? Q_MIN : Q_MAX;
    }
    return (int8_t)q;
}

static float dequantize(int8_t q, const struct engine_tensor *tensor) {
    return tensor->scale * (float)(q - tensor->zero_point);
}

/* At the end of int8's range, unless that end is the tensor's own zero, as after a RELU. */
static bool at_rail(int8_t q, const struct engine_tensor *tensor) {
    return (q == Q_MIN || q == Q_MAX) && q != tensor->zero_point;
}

static enum protocol_error infer(struct protocol *protocol) {
    protocol->loaded_bytes = 0; /* the engine may overwrite its input */
    protocol->has_output = false;
    protocol->run_seq = -1;
    const uint32_t start = protocol->port->ticks();
    const enum engine_status status = engine_run();
    protocol->run_elapsed = protocol->port->elapsed(start);
    if (status != ENGINE_OK) {
        return PROTOCOL_ERROR_ENGINE;
    }
    protocol->has_output = true;
    return PROTOCOL_OK;
}

/* Values of one line into the input, int8 or float; all or, after an error, none that counts. */
static enum protocol_error take_values(struct protocol *protocol, struct words *words, bool floats, bool *saturated,
                                       const char **remedy) {
    const struct engine_tensor *const input = &protocol->engine->input;
    struct word word;
    uint32_t count = 0;
    protocol->loaded_bytes = 0;
    protocol->has_output = false;
    while (words_next(words, &word)) {
        enum number_status status = NUMBER_OK;
        int8_t q = 0;
        if (floats) {
            float x = 0.0F;
            status = number_parse_float(word.text, word.count, &x);
            q = status == NUMBER_OK ? quantize(x, input, saturated) : q;
        } else {
            int32_t value = 0;
            status = number_parse_int(word.text, word.count, Q_MIN, Q_MAX, &value);
            q = (int8_t)value;
        }
        if (status != NUMBER_OK) {
            return from_number(status);
        }
        if (count < input->bytes) {
            input->data[count] = q;
        }
        count++;
    }
    if (count != input->bytes) {
        *remedy = input->bytes > PROTOCOL_LINE_BYTES / 2 ? use_load : wrong_count;
        return PROTOCOL_ERROR_LENGTH;
    }
    return PROTOCOL_OK;
}

static void reply_q(struct protocol *protocol) {
    const struct engine_tensor *const output = &protocol->engine->output;
    for (uint32_t i = 0; i < output->bytes; i++) {
        reply_text(protocol, i ? "," : "q=");
        reply_int(protocol, output->data[i]);
    }
}

static void reply_elapsed(struct protocol *protocol, const char *before, uint32_t elapsed) {
    reply_text(protocol, before);
    reply_unsigned(protocol, elapsed);
    reply_text(protocol, protocol->port->tick_unit);
}

/* `q` and `x`. */
static enum protocol_error answer_values(struct protocol *protocol, struct words *words, bool floats,
                                         const char **remedy) {
    const struct engine_tensor *const output = &protocol->engine->output;
    const uint32_t each = Q_TEXT_BYTES + (floats ? Y_TEXT_BYTES : 0U);
    bool saturated = false;
    if (output->bytes > (PROTOCOL_LINE_BYTES - FRAME_BYTES) / each) {
        *remedy = use_load;
        return PROTOCOL_ERROR_LENGTH;
    }
    enum protocol_error error = take_values(protocol, words, floats, &saturated, remedy);
    if (error == PROTOCOL_OK) {
        error = infer(protocol);
    }
    if (error != PROTOCOL_OK) {
        return error;
    }
    reply_begin(protocol, "ok ");
    reply_q(protocol);
    for (uint32_t i = 0; floats && i < output->bytes; i++) {
        const float y = dequantize(output->data[i], output);
        uint32_t bits;
        memcpy(&bits, &y, sizeof bits);
        reply_text(protocol, i ? "," : " y=");
        reply_hex(protocol, bits, 8);
    }
    reply_elapsed(protocol, " t=", protocol->run_elapsed);
    reply_end(protocol);
    return PROTOCOL_OK;
}

/* A bare number, or as many as the model has inputs: "y = 18.98 (q = 121, 41 insn)". */
static enum protocol_error answer_people(struct protocol *protocol, struct words *words, const char **remedy) {
    const struct engine_tensor *const output = &protocol->engine->output;
    bool saturated = false;
    if (output->bytes > (PROTOCOL_LINE_BYTES - FRAME_BYTES) / (Q_TEXT_BYTES + Y_TEXT_BYTES)) {
        *remedy = use_load;
        return PROTOCOL_ERROR_LENGTH;
    }
    enum protocol_error error = take_values(protocol, words, true, &saturated, remedy);
    if (error == PROTOCOL_OK) {
        error = infer(protocol);
    }
    if (error != PROTOCOL_OK) {
        return error;
    }
    reply_begin(protocol, "y = ");
    for (uint32_t i = 0; i < output->bytes; i++) {
        reply_text(protocol, i ? ", " : "");
        reply_float(protocol, dequantize(output->data[i], output));
        saturated = saturated || at_rail(output->data[i], output);
    }
    for (uint32_t i = 0; i < output->bytes; i++) {
        reply_text(protocol, i ? ", " : " (q = ");
        reply_int(protocol, output->data[i]);
    }
    reply_text(protocol, ", ");
    reply_unsigned(protocol, protocol->run_elapsed);
    reply_text(protocol, " ");
    reply_text(protocol, protocol->port->tick_unit);
    reply_text(protocol, saturated ? ", saturated)" : ")");
    reply_end(protocol);
    return PROTOCOL_OK;
}

static enum protocol_error answer_info(struct protocol *protocol) {
    const struct engine *const engine = protocol->engine;
    reply_begin(protocol, "ok tinyproof=");
    reply_unsigned(protocol, PROTOCOL_VERSION);
    reply_text(protocol, " board=");
    reply_text(protocol, protocol->port->board);
    reply_text(protocol, " engine=");
    reply_text(protocol, engine_name);
    reply_text(protocol, " model=");
    reply_text(protocol, protocol->port->model_id);
    reply_text(protocol, " in=");
    reply_unsigned(protocol, engine->input.bytes);
    reply_text(protocol, " out=");
    reply_unsigned(protocol, engine->output.bytes);
    reply_text(protocol, " line=");
    reply_unsigned(protocol, PROTOCOL_LINE_BYTES);
    reply_elapsed(protocol, " init=", protocol->init_elapsed);
    if (engine->arena_used_bytes > 0) {
        reply_text(protocol, " arena=");
        reply_unsigned(protocol, engine->arena_used_bytes);
    }
    reply_end(protocol);
    return PROTOCOL_OK;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A count or offset, unsigned. */
static enum protocol_error take_uint(struct words *words, uint32_t *value) {
    struct word word;
    int32_t parsed = 0;
    if (!words_next(words, &word) || word.text[0] == '-' || word.text[0] == '+') {
        return PROTOCOL_ERROR_SYNTAX;
    }
    const enum number_status status = number_parse_int(word.text, word.count, 0, INT32_MAX, &parsed);
    *value = (uint32_t)parsed;
    return from_number(status);
}

static bool at_end(struct words *words) {
    struct word word;
    return !words_next(words, &word);
}

static void reply_ok(struct protocol *protocol) {
    reply_begin(protocol, "ok");
    reply_end(protocol);
}

static enum protocol_error answer_load(struct protocol *protocol, struct words *words) {
    const struct engine_tensor *const input = &protocol->engine->input;
    uint32_t offset = 0;
    struct word hex;
    const enum protocol_error error = take_uint(words, &offset);
    if (error != PROTOCOL_OK) {
        return error;
    }
    if (!words_next(words, &hex) || hex.count % 2 != 0 || !at_end(words)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    for (size_t i = 0; i < hex.count; i++) {
        if (hex_digit(hex.text[i]) < 0) {
            return PROTOCOL_ERROR_SYNTAX;
        }
    }
    const uint32_t count = (uint32_t)(hex.count / 2);
    if (offset > input->bytes || count > input->bytes - offset) {
        return PROTOCOL_ERROR_RANGE;
    }
    if (offset > protocol->loaded_bytes) {
        return PROTOCOL_ERROR_STATE;
    }
    for (uint32_t i = 0; i < count; i++) {
        const int value = 16 * hex_digit(hex.text[2 * i]) + hex_digit(hex.text[2 * i + 1]);
        input->data[offset + i] = (int8_t)(value > Q_MAX ? value - 256 : value);
    }
    if (protocol->loaded_bytes < offset + count) {
        protocol->loaded_bytes = offset + count;
    }
    protocol->has_output = false; /* input and output may share memory */
    protocol->run_seq = -1;
    reply_ok(protocol);
    return PROTOCOL_OK;
}

static enum protocol_error answer_run(struct protocol *protocol, struct words *words) {
    if (!at_end(words)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    /* A repeated request means that its reply was lost: the input is spent, the output is not. */
    const bool repeated = protocol->has_output && protocol->seq >= 0 && protocol->seq == protocol->run_seq;
    if (!repeated) {
        if (protocol->loaded_bytes != protocol->engine->input.bytes) {
            return PROTOCOL_ERROR_STATE;
        }
        const enum protocol_error error = infer(protocol);
        if (error != PROTOCOL_OK) {
            return error;
        }
        protocol->run_seq = protocol->seq;
    }
    reply_begin(protocol, "ok");
    reply_elapsed(protocol, " t=", protocol->run_elapsed);
    reply_end(protocol);
    return PROTOCOL_OK;
}

static enum protocol_error answer_read(struct protocol *protocol, struct words *words) {
    const struct engine_tensor *const output = &protocol->engine->output;
    uint32_t offset = 0, count = 0;
    enum protocol_error error = take_uint(words, &offset);
    if (error == PROTOCOL_OK) {
        error = take_uint(words, &count);
    }
    if (error != PROTOCOL_OK) {
        return error;
    }
    if (!at_end(words)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    if (offset > output->bytes || count > output->bytes - offset) {
        return PROTOCOL_ERROR_RANGE;
    }
    if (count > (PROTOCOL_LINE_BYTES - FRAME_BYTES) / 2) {
        return PROTOCOL_ERROR_LENGTH;
    }
    if (!protocol->has_output) {
        return PROTOCOL_ERROR_STATE;
    }
    reply_begin(protocol, "ok ");
    for (uint32_t i = 0; i < count; i++) {
        reply_hex(protocol, (uint32_t)(uint8_t)output->data[offset + i], 2);
    }
    reply_end(protocol);
    return PROTOCOL_OK;
}

enum protocol_error verbs_answer(struct protocol *protocol, struct words *words, const char **remedy) {
    const char *const start = words->rest;
    struct word verb;
    if (!words_next(words, &verb)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    const char first = verb.text[0];
    const bool number = (first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.';
    const bool alone = !number && at_end(&(struct words){words->rest, words->end});
    if (word_is(&verb, "help") && alone) {
        reply_begin(protocol, "ok info | x V... | q Q... | load OFFSET HEX | run | read OFFSET COUNT | or a number x");
        reply_end(protocol);
        return PROTOCOL_OK;
    }
    const bool is_info = word_is(&verb, "info") && alone, is_x = word_is(&verb, "x"), is_q = word_is(&verb, "q"),
               is_load = word_is(&verb, "load"), is_run = word_is(&verb, "run"), is_read = word_is(&verb, "read");
    if (!(number || is_info || is_x || is_q || is_load || is_run || is_read)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    if (!protocol->engine) {
        return PROTOCOL_ERROR_ENGINE;
    }
    if (number) {
        words->rest = start;
        return answer_people(protocol, words, remedy);
    }
    if (is_info) {
        return answer_info(protocol);
    }
    if (is_x || is_q) {
        return answer_values(protocol, words, is_x, remedy);
    }
    if (is_load) {
        return answer_load(protocol, words);
    }
    return is_run ? answer_run(protocol, words) : answer_read(protocol, words);
}
