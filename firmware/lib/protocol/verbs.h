/* SPDX-License-Identifier: Apache-2.0
 * The verbs of the protocol, over a line whose SEQ and CRC have been taken off. Internal to the protocol.
 */
#ifndef TINYPROOF_VERBS_H
#define TINYPROOF_VERBS_H

#include "protocol.h"

/* What is left of a line. */
struct words {
    const char *rest;
    const char *end;
};

struct word {
    const char *text;
    size_t count;
};

/* The next run of characters other than space; false at the end of the line, with an empty word. */
bool words_next(struct words *words, struct word *word);

/* Whether it is the first word of `usage`. */
bool word_is(const struct word *word, const char *usage);

/* Takes a count or an offset, unsigned. */
enum protocol_error words_take_uint(struct words *words, uint32_t *value);

/* Where byte `offset` of all tensors lies; `offset` is inside. */
int8_t *tensors_byte(const struct engine_tensors *tensors, uint32_t offset);

/* One inference from what the inputs hold. */
ENGINE_MUST_CHECK enum protocol_error verbs_infer(struct protocol *protocol);

/* Answers, or returns what is wrong and perhaps says in `remedy` (" use ...") what to do; then nothing was sent. */
enum protocol_error verbs_answer(struct protocol *protocol, struct words *words, const char **remedy);

#endif
