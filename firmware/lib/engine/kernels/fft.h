/* SPDX-License-Identifier: Apache-2.0
 * A complex FFT of int16 or int32 whose radices, roundings and sums are KISS FFT's in fixed point, bit for bit. Sums that
 * leave their type wrap around. Values lie as (real, imaginary) pairs, and each is put into its place before the first
 * stage, so that all stages work where they lie.
 */
#ifndef TINYPROOF_KERNELS_FFT_H
#define TINYPROOF_KERNELS_FFT_H

#include "requantize.h"

struct fft_stage {
    int32_t radix;  /* 2 to 5 */
    int32_t size;   /* of the transforms that become one */
    int32_t blocks; /* that it makes; roots are so far apart */
    int32_t factor; /* 1 / radix */
};

#define FFT_STAGES 16 /* of 65536 samples, 15 at most */

struct fft {
    int32_t wide;    /* 1: int32, 0: int16 */
    int32_t inverse; /* 1: to the samples */
    int32_t length;  /* complex values */
    int32_t stages;
    int32_t half;                /* 1 / 2 */
    struct fft_stage stage[FFT_STAGES];
    KERNEL_TABLE uint16_t *places;      /* of each input */
    KERNEL_TABLE int16_t *roots;        /* [length] pairs, then [length / 2] that take a real signal's halves apart */
    KERNEL_TABLE int32_t *wide_roots;   /* the same for int32 */
};

struct fft_root {
    int32_t re, im;
};

struct fft_value {
    uint32_t re, im; /* sums: only the bits of the type count */
};

KERNEL_INLINE int32_t fft_wrap(uint32_t sum, const struct fft *p) {
    return p->wide ? (int32_t)sum : (int16_t)sum;
}

KERNEL_INLINE struct fft_root fft_root(int32_t number, const struct fft *p) {
    struct fft_root root;
    root.re = p->wide ? p->wide_roots[2 * number] : p->roots[2 * number];
    root.im = p->wide ? p->wide_roots[2 * number + 1] : p->roots[2 * number + 1];
    return root;
}

KERNEL_INLINE struct fft_value fft_load(const int8_t *data, int32_t place, const struct fft *p) {
    struct fft_value value;
    if (p->wide) {
        const int32_t *pair = (const int32_t *)(const void *)data + 2 * place;
        value.re = (uint32_t)pair[0];
        value.im = (uint32_t)pair[1];
    } else {
        const int16_t *pair = (const int16_t *)(const void *)data + 2 * place;
        value.re = (uint32_t)pair[0];
        value.im = (uint32_t)pair[1];
    }
    return value;
}

KERNEL_INLINE void fft_store(int8_t *data, int32_t place, struct fft_value value, const struct fft *p) {
    if (p->wide) {
        int32_t *pair = (int32_t *)(void *)data + 2 * place;
        pair[0] = (int32_t)value.re;
        pair[1] = (int32_t)value.im;
    } else {
        int16_t *pair = (int16_t *)(void *)data + 2 * place;
        pair[0] = (int16_t)value.re;
        pair[1] = (int16_t)value.im;
    }
}

/* a * b + c * d, rounded, by numbers of which b and d are fractions. */
KERNEL_INLINE uint32_t fft_products(uint32_t a, int32_t b, uint32_t c, int32_t d, const struct fft *p) {
    if (p->wide) {
        const int64_t sum = (int64_t)(int32_t)a * b + (int64_t)(int32_t)c * d;
        return (uint32_t)(uint64_t)((sum + (INT32_C(1) << 30)) >> 31);
    }
    return (uint32_t)(int16_t)(((int16_t)a * b + (int16_t)c * d + (1 << 14)) >> 15);
}

KERNEL_INLINE uint32_t fft_product(uint32_t a, int32_t b, const struct fft *p) {
    return fft_products(a, b, 0, 0, p);
}

KERNEL_INLINE struct fft_value fft_scale(struct fft_value a, int32_t factor, const struct fft *p) {
    a.re = fft_product(a.re, factor, p);
    a.im = fft_product(a.im, factor, p);
    return a;
}

KERNEL_INLINE struct fft_value fft_multiply(struct fft_value a, struct fft_root root, const struct fft *p) {
    struct fft_value y;
    y.re = fft_products(a.re, root.re, a.im, -root.im, p);
    y.im = fft_products(a.re, root.im, a.im, root.re, p);
    return y;
}

KERNEL_INLINE struct fft_value fft_add(struct fft_value a, struct fft_value b) {
    a.re += b.re;
    a.im += b.im;
    return a;
}

KERNEL_INLINE struct fft_value fft_subtract(struct fft_value a, struct fft_value b) {
    a.re -= b.re;
    a.im -= b.im;
    return a;
}

/* a + i b */
KERNEL_INLINE struct fft_value fft_add_turned(struct fft_value a, struct fft_value b) {
    a.re -= b.im;
    a.im += b.re;
    return a;
}

/* a - i b */
KERNEL_INLINE struct fft_value fft_subtract_turned(struct fft_value a, struct fft_value b) {
    a.re += b.im;
    a.im -= b.re;
    return a;
}

/* By real numbers each. */
KERNEL_INLINE struct fft_value fft_weigh(struct fft_value a, int32_t u, struct fft_value b, int32_t v,
                                         const struct fft *p) {
    return fft_add(fft_scale(a, u, p), fft_scale(b, v, p));
}

KERNEL_INLINE void fft_three(struct fft_value *x, struct fft_root root, const struct fft *p) {
    const struct fft_value sum = fft_add(x[1], x[2]);
    const struct fft_value turned = fft_scale(fft_subtract(x[1], x[2]), root.im, p);
    struct fft_value middle;
    middle.re = x[0].re - (uint32_t)(fft_wrap(sum.re, p) >> 1);
    middle.im = x[0].im - (uint32_t)(fft_wrap(sum.im, p) >> 1);
    x[0] = fft_add(x[0], sum);
    x[1] = fft_add_turned(middle, turned);
    x[2] = fft_subtract_turned(middle, turned);
}

KERNEL_INLINE void fft_four(struct fft_value *x, const struct fft *p) {
    const struct fft_value even = fft_add(x[0], x[2]), odd = fft_add(x[1], x[3]);
    const struct fft_value across = fft_subtract(x[0], x[2]), turned = fft_subtract(x[1], x[3]);
    x[0] = fft_add(even, odd);
    x[2] = fft_subtract(even, odd);
    x[1] = p->inverse ? fft_add_turned(across, turned) : fft_subtract_turned(across, turned);
    x[3] = p->inverse ? fft_subtract_turned(across, turned) : fft_add_turned(across, turned);
}

KERNEL_INLINE void fft_five(struct fft_value *x, struct fft_root a, struct fft_root b, const struct fft *p) {
    const struct fft_value outer = fft_add(x[1], x[4]), inner = fft_add(x[2], x[3]);
    const struct fft_value outer_gap = fft_subtract(x[1], x[4]), inner_gap = fft_subtract(x[2], x[3]);
    const struct fft_value near_level = fft_add(x[0], fft_weigh(outer, a.re, inner, b.re, p));
    const struct fft_value far_level = fft_add(x[0], fft_weigh(outer, b.re, inner, a.re, p));
    const struct fft_value near_turned = fft_weigh(outer_gap, a.im, inner_gap, b.im, p);
    const struct fft_value far_turned = fft_subtract(fft_scale(outer_gap, b.im, p), fft_scale(inner_gap, a.im, p));
    x[0] = fft_add(x[0], fft_add(outer, inner));
    x[1] = fft_add_turned(near_level, near_turned);
    x[4] = fft_subtract_turned(near_level, near_turned);
    x[2] = fft_add_turned(far_level, far_turned);
    x[3] = fft_subtract_turned(far_level, far_turned);
}

/* One place of each of the transforms that become one, `size` apart from `first` on. */
KERNEL_INLINE void fft_butterfly(int8_t *data, int32_t first, int32_t place, const struct fft_stage *s,
                                 const struct fft *p) {
    struct fft_value x[5] = {{0, 0}};
    x[0] = fft_scale(fft_load(data, first, p), s->factor, p);
    for (int32_t i = 1; i < s->radix; i++) {
        const struct fft_value value = fft_scale(fft_load(data, first + i * s->size, p), s->factor, p);
        x[i] = fft_multiply(value, fft_root(i * place * s->blocks, p), p);
    }
    const int32_t apart = s->blocks * s->size;
    if (s->radix == 2) {
        const struct fft_value even = x[0];
        x[0] = fft_add(even, x[1]);
        x[1] = fft_subtract(even, x[1]);
    } else if (s->radix == 3) {
        fft_three(x, fft_root(apart, p), p);
    } else if (s->radix == 4) {
        fft_four(x, p);
    } else {
        fft_five(x, fft_root(apart, p), fft_root(2 * apart, p), p);
    }
    for (int32_t i = 0; i < s->radix; i++) {
        fft_store(data, first + i * s->size, x[i], p);
    }
}

KERNEL_INLINE void fft_run(int8_t *data, const struct fft *p) {
    for (int32_t stage = 0; stage < p->stages; stage++) {
        const struct fft_stage *s = p->stage + stage;
        for (int32_t block = 0; block < s->blocks; block++) {
            const int32_t first = block * s->radix * s->size;
            for (int32_t place = 0; place < s->size; place++) {
                fft_butterfly(data, first + place, place, s, p);
            }
        }
    }
}

#endif
