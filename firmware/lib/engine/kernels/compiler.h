/* SPDX-License-Identifier: Apache-2.0
 * What the kernels and the generated code ask of a compiler beyond C99. GCC and Clang have it; -DKERNELS_STRICT_C99, or
 * another compiler, takes plain C99 with the same bits, for which no kernel of kernels_dsp/ or kernels_mve/ will do.
 */
#ifndef TINYPROOF_KERNELS_COMPILER_H
#define TINYPROOF_KERNELS_COMPILER_H

#if defined(__GNUC__) && !defined(KERNELS_STRICT_C99)
#define KERNELS_GNU 1
#define KERNEL_INLINE static inline __attribute__((always_inline))
#define KERNEL_NOINLINE __attribute__((noinline))
/* A kernel whose parts are `cold`, to be small: GCC would take its caller for cold, too, and then all that this one calls,
 * so that every other layer was built for size. */
#if __GNUC__ >= 8 && !defined(__clang__)
#define KERNEL_OF_COLD_PARTS static __attribute__((noipa))
#else
#define KERNEL_OF_COLD_PARTS static KERNEL_NOINLINE
#endif
#define KERNEL_ALIGNED(bytes) __attribute__((aligned(bytes)))
#else
#define KERNELS_GNU 0
#define KERNEL_INLINE static inline
#define KERNEL_NOINLINE
#define KERNEL_OF_COLD_PARTS static
#define KERNEL_ALIGNED(bytes)
#endif

#ifdef __clang__ /* inline assembly is one string, however long */
#pragma clang diagnostic ignored "-Woverlength-strings"
#endif

/* How the model's tables are stored. A core with a data space of its own keeps them in flash: avr-gcc has the address
 * space where it compiles GNU's C (-std=gnu99). Everywhere else constants are read where they lie. */
#ifndef KERNEL_TABLE
#if KERNELS_GNU && defined(__FLASH) && !defined(__STRICT_ANSI__)
#define KERNEL_TABLE const __flash
#if __GNUC__ < 7
#pragma GCC optimize("no-ivopts") /* with it, gcc 5 stops at loops over such tables with an internal error */
#endif
#else
#define KERNEL_TABLE const
#endif
#endif

#endif
