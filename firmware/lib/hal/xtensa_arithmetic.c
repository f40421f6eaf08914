/* SPDX-License-Identifier: Apache-2.0
 * What the compiler calls on a core without division and floats, and Debian's libgcc for it leaves out: integer division,
 * a 64-bit product, and float addition and multiplication (IEEE 754-2019, round to nearest, ties to even).
 */
#include "xtensa_arithmetic.h"

#include <string.h>

struct division {
    uint32_t quotient, rest;
};

static struct division divide(uint32_t a, uint32_t b) {
    struct division d = {0, 0};
    for (int bit = 31; bit >= 0; bit--) {
        const uint32_t carry = d.rest >> 31;
        d.rest = d.rest << 1 | (a >> bit & 1U);
        if (carry || d.rest >= b) {
            d.rest -= b;
            d.quotient |= UINT32_C(1) << bit;
        }
    }
    return d;
}

static uint32_t magnitude_of(int32_t a) {
    return a < 0 ? 0U - (uint32_t)a : (uint32_t)a;
}

uint32_t __udivsi3(uint32_t a, uint32_t b) {
    return divide(a, b).quotient;
}

uint32_t __umodsi3(uint32_t a, uint32_t b) {
    return divide(a, b).rest;
}

int32_t __divsi3(int32_t a, int32_t b) {
    const uint32_t quotient = divide(magnitude_of(a), magnitude_of(b)).quotient;
    return (int32_t)((a ^ b) < 0 ? 0U - quotient : quotient);
}

int32_t __modsi3(int32_t a, int32_t b) {
    const uint32_t rest = divide(magnitude_of(a), magnitude_of(b)).rest;
    return (int32_t)(a < 0 ? 0U - rest : rest);
}

static uint64_t multiply(uint32_t a, uint32_t b) {
    const uint32_t a0 = a & 0xFFFFU, a1 = a >> 16, b0 = b & 0xFFFFU, b1 = b >> 16;
    const uint32_t low = a0 * b0;
    const uint32_t middle = a1 * b0 + (low >> 16); /* at most 2^32 - 2^16 - 1: no carry */
    const uint32_t other = a0 * b1 + (middle & 0xFFFFU);
    const uint32_t high = a1 * b1 + (middle >> 16) + (other >> 16);
    return (uint64_t)high << 32 | other << 16 | (low & 0xFFFFU);
}

int64_t __muldi3(int64_t a, int64_t b) {
    const uint32_t a0 = (uint32_t)a, a1 = (uint32_t)((uint64_t)a >> 32);
    const uint32_t b0 = (uint32_t)b, b1 = (uint32_t)((uint64_t)b >> 32);
    return (int64_t)(multiply(a0, b0) + ((uint64_t)(a1 * b0 + a0 * b1) << 32));
}

#define SIGN UINT32_C(0x80000000)
#define INFINITE UINT32_C(0x7F800000)
#define NOT_A_NUMBER UINT32_C(0x7FC00000)

static uint32_t bits_of(float a) {
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* A finite number is magnitude * 2^exponent. */
static uint32_t magnitude(uint32_t bits) {
    const uint32_t fraction = bits & 0x7FFFFFU;
    return bits & INFINITE ? fraction | 0x800000U : fraction;
}

static int32_t exponent(uint32_t bits) {
    const int32_t biased = (int32_t)(bits >> 23 & 0xFFU);
    return (biased ? biased : 1) - 150;
}

/* The float nearest to number * 2^power. `number` is below 2^63. */
static float nearest(uint32_t sign, uint64_t number, int32_t power) {
    if (number == 0) {
        return float_of(sign);
    }
    uint32_t lost = 0; /* whether anything but zeros left at the right, and last, the bit that left last */
    uint32_t last = 0;
    while (number >= 0x1000000U || power < -149) {
        lost |= last;
        last = (uint32_t)number & 1U;
        number >>= 1;
        power++;
    }
    while (number < 0x800000U && power > -149) {
        number <<= 1;
        power--;
    }
    uint32_t fraction = (uint32_t)number;
    fraction += last & (lost | fraction); /* may carry into the next power of two, whose fraction is 0 */
    if (fraction >= 0x1000000U) {
        fraction >>= 1;
        power++;
    }
    if (power > 104) {
        return float_of(sign | INFINITE);
    }
    const uint32_t biased = fraction & 0x800000U ? (uint32_t)(power + 150) : 0U;
    return float_of(sign | biased << 23 | (fraction & 0x7FFFFFU));
}

float __floatsisf(int32_t a) {
    return nearest(a < 0 ? SIGN : 0U, magnitude_of(a), 0);
}

float __mulsf3(float x, float y) {
    const uint32_t a = bits_of(x), b = bits_of(y), sign = (a ^ b) & SIGN;
    const uint32_t a_size = a & ~SIGN, b_size = b & ~SIGN;
    if (a_size >= INFINITE || b_size >= INFINITE) {
        const int undefined = a_size > INFINITE || b_size > INFINITE || a_size == 0 || b_size == 0;
        return float_of(undefined ? NOT_A_NUMBER : sign | INFINITE);
    }
    return nearest(sign, multiply(magnitude(a), magnitude(b)), exponent(a) + exponent(b));
}

float __addsf3(float x, float y) {
    uint32_t a = bits_of(x), b = bits_of(y);
    if ((a & ~SIGN) < (b & ~SIGN)) {
        const uint32_t smaller = a;
        a = b;
        b = smaller;
    }
    const uint32_t a_size = a & ~SIGN, b_size = b & ~SIGN, opposite = (a ^ b) & SIGN;
    if (a_size >= INFINITE) {
        return float_of(a_size > INFINITE || (b_size == INFINITE && opposite) ? NOT_A_NUMBER : a);
    }
    /* Farther apart than this, the smaller number decides about rounding only, and 1 does for it. */
    const int32_t apart = exponent(a) - exponent(b);
    const int32_t shift = apart > 36 ? 36 : apart;
    const uint64_t large = (uint64_t)magnitude(a) << shift;
    const uint64_t small = apart > 36 ? (b_size != 0) : magnitude(b);
    if (opposite && large == small) {
        return 0.0F;
    }
    return nearest(a & SIGN, opposite ? large - small : large + small, exponent(a) - shift);
}

float __subsf3(float x, float y) {
    return __addsf3(x, float_of(bits_of(y) ^ SIGN));
}
