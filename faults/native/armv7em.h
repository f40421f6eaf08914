/* SPDX-License-Identifier: Apache-2.0
 * Instructions of Armv7E-M in C, for assembly that assembly.py has translated; only what the kernels use.
 * Source: Armv7-M Architecture Reference Manual (Arm DDI 0403), A7.7. The Q flag is left out: no kernel reads it.
 *
 * A register is wide enough for an address of this machine, which lies above 2^32. A number fills the lower 32 bits and
 * leaves the others 0.
 */
#ifndef TINYPROOF_ARMV7EM_H
#define TINYPROOF_ARMV7EM_H

#include <stdint.h>

typedef uintptr_t arm_register;
typedef uint32_t __attribute__((may_alias, aligned(1))) arm_loose_word;
typedef uint32_t __attribute__((may_alias)) arm_word;
typedef uint16_t __attribute__((may_alias, aligned(1))) arm_loose_half;

static inline int32_t arm_signed(arm_register r) { return (int32_t)(uint32_t)r; }
static inline int32_t arm_bottom(arm_register r) { return (int16_t)(uint16_t)r; }
static inline int32_t arm_top(arm_register r) { return (int16_t)(uint16_t)(r >> 16); }

static inline arm_register arm_add(arm_register n, arm_register m) {
    return n >> 32 ? n + (arm_register)(int64_t)arm_signed(m) : (uint32_t)n + (uint32_t)m;
}

/* LDR and STRB reach any address; LDRD, LDM and their like fault on one that is no multiple of 4: the sanitizer sees it by the type. */
static inline arm_register arm_ldr(arm_register at) { return *(const arm_loose_word *)at; }
static inline arm_register arm_ldrsb(arm_register at) {
    const int32_t byte = *(const int8_t *)at;
    return (uint32_t)byte;
}
static inline arm_register arm_ldm(arm_register at) { return *(const arm_word *)at; }
static inline void arm_ldrd(arm_register *first, arm_register *second, arm_register at) {
    *first = arm_ldm(at);
    *second = arm_ldm(arm_add(at, 4));
}
static inline void arm_stm(arm_register at, arm_register value) { *(arm_word *)at = (uint32_t)value; }
static inline void arm_strh(arm_register at, arm_register value) { *(arm_loose_half *)at = (uint16_t)value; }
static inline void arm_strb(arm_register at, arm_register value) { *(uint8_t *)at = (uint8_t)value; }

static inline arm_register arm_sub(arm_register n, arm_register m) { return (uint32_t)n - (uint32_t)m; }

/* Of a number, or an address, less a small number. */
static inline arm_register arm_sub_number(arm_register n, uint32_t m) { return n >> 32 ? n - m : (uint32_t)(n - m); }

static inline arm_register arm_asr(arm_register n, arm_register amount) {
    const uint32_t shift = (uint32_t)amount & 0xff;
    return (uint32_t)(arm_signed(n) >> (shift > 31 ? 31 : shift));
}

static inline arm_register arm_lsl(arm_register n, arm_register amount) {
    const uint32_t shift = (uint32_t)amount & 0xff;
    return shift > 31 ? 0 : (uint32_t)n << shift;
}
static inline arm_register arm_qadd(arm_register n, arm_register m) {
    const int64_t sum = (int64_t)arm_signed(n) + arm_signed(m);
    return (uint32_t)(sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum);
}

/* Differences of four bytes; of each that is not negative the mask gets its bits, which SEL takes. */
static inline arm_register arm_ssub8(arm_register *mask, arm_register n, arm_register m) {
    uint32_t result = 0;
    *mask = 0;
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        const int32_t difference = (int8_t)(uint8_t)(n >> shift) - (int8_t)(uint8_t)(m >> shift);
        result |= ((uint32_t)difference & 0xff) << shift;
        *mask |= (arm_register)((uint32_t)~(difference >> 31) & 0xff) << shift; /* 0 where it is below 0 */
    }
    return result;
}
static inline arm_register arm_sadd16(arm_register n, arm_register m) {
    return (uint16_t)(n + m) | (uint32_t)(uint16_t)((n >> 16) + (m >> 16)) << 16;
}
static inline arm_register arm_sel(arm_register mask, arm_register n, arm_register m) {
    return (uint32_t)((n & mask) | (m & ~mask));
}

static inline arm_register arm_sxtb16(arm_register m, uint32_t rotation) {
    const uint32_t x = (uint32_t)((m << 32 | m) >> rotation);
    return (uint32_t)(uint16_t)(int8_t)(uint8_t)x | (uint32_t)(uint16_t)(int8_t)(uint8_t)(x >> 16) << 16;
}

/* Modulo 2^32. */
static inline arm_register arm_smlad(arm_register n, arm_register m, arm_register a) {
    return (uint32_t)arm_bottom(n) * (uint32_t)arm_bottom(m) + (uint32_t)arm_top(n) * (uint32_t)arm_top(m) + (uint32_t)a;
}
static inline void arm_smlald(arm_register *low, arm_register *high, arm_register n, arm_register m) {
    const uint64_t sum = ((uint64_t)(uint32_t)*high << 32 | (uint32_t)*low) +
                         (uint64_t)((int64_t)(arm_bottom(n) * arm_bottom(m)) + arm_top(n) * arm_top(m));
    *low = (uint32_t)sum;
    *high = (uint32_t)(sum >> 32);
}
static inline arm_register arm_smlabb(arm_register n, arm_register m, arm_register a) {
    return (uint32_t)arm_bottom(n) * (uint32_t)arm_bottom(m) + (uint32_t)a;
}
static inline arm_register arm_smlabt(arm_register n, arm_register m, arm_register a) {
    return (uint32_t)arm_bottom(n) * (uint32_t)arm_top(m) + (uint32_t)a;
}
static inline arm_register arm_smlatt(arm_register n, arm_register m, arm_register a) {
    return (uint32_t)arm_top(n) * (uint32_t)arm_top(m) + (uint32_t)a;
}

/* (a : 0 + n m), upper word, which may wrap. */
static inline arm_register arm_smmla(arm_register n, arm_register m, arm_register a) {
    const int64_t product = (int64_t)arm_signed(n) * arm_signed(m);
    return (((uint64_t)(uint32_t)a << 32) + (uint64_t)product) >> 32;
}

/* (a : 0 + n m + 2^31), upper word. */
static inline arm_register arm_smmlar(arm_register n, arm_register m, arm_register a) {
    const int64_t product = (int64_t)arm_signed(n) * arm_signed(m);
    return (((uint64_t)(uint32_t)a << 32) + (uint64_t)product + 0x80000000u) >> 32;
}

static inline arm_register arm_smmul(arm_register n, arm_register m) {
    return (uint32_t)(((int64_t)arm_signed(n) * arm_signed(m)) >> 32);
}

static inline arm_register arm_ssat(uint32_t bits, arm_register n) {
    const int32_t max = (int32_t)((1u << (bits - 1)) - 1), value = arm_signed(n);
    return (uint32_t)(value > max ? max : value < -max - 1 ? -max - 1 : value);
}

#endif
