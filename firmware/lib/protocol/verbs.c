/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

#include <string.h>

#include "many.h"
#include "number.h"
#include "quantize.h"
#include "reply.h"
#include "values.h"

/* Longest frame around the fields of a reply: "@65535 ok q=", " y=", " t=4294967295cycle", "*29B1". */
#define FRAME_BYTES 37U
#define Y_TEXT_BYTES 9U /* "3F800000," */

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

bool word_is(const struct word *word, const char *usage) {
    size_t same = 0;
    while (same < word->count && usage[same] != 0 && word->text[same] == usage[same]) {
        same++;
    }
    return same == word->count && (usage[same] == ' ' || usage[same] == 0);
}

enum protocol_error verbs_infer(struct protocol *protocol) {
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

/* A repeated request means that its reply was lost: the input is spent, and a state has moved on, but the output is
 * still there. */
static bool is_repeated(const struct protocol *protocol) {
    return protocol->has_output && protocol->seq >= 0 && protocol->seq == protocol->run_seq;
}

enum form { FORM_Q, FORM_X, FORM_PEOPLE };

static enum protocol_error answer_values(struct protocol *protocol, struct words *words, enum form form,
                                         const char **remedy) {
    bool saturated = false;
    if (values_text_bytes(&protocol->engine->outputs, form == FORM_Q ? 0U : Y_TEXT_BYTES) >
        PROTOCOL_LINE_BYTES - FRAME_BYTES) {
        *remedy = values_use_load;
        return PROTOCOL_ERROR_LENGTH;
    }
    if (protocol->engine->state_bytes == 0 || !is_repeated(protocol)) {
        enum protocol_error error = values_take(protocol, words, form != FORM_Q, &saturated, remedy);
        if (error == PROTOCOL_OK) {
            error = verbs_infer(protocol);
        }
        if (error != PROTOCOL_OK) {
            return error;
        }
        protocol->run_seq = protocol->seq;
    }
    if (form == FORM_PEOPLE) {
        values_reply_people(protocol, saturated);
    } else {
        values_reply(protocol, form == FORM_X);
    }
    return PROTOCOL_OK;
}

/* " types=int8,int16/uint8": inputs, then outputs. */
static void reply_types(struct protocol *protocol, const char *before, const struct engine_tensors *tensors) {
    for (uint32_t i = 0; i < tensors->count; i++) {
        const struct engine_tensor *const tensor = &tensors->list[i];
        reply_text(protocol, i ? "," : before);
        if (tensor->type == ENGINE_BOOL) {
            reply_text(protocol, "bool");
        } else {
            reply_count(protocol, tensor->type == ENGINE_UINT8 ? "uint" : "int", 8U * element_bytes(tensor));
        }
    }
}

static enum protocol_error answer_info(struct protocol *protocol) {
    const struct engine *const engine = protocol->engine;
    reply_begin(protocol, "ok");
    reply_count(protocol, " tinyproof=", PROTOCOL_VERSION);
    reply_text(protocol, " board=");
    reply_text(protocol, protocol->port->board);
    reply_text(protocol, " engine=");
    reply_text(protocol, engine_name);
    reply_text(protocol, " model=");
    reply_text(protocol, protocol->port->model_id);
    reply_count(protocol, " in=", engine->inputs.bytes);
    reply_count(protocol, " out=", engine->outputs.bytes);
    reply_count(protocol, " line=", PROTOCOL_LINE_BYTES);
    reply_count(protocol, " bin=", PROTOCOL_BINARY_BYTES);
    reply_count(protocol, " window=", PROTOCOL_WINDOW_BYTES);
    reply_count(protocol, " many=", MANY_VERSION);
    reply_elapsed(protocol, " init=", protocol->init_elapsed);
    if (engine->arena_used_bytes > 0) {
        reply_count(protocol, " arena=", engine->arena_used_bytes);
    }
    const uint32_t stack_used = protocol->port->stack_used();
    if (stack_used > 0) {
        reply_count(protocol, " stack=", stack_used);
    }
    /* Unless it is one int8 tensor in and one out, which is what goes without saying. */
    if (engine->inputs.count + engine->outputs.count > 2 || engine->inputs.list[0].type != ENGINE_INT8 ||
        engine->outputs.list[0].type != ENGINE_INT8) {
        reply_types(protocol, " types=", &engine->inputs);
        reply_types(protocol, "/", &engine->outputs);
    }
    if (engine->state_bytes > 0) {
        reply_count(protocol, " state=", engine->state_bytes);
    }
    if (protocol->port->base_baud[0]) {
        reply_text(protocol, " baud=");
        reply_text(protocol, protocol->port->base_baud);
    }
    reply_end(protocol);
    protocol->run_seq = -1; /* a new conversation may begin with any SEQ */
    return PROTOCOL_OK;
}

enum protocol_error words_take_uint(struct words *words, uint32_t *value) {
    struct word word;
    int32_t parsed = 0;
    if (!words_next(words, &word) || word.text[0] == '-' || word.text[0] == '+') {
        return PROTOCOL_ERROR_SYNTAX;
    }
    const enum number_status status = number_parse_int(word.text, word.count, 0, INT32_MAX, &parsed);
    *value = (uint32_t)parsed;
    return number_error(status);
}

static bool at_end(struct words *words) {
    struct word word;
    return !words_next(words, &word);
}

int8_t *tensors_byte(const struct engine_tensors *tensors, uint32_t offset) {
    const struct engine_tensor *tensor = tensors->list;
    for (; offset >= tensor->bytes; tensor++) {
        offset -= tensor->bytes;
    }
    return tensor->data + offset;
}

static enum protocol_error answer_load(struct protocol *protocol, struct words *words) {
    const struct engine_tensors *const inputs = &protocol->engine->inputs;
    uint32_t offset = 0;
    struct word hex;
    const enum protocol_error error = words_take_uint(words, &offset);
    if (error != PROTOCOL_OK) {
        return error;
    }
    if (!words_next(words, &hex) || hex.count % 2 != 0 || !at_end(words)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    for (size_t i = 0; i < hex.count; i++) {
        if (number_hex_digit(hex.text[i]) < 0) {
            return PROTOCOL_ERROR_SYNTAX;
        }
    }
    const uint32_t count = (uint32_t)(hex.count / 2);
    if (offset > inputs->bytes || count > inputs->bytes - offset) {
        return PROTOCOL_ERROR_RANGE;
    }
    if (offset > protocol->loaded_bytes) {
        return PROTOCOL_ERROR_STATE;
    }
    for (uint32_t i = 0; i < count; i++) {
        const int value = 16 * number_hex_digit(hex.text[2 * i]) + number_hex_digit(hex.text[2 * i + 1]);
        *tensors_byte(inputs, offset + i) = (int8_t)(value > INT8_MAX ? value - 256 : value);
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
    if (!is_repeated(protocol)) {
        if (protocol->loaded_bytes != protocol->engine->inputs.bytes) {
            return PROTOCOL_ERROR_STATE;
        }
        const enum protocol_error error = verbs_infer(protocol);
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
    const struct engine_tensors *const outputs = &protocol->engine->outputs;
    uint32_t offset = 0, count = 0;
    enum protocol_error error = words_take_uint(words, &offset);
    if (error == PROTOCOL_OK) {
        error = words_take_uint(words, &count);
    }
    if (error != PROTOCOL_OK) {
        return error;
    }
    if (!at_end(words)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    if (offset > outputs->bytes || count > outputs->bytes - offset) {
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
        reply_hex(protocol, (uint32_t)(uint8_t)*tensors_byte(outputs, offset + i), 2);
    }
    reply_end(protocol);
    return PROTOCOL_OK;
}

static enum protocol_error answer_many(struct protocol *protocol, struct words *words) {
    uint32_t numbers[3], digest = 0;
    for (uint8_t i = 0; i < 3; i++) {
        const enum protocol_error error = words_take_uint(words, &numbers[i]);
        if (error != PROTOCOL_OK) {
            return error;
        }
    }
    if (!at_end(words)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    const enum protocol_error error = many_run(protocol, numbers[0], numbers[1], numbers[2], &digest);
    if (error != PROTOCOL_OK) {
        return error;
    }
    reply_begin(protocol, "ok ");
    reply_hex(protocol, digest, 8);
    reply_elapsed(protocol, " t=", protocol->run_elapsed);
    reply_end(protocol);
    return PROTOCOL_OK;
}

static enum protocol_error answer_reset(struct protocol *protocol) {
    engine_reset();
    protocol->loaded_bytes = 0;
    protocol->has_output = false;
    protocol->run_seq = -1;
    reply_ok(protocol);
    return PROTOCOL_OK;
}

/* The reply goes out before the speed changes; the pattern comes back, so that the host sees what the line bears. */
static enum protocol_error answer_baud(struct protocol *protocol, struct words *words) {
    const struct protocol_port *const port = protocol->port;
    uint32_t baud = 0;
    struct word pattern;
    const enum protocol_error error = words_take_uint(words, &baud);
    if (error != PROTOCOL_OK) {
        return error;
    }
    (void)words_next(words, &pattern); /* without one it is empty */
    if (!at_end(words)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    if (!port->base_baud[0] || !port->set_baud(baud)) {
        return PROTOCOL_ERROR_RANGE;
    }
    reply_begin(protocol, "ok ");
    reply_bytes(protocol, pattern.text, pattern.count);
    reply_end(protocol);
    return PROTOCOL_OK;
}

/* VERB_PEOPLE is a line without a verb: numbers alone. */
enum verb {
    VERB_INFO,
    VERB_X,
    VERB_Q,
    VERB_LOAD,
    VERB_RUN,
    VERB_READ,
    VERB_MANY,
    VERB_RESET,
    VERB_BAUD,
    VERB_HELP,
    VERB_PEOPLE,
    VERB_UNKNOWN,
};

/* Without their handlers: a switch over one function's branches is smaller than calls through pointers, by 150 to 300
 * bytes on cores with costly prologues. */
static const struct {
    const char *usage; /* the verb and what follows it, as `help` shows it */
    bool alone;        /* nothing may follow; the others look at their own arguments */
} verbs[] = {
    [VERB_INFO] = {"info", true},
    [VERB_X] = {"x V...", false}, /* real values, quantized here */
    [VERB_Q] = {"q Q...", false},
    [VERB_LOAD] = {"load OFFSET HEX", false}, /* with run and read: tensors that do not fit a line */
    [VERB_RUN] = {"run", false},
    [VERB_READ] = {"read OFFSET COUNT", false},
    [VERB_MANY] = {"many SEED FIRST COUNT", false}, /* of inputs that are made here */
    [VERB_RESET] = {"reset", true}, /* of the state, to what it began with */
    [VERB_BAUD] = {"baud B [PATTERN]", false},
    [VERB_HELP] = {"help", true},
};

static enum verb find_verb(const struct word *word) {
    const char first = word->text[0];
    if ((first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.') {
        return VERB_PEOPLE;
    }
    for (enum verb verb = VERB_INFO; verb <= VERB_HELP; verb++) {
        if (word_is(word, verbs[verb].usage)) {
            return verb;
        }
    }
    return VERB_UNKNOWN;
}

static enum protocol_error answer_help(struct protocol *protocol) {
    reply_begin(protocol, "ok ");
    for (enum verb verb = VERB_INFO; verb < VERB_HELP; verb++) {
        reply_text(protocol, verbs[verb].usage);
        reply_text(protocol, " | ");
    }
    reply_text(protocol, "or a number x");
    reply_end(protocol);
    return PROTOCOL_OK;
}

enum protocol_error verbs_answer(struct protocol *protocol, struct words *words, const char **remedy) {
    const char *const start = words->rest;
    struct word word;
    if (!words_next(words, &word)) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    const enum verb verb = find_verb(&word);
    if (verb == VERB_UNKNOWN || (verb <= VERB_HELP && verbs[verb].alone && !at_end(words))) {
        return PROTOCOL_ERROR_SYNTAX;
    }
    if (verb == VERB_HELP) {
        return answer_help(protocol);
    }
    if (!protocol->engine) {
        return PROTOCOL_ERROR_ENGINE;
    }
    switch (verb) {
    case VERB_INFO:
        return answer_info(protocol);
    case VERB_X:
        return answer_values(protocol, words, FORM_X, remedy);
    case VERB_Q:
        return answer_values(protocol, words, FORM_Q, remedy);
    case VERB_LOAD:
        return answer_load(protocol, words);
    case VERB_RUN:
        return answer_run(protocol, words);
    case VERB_READ:
        return answer_read(protocol, words);
    case VERB_MANY:
        return answer_many(protocol, words);
    case VERB_RESET:
        return answer_reset(protocol);
    case VERB_BAUD:
        return answer_baud(protocol, words);
    case VERB_PEOPLE:
    case VERB_HELP:
    case VERB_UNKNOWN:
        break;
    }
    words->rest = start;
    return answer_values(protocol, words, FORM_PEOPLE, remedy);
}
