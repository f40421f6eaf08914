/* SPDX-License-Identifier: Apache-2.0
 * What faults/native/source.py says of a model to runner.c.
 */
#ifndef TINYPROOF_FAULTS_RUNNER_H
#define TINYPROOF_FAULTS_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#include "probe.h"

/* Bytes of the arena, of inputs and outputs in their order; of what is digested, in the order of the steps. */
struct span {
    uint32_t step, offset, bytes;
};

/* Bytes of the program that a fault may change. */
struct region {
    unsigned char *start;
    size_t bytes;
};

typedef void (*step_function)(int8_t *arena);

extern const step_function model_steps[];
extern const struct span model_inputs[], model_outputs[], model_digests[];
extern const uint32_t model_step_count, model_input_count, model_output_count, model_digest_count, model_arena_bytes;
extern const struct probe model_probes[];
extern const struct probe_input model_probe_inputs[];
extern const int8_t model_probe_given[];
void model_begin(int8_t *arena);

extern const struct region regions[];

#endif
