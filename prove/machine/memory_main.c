/* SPDX-License-Identifier: Apache-2.0
 * Runs each step of model_profile.c once, under the sanitizers, on an arena of its exact size, with bytes from a
 * generator. Prints which bytes a step wrote: those that differ after a run on two arenas that differ everywhere.
 */
#include <stdio.h>
#include <stdlib.h>

#include "model_profile.c"

static void fill(int8_t *arena, uint32_t seed, int invert) {
    for (int32_t i = 0; i < MODEL_ARENA_BYTES; i++) {
        seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
        const int value = (int)(seed >> 24);
        arena[i] = (int8_t)((invert ? 255 - value : value) - 128);
    }
}

int main(void) {
    /* Aligned as the engine aligns it; the sanitizer guards both ends. */
    void *aligned = NULL;
    int8_t *before = malloc(MODEL_ARENA_BYTES);
    char *written = malloc(MODEL_ARENA_BYTES);
    if (posix_memalign(&aligned, 16, MODEL_ARENA_BYTES) || !before || !written) {
        return 2;
    }
    int8_t *arena = aligned;
    for (int step = 0; step < MODEL_STEPS; step++) {
        for (int32_t i = 0; i < MODEL_ARENA_BYTES; i++) {
            written[i] = 0;
        }
        for (int run = 0; run < 2; run++) {
            fill(before, (uint32_t)step, run);
            fill(arena, (uint32_t)step, run);
            model_steps[step](arena);
            for (int32_t i = 0; i < MODEL_ARENA_BYTES; i++) {
                written[i] |= (char)(arena[i] != before[i]);
            }
        }
        printf("%d", step);
        for (int32_t i = 0, from = -1; i <= MODEL_ARENA_BYTES; i++) {
            const int now = i < MODEL_ARENA_BYTES && written[i];
            if (now && from < 0) {
                from = i;
            } else if (!now && from >= 0) {
                printf(" %d %d", (int)from, (int)i);
                from = -1;
            }
        }
        printf("\n");
    }
    free(arena);
    free(before);
    free(written);
    return 0;
}
