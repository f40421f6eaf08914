/* SPDX-License-Identifier: Apache-2.0
 * SignalIrfft: real samples from their spectrum, int16 or int32. Bit-exact with TFLite Micro, that is, with KISS FFT's
 * kiss_fftri in fixed point. The spectrum becomes that of half as many complex values, right in the output.
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_IRFFT_H
#define TINYPROOF_KERNELS_SIGNAL_IRFFT_H

#include "kernels/fft.h"

struct signal_irfft {
    struct fft fft;
    int32_t rows;
    int32_t values; /* complex ones, of an input row */
};

KERNEL_INLINE void irfft_put_together(const int8_t *input, int8_t *output, const struct fft *p) {
    const struct fft_value first = fft_load(input, 0, p), last = fft_load(input, p->length, p);
    struct fft_value mean;
    mean.re = first.re + last.re;
    mean.im = first.re - last.re;
    fft_store(output, p->places[0], fft_scale(mean, p->half, p), p);
    for (int32_t k = 1; k <= p->length - k; k++) {
        const struct fft_value a = fft_scale(fft_load(input, k, p), p->half, p);
        struct fft_value b = fft_load(input, p->length - k, p);
        b.im = 0 - b.im;
        b = fft_scale(b, p->half, p);
        const struct fft_value even = fft_add(a, b);
        const struct fft_value odd = fft_multiply(fft_subtract(a, b), fft_root(p->length + k - 1, p), p);
        fft_store(output, p->places[k], fft_add(even, odd), p);
        struct fft_value mirrored = fft_subtract(even, odd);
        mirrored.im = 0 - mirrored.im;
        fft_store(output, p->places[p->length - k], mirrored, p);
    }
}

KERNEL_INLINE void signal_irfft(const int8_t *input, int8_t *output, const struct signal_irfft *p) {
    const int32_t element = p->fft.wide ? 4 : 2;
    for (int32_t row = 0; row < p->rows; row++) {
        irfft_put_together(input, output, &p->fft);
        fft_run(output, &p->fft);
        input += 2 * element * p->values;
        output += 2 * element * p->fft.length;
    }
}

#endif
