/* SPDX-License-Identifier: Apache-2.0
 * One step of model_profile.c, `step.c`, on an arena of unknown bytes, for Frama-C's Eva.
 *
 * PROVED_SOFTMAX: of these functions of SOFTMAX Eva is told what is shown elsewhere: all sums that a row can have were
 * tried under the sanitizers (prove/softmax.py), none of them 0; the largest element of a row is not below the others.
 */
#include <stdint.h>

#ifdef PROVED_SOFTMAX
/*@ assigns \result \from largest, element; ensures 0 <= \result <= 255; */
static int32_t softmax_distance(int32_t largest, int32_t element);
/*@ assigns \result \from value; ensures 0 <= \result <= 31; */
static int32_t leading_zeros(uint32_t value);
/*@ assigns \result \from fraction; ensures 0 <= \result; */
static int32_t one_over_one_plus(int32_t fraction);
#endif

#include "step.c"

/*@ assigns p[0 .. size - 1] \from \nothing; ensures \initialized(p + (0 .. size - 1)); */
extern void Frama_C_make_unknown(char *p, unsigned int size);

static int8_t arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));

int main(void) {
    Frama_C_make_unknown((char *)arena, MODEL_ARENA_BYTES);
    PROVED_STEP(arena);
    return 0;
}
