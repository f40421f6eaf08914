/* SPDX-License-Identifier: Apache-2.0
 * One operator run alone, on contents that are made here, and a digest of all that it leaves: the firmware that traces
 * has this, never the one that is used. What earlier layers never let through is seen by this layer all the same: sums
 * that fall between two outputs, both ends of a clamp. An operator that makes each byte of two, one of each input, gets
 * all pairs there are. core/tflite/probe_contents.py makes the same contents in NumPy.
 *
 * The arena stands between two guards, and all of it is filled and digested, so that a byte that is written beside the
 * outputs shows, too; the scratch alone may hold anything afterwards. After a few contents it is only what the operator
 * reads and writes, and a guard on either side: so a small layer of a large model gets many.
 */
#ifndef TINYPROOF_PROBE_H
#define TINYPROOF_PROBE_H

#include <stdint.h>

#include "mix32.h"

enum {
    PROBE_GUARD = 32, /* bytes before and behind the arena, which no kernel may touch */
    PROBE_WHOLE = 8,  /* trials in which all of it is looked at */
};
#define PROBE_WORDS(arena_bytes) (((arena_bytes) + 3U) / 4U + 2U * PROBE_GUARD / 4U)

/* `elements` of `bytes` each, 1 or 2, signed, at `offset` in the arena. */
struct probe_input {
    uint32_t offset, elements;
    int16_t zero_point;
    uint8_t bytes;
};

/* Of a step. `inputs`: those from number `first_input` on; `trials`: contents that it is worth, 0 where it is not
 * asked. `first_word`, `words`: what it reads and writes, with guards, from the first guard's begin on. In the last
 * `givens` trials the first input holds what the host has chosen, from byte `given` on, one after the other; in the last
 * `pairs` trials the first two inputs hold pairs of bytes in turn. */
struct probe {
    uint32_t first_input, inputs, scratch_offset, scratch_bytes, trials, first_word, words, given, givens, pairs;
};

/* Of the arena, which tensors of all types share. */
typedef uint32_t __attribute__((may_alias)) probe_word;
typedef int16_t __attribute__((may_alias)) probe_half;

enum { PROBE_UNIFORM, PROBE_NEAR, PROBE_SPARSE, PROBE_EXTREMES };

static inline uint32_t probe_key(uint32_t seed, uint32_t step, uint32_t trial) {
    return mix32(mix32(mix32(seed) + step) + trial);
}

static inline void probe_fill(probe_word *words, uint32_t first, uint32_t end, uint32_t key) {
    for (uint32_t i = first; i < end; i++) {
        words[i] = mix32(key + i);
    }
}

/* Any bytes: uniform where they stay as they were filled; else near the zero point, mostly at it, or at both ends. */
static inline void probe_make(int8_t *arena, const struct probe_input *input, uint32_t key, uint32_t trial) {
    static const uint8_t kinds[] = {
        PROBE_UNIFORM, PROBE_NEAR, PROBE_SPARSE, PROBE_EXTREMES, PROBE_NEAR, PROBE_NEAR, PROBE_SPARSE, PROBE_NEAR,
    };
    const uint8_t kind = kinds[trial % sizeof kinds];
    const int32_t high = input->bytes == 1 ? INT8_MAX : INT16_MAX;
    const uint32_t shift = 1U + key % (input->bytes == 1 ? 6U : 14U);
    if (kind == PROBE_UNIFORM) {
        return;
    }
    for (uint32_t i = 0; i < input->elements; i++) {
        const int32_t any = (int32_t)mix32(~key + input->offset + i);
        int32_t value = any >> (input->bytes == 1 ? 24 : 16);
        if (kind == PROBE_NEAR) {
            value = input->zero_point + (value >> shift);
            value = value < -high - 1 ? -high - 1 : value;
            value = value > high ? high : value;
        } else if (kind == PROBE_EXTREMES) {
            value = value < 0 ? -high - 1 : high;
        } else if ((any & 3) != 0) {
            value = input->zero_point;
        }
        if (input->bytes == 1) {
            arena[input->offset + i] = (int8_t)value;
        } else {
            ((probe_half *)(void *)(arena + input->offset))[i] = (int16_t)value;
        }
    }
}

static inline uint32_t probe_digest(const probe_word *words, uint32_t first, uint32_t end) {
    uint32_t digest = 0;
    for (uint32_t i = first; i < end; i++) {
        digest += mix32(words[i] + i * 0x9E3779B1U);
    }
    return digest;
}

/* Contents number `number` of those that the host has chosen. The bytes beside them are the greatest there is: a kernel
 * that looks beyond its rows for their maximum finds one. */
static inline void probe_give(int8_t *arena, const struct probe_input *input, const int8_t *given, uint32_t number) {
    const uint32_t bytes = input->elements * input->bytes;
    int8_t *const begin = arena + input->offset; /* the guard is before the arena's first byte */
    begin[-1] = begin[bytes] = INT8_MAX;
    for (uint32_t i = 0; i < bytes; i++) {
        begin[i] = given[number * bytes + i];
    }
}

/* From the pair with number `start` on, one for each element; beginning anew they move on by one place, so that kernels
 * that take some elements at a time get each pair in all of their places. */
static inline void probe_pair(int8_t *arena, const struct probe_input *inputs, uint32_t start) {
    for (uint32_t i = 0; i < inputs->elements; i++) {
        const uint32_t pair = start + i + ((start + i) >> 16);
        arena[inputs[0].offset + i] = (int8_t)(uint8_t)pair;
        arena[inputs[1].offset + i] = (int8_t)(uint8_t)(pair >> 8);
    }
}

/* The digest of trials `first` up to `end` of number `step`. `words`: the guard, the arena, and the other guard;
 * `inputs` and `given`: of all steps. */
static inline uint32_t probe_step(probe_word *words, uint32_t arena_bytes, void (*run)(int8_t *arena),
                                  const struct probe *probe, const struct probe_input *inputs, const int8_t *given,
                                  uint32_t seed, uint32_t step, uint32_t first, uint32_t end) {
    int8_t *const arena = (int8_t *)words + PROBE_GUARD;
    uint32_t digest = 0;
    for (uint32_t trial = first; trial < end && trial < probe->trials; trial++) {
        const uint32_t key = probe_key(seed, step, trial);
        const uint32_t from = trial < PROBE_WHOLE ? 0 : probe->first_word;
        const uint32_t to = trial < PROBE_WHOLE ? PROBE_WORDS(arena_bytes) : from + probe->words;
        probe_fill(words, from, to, key);
        if (trial + probe->pairs >= probe->trials) {
            const struct probe_input *const first_input = &inputs[probe->first_input];
            probe_pair(arena, first_input, (trial + probe->pairs - probe->trials) * first_input->elements);
        } else {
            for (uint32_t i = 0; i < probe->inputs; i++) {
                probe_make(arena, &inputs[probe->first_input + i], key, trial);
            }
        }
        if (trial + probe->givens >= probe->trials) {
            probe_give(arena, &inputs[probe->first_input], given + probe->given, trial + probe->givens - probe->trials);
        }
        run(arena);
        for (uint32_t i = 0; i < probe->scratch_bytes; i++) {
            arena[probe->scratch_offset + i] = 0;
        }
        digest = mix32(digest + probe_digest(words, from, to));
    }
    return digest;
}

#endif
