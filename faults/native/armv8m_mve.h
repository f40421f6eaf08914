/* SPDX-License-Identifier: Apache-2.0
 * Instructions of Armv8.1-M's vector extension (MVE) in C, for assembly that assembly.py has translated; only what the
 * kernels use. Source: Armv8-M Architecture Reference Manual (Arm DDI 0553), C2.4. The QC flag is left out: no kernel
 * reads it.
 *
 * A vector has 16 bytes. A mask has a bit for each of them: what is predicated off is not written, or where it would be
 * loaded becomes 0, and its memory is not touched. A lane of memory is there if the bit of its first byte is.
 */
#ifndef TINYPROOF_ARMV8M_MVE_H
#define TINYPROOF_ARMV8M_MVE_H

#include "armv7em.h"

enum { MVE_BYTES_IN_VECTOR = 16, MVE_ALL = 0xffff };

typedef struct {
    uint32_t words[4];
} arm_vector;
typedef int8_t __attribute__((may_alias)) mve_s8;
typedef uint8_t __attribute__((may_alias)) mve_u8;
typedef int16_t __attribute__((may_alias)) mve_s16;
typedef uint16_t __attribute__((may_alias)) mve_u16;
typedef int32_t __attribute__((may_alias)) mve_s32;
typedef uint32_t __attribute__((may_alias)) mve_u32;

/* ADD of a number and an address, in whatever order. */
static inline arm_register mve_add(arm_register n, arm_register m) { return m >> 32 ? arm_add(m, n) : arm_add(n, m); }

/* Masks: the first `count` lanes of so many bytes; those of the iterations that are left of a loop, of which `bytes` is 0
 * where it has no tail predication. */
static inline unsigned mve_first(uint32_t count, unsigned bytes) {
    return count >= MVE_BYTES_IN_VECTOR / bytes ? MVE_ALL : (1u << (unsigned)count * bytes) - 1;
}
static inline unsigned mve_tail(arm_register left, unsigned bytes) {
    return bytes ? mve_first((uint32_t)left, bytes) : MVE_ALL;
}

/* `made` where the mask lets it be written, and what was there before. */
static inline arm_vector mve_merge(arm_vector before, arm_vector made, unsigned mask) {
    if (mask == MVE_ALL) {
        return made;
    }
    mve_u8 *const to = (mve_u8 *)before.words;
    const mve_u8 *const from = (const mve_u8 *)made.words;
    for (unsigned byte = 0; byte < MVE_BYTES_IN_VECTOR; byte++) {
        if (mask >> byte & 1) {
            to[byte] = from[byte];
        }
    }
    return before;
}

/* Loads of lanes of one type from memory of another, which have to be aligned to it, and stores. */
#define MVE_MEMORY(name, lane, memory)                                                                                 \
    static inline arm_vector mve_ldr##name(arm_register at, unsigned mask) {                                           \
        arm_vector made = {{0, 0, 0, 0}};                                                                              \
        lane *const to = (lane *)made.words;                                                                           \
        const memory *const from = (const memory *)at;                                                                 \
        for (unsigned e = 0; e < MVE_BYTES_IN_VECTOR / sizeof(lane); e++) {                                            \
            if (mask >> e * sizeof(lane) & 1) {                                                                        \
                to[e] = (lane)from[e];                                                                                 \
            }                                                                                                          \
        }                                                                                                              \
        return made;                                                                                                   \
    }                                                                                                                  \
    static inline void mve_str##name(arm_register at, arm_vector value, unsigned mask) {                               \
        const lane *const from = (const lane *)value.words;                                                            \
        memory *const to = (memory *)at;                                                                               \
        for (unsigned e = 0; e < MVE_BYTES_IN_VECTOR / sizeof(lane); e++) {                                            \
            if (mask >> e * sizeof(lane) & 1) {                                                                        \
                to[e] = (memory)from[e];                                                                               \
            }                                                                                                          \
        }                                                                                                              \
    }
MVE_MEMORY(b_8, mve_s8, mve_s8)
MVE_MEMORY(b_32, mve_s32, mve_s8)
MVE_MEMORY(w_32, mve_s32, mve_s32)

/* What becomes of a lane. Sums and products are modulo 2^32. */
static inline int32_t mve_saturate(int64_t value, int32_t bits) {
    const int64_t max = ((int64_t)1 << (bits - 1)) - 1;
    return (int32_t)(value > max ? max : value < -max - 1 ? -max - 1 : value);
}
static inline int32_t mve_qadd_16(int32_t n, int32_t m) { return mve_saturate((int64_t)n + m, 16); }
static inline int32_t mve_qmovn_s32_lane(int32_t n) { return mve_saturate(n, 16); }
static inline int32_t mve_qmovn_s16_lane(int32_t n) { return mve_saturate(n, 8); }

/* (2 n m + 2^31) / 2^32, rounded down. */
static inline int32_t mve_qrdmulh_32(int32_t n, int32_t m) {
    return mve_saturate(((int64_t)n * m + (1 << 30)) >> 31, 32);
}

/* (d 2^bits + 2 n m) / 2^bits, rounded down. */
static inline int32_t mve_qdmlah_32(int32_t d, int32_t n, int32_t m) {
    return mve_saturate(((int64_t)d * ((int64_t)1 << 31) + (int64_t)n * m) >> 31, 32);
}
static inline int32_t mve_qdmlah_16(int32_t d, int32_t n, int32_t m) {
    return mve_saturate(((int64_t)d * (1 << 15) + (int64_t)n * m) >> 15, 16);
}

/* Shifts to the left, or where that is below 0 to the right. */
static inline int32_t mve_shl_s32(int32_t n, int32_t left) {
    if (left >= 32) {
        return 0;
    }
    return left >= 0 ? (int32_t)((uint32_t)n << left) : n >> (left <= -32 ? 31 : -left);
}
static inline int32_t mve_shl_u32(int32_t n, int32_t left) {
    if (left >= 32 || left <= -32) {
        return 0;
    }
    return (int32_t)(left >= 0 ? (uint32_t)n << left : (uint32_t)n >> -left);
}

/* The same with ties toward plus infinity. */
static inline int32_t mve_rshl_s32(int32_t n, int32_t left) {
    if (left >= 0) {
        return mve_shl_s32(n, left);
    }
    return left <= -32 ? 0 : (int32_t)(((int64_t)n + ((int64_t)1 << (-left - 1))) >> -left);
}
static inline int32_t mve_abs_32(int32_t n) { return n < 0 ? (int32_t)(0u - (uint32_t)n) : n; }
static inline int32_t mve_max(int32_t n, int32_t m) { return n > m ? n : m; }
static inline int32_t mve_min(int32_t n, int32_t m) { return n < m ? n : m; }

/* Instructions that make each lane of the same lane of others, which a, b and c are. */
#define MVE_LANES(name, type, parameters, lanes, value)                                                                \
    static inline arm_vector mve_##name parameters {                                                                   \
        arm_vector made;                                                                                               \
        type *const to = (type *)made.words;                                                                           \
        for (unsigned e = 0; e < MVE_BYTES_IN_VECTOR / sizeof(type); e++) {                                            \
            lanes;                                                                                                     \
            to[e] = (type)(value);                                                                                     \
        }                                                                                                              \
        return made;                                                                                                   \
    }
#define MVE_A(type) const type a = ((const type *)n.words)[e]
#define MVE_AB(type)                                                                                                   \
    MVE_A(type);                                                                                                       \
    const type b = ((const type *)m.words)[e]
#define MVE_ABC(type)                                                                                                  \
    MVE_AB(type);                                                                                                      \
    const type c = ((const type *)d.words)[e]
#define MVE_ONE(name, type, value) MVE_LANES(name, type, (arm_vector n), MVE_A(type), value)
#define MVE_TWO(name, type, value) MVE_LANES(name, type, (arm_vector n, arm_vector m), MVE_AB(type), value)
#define MVE_THREE(name, type, value)                                                                                   \
    MVE_LANES(name, type, (arm_vector d, arm_vector n, arm_vector m), MVE_ABC(type), value)
MVE_LANES(dup_8, mve_u8, (arm_register n), , (uint8_t)n)
MVE_LANES(dup_16, mve_u16, (arm_register n), , (uint16_t)n)
MVE_LANES(dup_32, mve_u32, (arm_register n), , (uint32_t)n)
MVE_LANES(idup_32, mve_u32, (arm_register n, uint32_t step), , (uint32_t)n + e * step)
MVE_TWO(add_16, mve_u16, a + b)
MVE_TWO(add_32, mve_u32, a + b)
MVE_TWO(sub_16, mve_u16, a - b)
MVE_TWO(sub_32, mve_u32, a - b)
MVE_TWO(mul_32, mve_u32, a *b)
MVE_TWO(and, mve_u32, a &b)
MVE_TWO(eor, mve_u32, a ^ b)
MVE_TWO(max_s8, mve_s8, mve_max(a, b))
MVE_TWO(max_s32, mve_s32, mve_max(a, b))
MVE_TWO(min_s8, mve_s8, mve_min(a, b))
MVE_TWO(min_s32, mve_s32, mve_min(a, b))
MVE_TWO(mulh_u32, mve_u32, (uint64_t)a *b >> 32)
MVE_TWO(qadd_s16, mve_s16, mve_qadd_16(a, b))
MVE_TWO(qrdmulh_s32, mve_s32, mve_qrdmulh_32(a, b))
MVE_THREE(mla_32, mve_u32, a *b + c)
MVE_THREE(qdmlah_s16, mve_s16, mve_qdmlah_16(c, a, b))
MVE_THREE(qdmlah_s32, mve_s32, mve_qdmlah_32(c, a, b))
MVE_ONE(abs_s32, mve_s32, mve_abs_32(a))

/* By the lowest byte of another lane, or by a number. */
#define MVE_SHIFTED(name)                                                                                              \
    MVE_LANES(name##_by, mve_s32, (arm_vector n, arm_vector m), MVE_A(mve_s32),                                        \
              mve_##name(a, (int8_t)(uint8_t)((const mve_s32 *)m.words)[e]))
MVE_SHIFTED(rshl_s32)
MVE_SHIFTED(shl_s32)
MVE_SHIFTED(shl_u32)
MVE_LANES(shl_16, mve_u16, (arm_vector n, int32_t by), MVE_A(mve_u16), (uint32_t)a << by)
MVE_LANES(shl_32, mve_u32, (arm_vector n, int32_t by), MVE_A(mve_u32), a << by)
MVE_LANES(shr_s32, mve_s32, (arm_vector n, int32_t by), MVE_A(mve_s32), mve_shl_s32(a, -by))

/* Of lanes of half the width, every other one: the bottom ones, `top` 0, or the top ones. */
#define MVE_HALVES(type)                                                                                               \
    const type a = ((const type *)n.words)[2 * e + top];                                                               \
    const type b = ((const type *)m.words)[2 * e + top]
MVE_LANES(mull_s8, mve_s16, (arm_vector n, arm_vector m, unsigned top), MVE_HALVES(mve_s8), (int32_t)a *b)
MVE_LANES(movl_u16, mve_u32, (arm_vector n, unsigned top), , ((const mve_u16 *)n.words)[2 * e + top])
MVE_LANES(shll_s16, mve_u32, (arm_vector n, int32_t by, unsigned top), ,
          (uint32_t)(int32_t)((const mve_s16 *)n.words)[2 * e + top] << by)

/* Into lanes of half the width, every other one of `d`. */
#define MVE_NARROW(name, type, wide)                                                                                   \
    static inline arm_vector mve_##name(arm_vector d, arm_vector n, unsigned top) {                                    \
        for (unsigned e = 0; e < MVE_BYTES_IN_VECTOR / sizeof(wide); e++) {                                            \
            ((type *)d.words)[2 * e + top] = (type)mve_##name##_lane(((const wide *)n.words)[e]);                      \
        }                                                                                                              \
        return d;                                                                                                      \
    }
MVE_NARROW(qmovn_s16, mve_s8, mve_s16)
MVE_NARROW(qmovn_s32, mve_s16, mve_s32)

/* The sum of products of lanes, modulo 2^32. */
static inline arm_register mve_mladava_s8(arm_register sum, arm_vector n, arm_vector m, unsigned mask) {
    uint32_t made = (uint32_t)sum;
    for (unsigned e = 0; e < MVE_BYTES_IN_VECTOR; e++) {
        if (mask >> e & 1) {
            const int32_t a = ((const mve_s8 *)n.words)[e], b = ((const mve_s8 *)m.words)[e];
            made += (uint32_t)a * (uint32_t)b;
        }
    }
    return made;
}

/* Of the lanes that are not below a number, the mask. */
static inline unsigned mve_not_below(arm_vector n, arm_register m) {
    unsigned mask = 0;
    for (unsigned e = 0; e < 4; e++) {
        mask |= n.words[e] >= (uint32_t)m ? 0xfu << 4 * e : 0;
    }
    return mask;
}

#endif
