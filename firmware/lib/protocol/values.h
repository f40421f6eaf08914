/* SPDX-License-Identifier: Apache-2.0
 * All elements of a model's inputs or outputs as the numbers of one line. Internal to the protocol.
 */
#ifndef TINYPROOF_VALUES_H
#define TINYPROOF_VALUES_H

#include "number.h"
#include "protocol.h"
#include "verbs.h"

/* What to say where tensors do not fit a line. */
extern const char values_use_load[];

enum protocol_error number_error(enum number_status status);

/* Characters that all elements can take, each with `more` of them; more than a line where a type has no numbers. */
uint32_t values_text_bytes(const struct engine_tensors *tensors, uint32_t more);

/* Values of one line into the inputs, as they are or as real values; all or, after an error, none that counts. */
enum protocol_error values_take(struct protocol *protocol, struct words *words, bool floats, bool *saturated,
                                const char **remedy);

/* "ok q=121 y=4197CE04 t=41insn", y only `with_y`. */
void values_reply(struct protocol *protocol, bool with_y);

/* "y = 18.98 (q = 121, 41 insn)" */
void values_reply_people(struct protocol *protocol, bool saturated);

#endif
