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

/* Answers, or returns what is wrong and perhaps says in `remedy` (" use ...") what to do; then nothing was sent. */
enum protocol_error verbs_answer(struct protocol *protocol, struct words *words, const char **remedy);

#endif
