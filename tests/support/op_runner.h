/* SPDX-License-Identifier: Apache-2.0 */
/* The models of one program, as op_cases.py writes them down: all spans in the models' order. */
#ifndef OP_RUNNER_H
#define OP_RUNNER_H

#include <stddef.h>
#include <stdint.h>

struct span {
    size_t start, bytes;
};

/* The ends are where the spans of the next model begin. `reset` is NULL for a model without state. */
struct model {
    void (*run)(int8_t *);
    void (*reset)(int8_t *);
    size_t arena, gaps_end, inputs_end, outputs_end, states_end;
};

extern const struct model models[];
extern const size_t model_count;
extern const struct span gaps[], inputs[], outputs[], states[];

#endif
