/* SPDX-License-Identifier: Apache-2.0
 * SignalRfft: the spectrum of real samples, int16 or int32. Bit-exact with TFLite Micro, that is, with KISS FFT's
 * kiss_fftr in fixed point. Even samples are real parts and odd ones imaginary parts of half as many values; their
 * spectrum lies in the output, where it is taken apart.
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_RFFT_H
#define TINYPROOF_KERNELS_SIGNAL_RFFT_H

#include "kernels/fft.h"

struct signal_rfft {
    struct fft fft;
    int32_t rows;
    int32_t samples; /* of a row; zeros follow */
};

KERNEL_INLINE uint32_t rfft_sample(const int8_t *input, int32_t place, const struct signal_rfft *p) {
    if (place >= p->samples) {
        return 0;
    }
    if (p->fft.wide) {
        return (uint32_t)((const int32_t *)(const void *)input)[place];
    }
    return (uint32_t)((const int16_t *)(const void *)input)[place];
}

/* int16 is added in 32 bits. */
KERNEL_INLINE struct fft_value rfft_half(struct fft_value sum) {
    sum.re = (uint32_t)((int32_t)sum.re >> 1);
    sum.im = (uint32_t)((int32_t)sum.im >> 1);
    return sum;
}

/* Both values as what their type holds, in 32 bits. */
KERNEL_INLINE struct fft_value rfft_wrapped(struct fft_value value, const struct fft *p) {
    value.re = (uint32_t)fft_wrap(value.re, p);
    value.im = (uint32_t)fft_wrap(value.im, p);
    return value;
}

KERNEL_INLINE void rfft_take_apart(int8_t *output, const struct fft *p) {
    const struct fft_value mean = fft_scale(fft_load(output, 0, p), p->half, p);
    struct fft_value end = {mean.re + mean.im, 0};
    fft_store(output, 0, end, p);
    end.re = mean.re - mean.im;
    fft_store(output, p->length, end, p);
    for (int32_t k = 1; k <= p->length - k; k++) {
        const struct fft_value a = fft_scale(fft_load(output, k, p), p->half, p);
        struct fft_value b = fft_load(output, p->length - k, p);
        b.im = 0 - b.im;
        b = fft_scale(b, p->half, p);
        const struct fft_value even = rfft_wrapped(fft_add(a, b), p);
        const struct fft_value odd = fft_multiply(fft_subtract(a, b), fft_root(p->length + k - 1, p), p);
        fft_store(output, k, rfft_half(fft_add(even, odd)), p);
        struct fft_value mirrored;
        mirrored.re = even.re - odd.re;
        mirrored.im = odd.im - even.im;
        fft_store(output, p->length - k, rfft_half(mirrored), p);
    }
}

KERNEL_INLINE void signal_rfft(const int8_t *input, int8_t *output, const struct signal_rfft *p) {
    const int32_t element = p->fft.wide ? 4 : 2;
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t i = 0; i < p->fft.length; i++) {
            struct fft_value value;
            value.re = rfft_sample(input, 2 * i, p);
            value.im = rfft_sample(input, 2 * i + 1, p);
            fft_store(output, p->fft.places[i], value, &p->fft);
        }
        fft_run(output, &p->fft);
        rfft_take_apart(output, &p->fft);
        input += element * p->samples;
        output += 2 * element * (p->fft.length + 1);
    }
}

#endif
