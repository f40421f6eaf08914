/* SPDX-License-Identifier: Apache-2.0
 * Integers that know by which operations they come from unknown bytes.
 *
 * The engine's C, assembly translated, compiled as C++ with these types in place of those of stdint.h, runs once: every
 * byte of the arena begins as a symbol, and every operation on a value that depends on one gives a hash of the operation
 * and its operands. Two engines whose bytes end with the same hashes have done the same operations with the same
 * numbers, and answer alike for every input. A branch or an address that depends on a symbol throws: then the path is not
 * one for all inputs, and nothing is said.
 *
 * A value is as large as its type, so that pointers may be cast as in C; what is known of it stands in a shadow, eight
 * bytes for each byte of memory. Functions of numbers alone may branch: they are opaque (unknown_functions.h).
 *
 * Unsigned sums of 32 bits that have the same terms are the same in any order (is_linear), and bytes that are made of one byte
 * or two are known by what they are for each of them (unknown_tables.h).
 */
#ifndef TINYPROOF_FAULTS_UNKNOWN_H
#define TINYPROOF_FAULTS_UNKNOWN_H

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <map>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

typedef unsigned long long Hash; /* 0: a number */

struct Violation {
    const char *why;
};

/* Memory of the program lies below 2^32: it is linked without -pie, and runs on a stack of its own. */
static Hash *shadow_memory;
static bool running;
static inline Hash *shadow_at(const void *at) {
    static Hash of_numbers[16]; /* before: parameters are made on another stack, and all of them are numbers */
    const unsigned long place = (unsigned long)at;
    if (place >> 32) {
        if (running) {
            throw Violation{"it reaches memory that is not its own"};
        }
        return of_numbers;
    }
    return shadow_memory + place;
}

/* Hashes are residues of a prime, so that those of unsigned numbers of 32 bits can be added and multiplied by whole numbers: the hash of a sum
 * of products is that of the integers that its terms and coefficients are. Where two of these are the same, the sums are,
 * modulo 2^32, in whatever order they were added. */
static const Hash PRIME = (1ULL << 61) - 1, UNIT = 0x0B7E151628AED2A6ULL; /* of the number 1 as a term */
static inline Hash reduced(Hash x) {
    x = (x & PRIME) + (x >> 61);
    return x >= PRIME ? x - PRIME : x;
}
static inline Hash plus(Hash a, Hash b) { return reduced(a + b); }
static inline Hash times(int coefficient, Hash a) {
    const Hash factor = coefficient < 0 ? PRIME + (long long)coefficient : (Hash)coefficient;
    const unsigned __int128 product = (unsigned __int128)factor * a;
    return reduced((Hash)(product & PRIME) + (Hash)(product >> 61));
}

static inline Hash mixed(Hash a, Hash b) {
    Hash x = (a ^ (b * 0x9E3779B97F4A7C15ULL + (a << 6) + (a >> 2))) + 0x632BE59BD9B4E019ULL;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
    x = reduced(x ^ x >> 31);
    return x ? x : 1;
}

static const Hash ODD = 0xD6E8FEB86659FD93ULL, ODD_INVERSE = 0xCFEE444D8B59A89BULL, EACH = 0xA0761D6478BD642FULL;

/* Byte k of a value of `size` bytes, and back. */
static inline Hash byte_of(Hash whole, unsigned k, unsigned size) {
    return size == 1 ? whole : whole * ODD + EACH * (k + 16 * size);
}
static inline Hash whole_of(Hash byte, unsigned k, unsigned size) {
    return size == 1 ? byte : (byte - EACH * (k + 16 * size)) * ODD_INVERSE;
}

/* Words that were read from bytes of several origins, and the bytes; numbers that are one byte, extended, and the byte.
 * Of two with one place the later is known: what is forgotten makes a proof fail, never hold. */
struct Word {
    Hash hash, bytes[4];
};
static const unsigned WORDS = 1 << 20, BYTES = 1 << 16;
static Word words[WORDS];
static Hash extended[BYTES][2];

static inline Hash hash_at(const void *at, unsigned size) {
    const Hash *const shadow = shadow_at(at);
    Hash any = 0;
    for (unsigned k = 0; k < size; k++) {
        any |= shadow[k];
    }
    if (!any || size == 1) {
        return any;
    }
    if (size == 8 && !(shadow[4] | shadow[5] | shadow[6] | shadow[7]) && !((const unsigned *)at)[1]) {
        return mixed(9, hash_at(at, 4)); /* a register that holds a number */
    }
    const Hash whole = whole_of(shadow[0], 0, size);
    bool same = true;
    for (unsigned k = 1; k < size; k++) {
        same &= shadow[k] == byte_of(whole, k, size);
    }
    if (same) {
        return whole;
    }
    Hash all = size;
    for (unsigned k = 0; k < size; k++) {
        all = mixed(all, shadow[k] ? shadow[k] : mixed(2, ((const unsigned char *)at)[k]));
    }
    if (size == 4) {
        words[all % WORDS] = Word{all, {shadow[0], shadow[1], shadow[2], shadow[3]}};
    }
    return all;
}

/* What may be written while rows are tried (unknown_steps.h), and within which bytes nothing else may. */
static unsigned long watched_start, watched_bytes, written_start, written_bytes;
static inline Hash *shadow_to_write(const void *at) {
    const unsigned long place = (unsigned long)at;
    if (place - watched_start < watched_bytes && place - written_start >= written_bytes) {
        throw Violation{"it writes beside its output"};
    }
    return shadow_at(at);
}

static inline void set_hash(const void *at, unsigned size, Hash hash) {
    Hash *const shadow = shadow_to_write(at);
    if (hash && size == 4 && words[hash % WORDS].hash == hash) { /* it goes back as it came */
        for (unsigned k = 0; k < size; k++) {
            shadow[k] = words[hash % WORDS].bytes[k];
        }
        return;
    }
    for (unsigned k = 0; k < size; k++) {
        shadow[k] = hash ? byte_of(hash, k, size) : 0;
    }
}

static inline void copy_hash(const void *to, const void *from, unsigned size) {
    const Hash *const source = shadow_at(from);
    Hash *const target = shadow_to_write(to);
    for (unsigned k = 0; k < size; k++) {
        target[k] = source[k];
    }
}

template <class T> struct Val;
#include "unknown_tables.h"

template <class U> using Plain = std::enable_if_t<std::is_arithmetic<U>::value || std::is_enum<U>::value, int>;

template <class T> struct Val {
    T v;

    Val() : v(0) { set_hash(this, sizeof v, 0); }
    Val(T value, Hash hash) : v(value) { set_hash(this, sizeof v, hash); }
    Val(const Val &other) : v(other.v) { copy_hash(this, &other, sizeof v); }
    template <class U, Plain<U> = 0> Val(U value) : v((T)value) { set_hash(this, sizeof v, 0); }
    template <class P> explicit Val(P *place) : v((T)(unsigned long)place) { set_hash(this, sizeof v, 0); }
    /* What C would cut off or change the sign of without a cast, the kernels never do: so `?:` is of the wider type. */
    template <class U>
    explicit(sizeof(T) < sizeof(U) || (sizeof(T) == sizeof(U) && std::is_signed<T>::value && !std::is_signed<U>::value))
    Val(const Val<U> &other) : v((T)other.v) {
        /* A register's upper word, and the sign, are of no matter to what is cut off of it. */
        const bool narrows = sizeof(T) < sizeof(U);
        const unsigned size = narrows && sizeof(U) == 8 ? 4 : sizeof(U);
        const Hash hash = hash_at(&other, size);
        if (sizeof(T) == sizeof(U) || (sizeof(T) == 4 && sizeof(U) == 8)) {
            copy_hash(this, &other, sizeof v); /* the lower word of a register */
            return;
        }
        set_hash(this, sizeof v, 0);
        if (!hash) {
            return;
        }
        const Hash code = 100 + 8 * sizeof(T) + size + 64 * (!narrows && std::is_signed<U>::value);
        Hash own = mixed(code, hash);
        if (sizeof(T) == 8 && sizeof(U) == 4) {
            copy_hash(this, &other, 4);
            if (std::is_signed<U>::value) {
                set_hash((const unsigned char *)this + 4, 4, own);
            }
            own = this->hash();
        } else {
            set_hash(this, sizeof v, own);
        }
        if (std::is_same<U, signed char>::value) {
            extended[own % BYTES][0] = own;
            extended[own % BYTES][1] = hash;
        }
        note(own, code, converted<T, U>, nullptr, {operand_of(other)});
        tabulate(*this);
    }
    Val &operator=(const Val &other) {
        v = other.v;
        copy_hash(this, &other, sizeof v);
        return *this;
    }
    template <class U> Val &operator=(const Val<U> &other) { return *this = Val(other); }
    template <class U, Plain<U> = 0> Val &operator=(U value) { return *this = Val(value); }
    Hash hash() const { return hash_at(this, sizeof v); }
    /* As an operand. */
    Hash told() const {
        const Hash own = hash();
        return own ? own : mixed(3 + sizeof v, (Hash)v);
    }
    T number(const char *what) const {
        if (hash()) {
            throw Violation{what};
        }
        return v;
    }
    explicit operator bool() const { return number("a branch depends on the input") != 0; }
    template <class R, std::enable_if_t<std::is_same<R, std::ptrdiff_t>::value, int> = 0> operator R() const {
        return (R)number("an address depends on the input");
    }
    template <class R, Plain<R> = 0, std::enable_if_t<!std::is_same<R, std::ptrdiff_t>::value && !std::is_same<R, bool>::value, int> = 0>
    explicit operator R() const {
        return (R)number("a size depends on the input");
    }
    template <class P> explicit operator P *() const { return (P *)(unsigned long)number("an address depends on the input"); }
    template <class U> Val &operator+=(const U &other) { return *this = Val(*this + other); }
    template <class U> Val &operator-=(const U &other) { return *this = Val(*this - other); }
    template <class U> Val &operator*=(const U &other) { return *this = Val(*this * other); }
    template <class U> Val &operator|=(const U &other) { return *this = Val(*this | other); }
    template <class U> Val &operator&=(const U &other) { return *this = Val(*this & other); }
    template <class U> Val &operator^=(const U &other) { return *this = Val(*this ^ other); }
    template <class U> Val &operator<<=(const U &other) { return *this = Val(*this << other); }
    template <class U> Val &operator>>=(const U &other) { return *this = Val(*this >> other); }
    Val &operator++() { return *this += 1; }
    Val &operator--() { return *this -= 1; }
    Val operator++(int) {
        const Val old = *this;
        *this += 1;
        return old;
    }
    Val operator--(int) {
        const Val old = *this;
        *this -= 1;
        return old;
    }
};

#include "unknown_operators.h"
#include "unknown_functions.h"

/* Parameters are set one by one: C++ wants designators in the order of the members, C does not. */
template <class T> static void set(T &member, std::type_identity_t<T> value) { member = value; }
template <class T, std::size_t N>
static void set(T (&member)[N], std::initializer_list<std::type_identity_t<T>> values) {
    std::size_t place = 0;
    for (const T &value : values) {
        member[place++] = value;
    }
}

#include "unknown_steps.h"

#define int8_t Val<signed char>
#define int16_t Val<short>
#define int32_t Val<int>
#define int64_t Val<long long>
#define uint8_t Val<unsigned char>
#define uint16_t Val<unsigned short>
#define uint32_t Val<unsigned int>
#define uint64_t Val<unsigned long long>
#define uintptr_t Val<unsigned long>
#define _Static_assert static_assert
#define memcpy move_values
#define memmove move_values
#define memset set_values

#endif
