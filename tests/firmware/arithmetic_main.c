/* SPDX-License-Identifier: Apache-2.0
 * What firmware/lib/hal/xtensa_arithmetic.c makes of pairs (a, b) of 32 bits from stdin: quotients and rests, a as a float,
 * sum, difference and product of the two bit patterns as floats, and the 64-bit product of a:b and b.
 */
#include "xtensa_arithmetic.h"

#include <stdio.h>
#include <string.h>

struct answers {
    uint32_t quotient, rest;
    int32_t signed_quotient, signed_rest;
    float number, sum, difference, product;
    int64_t wide;
};

int main(void) {
    int32_t pair[2];
    while (fread(pair, sizeof pair, 1, stdin) == 1) {
        const int32_t a = pair[0], b = pair[1];
        float x, y;
        memcpy(&x, &a, sizeof x);
        memcpy(&y, &b, sizeof y);
        struct answers answers = {0, 0, 0, 0, __floatsisf(a), __addsf3(x, y), __subsf3(x, y), __mulsf3(x, y), 0};
        if (b != 0) {
            answers.quotient = __udivsi3((uint32_t)a, (uint32_t)b);
            answers.rest = __umodsi3((uint32_t)a, (uint32_t)b);
            answers.signed_quotient = __divsi3(a, b);
            answers.signed_rest = __modsi3(a, b);
        }
        const int64_t wide_a = (int64_t)((uint64_t)(uint32_t)a << 32 | (uint32_t)b);
        answers.wide = __muldi3(wide_a, b);
        if (fwrite(&answers, sizeof answers, 1, stdout) != 1) {
            return 1;
        }
    }
    return 0;
}
