/* SPDX-License-Identifier: Apache-2.0
 * One step of model_profile.c, `step.c`, on an arena of unknown bytes, for Frama-C's Eva. */
#include "step.c"

extern int Frama_C_interval(int low, int high);

static int8_t arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));

int main(void) {
    for (int i = 0; i < MODEL_ARENA_BYTES; i++) {
        arena[i] = (int8_t)Frama_C_interval(-128, 127);
    }
    PROVED_STEP(arena);
    return 0;
}
