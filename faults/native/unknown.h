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
 * bytes for each byte of memory. Functions of numbers alone may branch: they are opaque (faults/unknowns.py).
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
#include <stdint.h>
#include <sys/mman.h>
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

static inline Hash mixed(Hash a, Hash b) {
    Hash x = (a ^ (b * 0x9E3779B97F4A7C15ULL + (a << 6) + (a >> 2))) + 0x632BE59BD9B4E019ULL;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
    x ^= x >> 31;
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

static inline void set_hash(const void *at, unsigned size, Hash hash) {
    Hash *const shadow = shadow_at(at);
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

template <class U> using Plain = std::enable_if_t<std::is_arithmetic<U>::value || std::is_enum<U>::value, int>;

template <class T> struct Val {
    T v;

    Val() : v(0) { set_hash(this, sizeof v, 0); }
    Val(T value, Hash hash) : v(value) { set_hash(this, sizeof v, hash); }
    Val(const Val &other) : v(other.v) { set_hash(this, sizeof v, other.hash()); }
    template <class U, Plain<U> = 0> Val(U value) : v((T)value) { set_hash(this, sizeof v, 0); }
    template <class P> explicit Val(P *place) : v((T)(unsigned long)place) { set_hash(this, sizeof v, 0); }
    /* What C would cut off or change the sign of without a cast, the kernels never do: so `?:` is of the wider type. */
    template <class U>
    explicit(sizeof(T) < sizeof(U) || (sizeof(T) == sizeof(U) && std::is_signed<T>::value && !std::is_signed<U>::value))
    Val(const Val<U> &other) : v((T)other.v) {
        const Hash hash = other.hash();
        const bool same = sizeof(T) == sizeof(U) || !hash;
        const Hash own = same ? hash : mixed(100 + 8 * sizeof(T) + sizeof(U) + 64 * std::is_signed<U>::value, hash);
        if (std::is_same<U, signed char>::value && hash) {
            extended[own % BYTES][0] = own;
            extended[own % BYTES][1] = hash;
        }
        set_hash(this, sizeof v, own);
    }
    Val &operator=(const Val &other) {
        const Hash hash = other.hash();
        v = other.v;
        set_hash(this, sizeof v, hash);
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

template <class A, class B> using Common = decltype(A() + B());
template <class A> using Alone = decltype(+A());

template <class U, Plain<U> = 0> Val<Alone<U>> lifted(U x) { return Val<Alone<U>>(x); }

/* `op` of two numbers as C does it, but that a sum of signed ones wraps (-fwrapv), or a hash of it. */
#define VAL_EITHER(type, name, code, op)                                                                               \
    template <class A, class B> auto name(const Val<A> &a, const Val<B> &b) {                                          \
        typedef type R;                                                                                                \
        if (!a.hash() && !b.hash()) {                                                                                  \
            return Val<R>((R)((R)a.v op (R)b.v));                                                                      \
        }                                                                                                              \
        return Val<R>(0, mixed(mixed(1000 + 64 * code + 8 * sizeof(A) + sizeof(B) + 512 * std::is_signed<R>::value, a.told()), b.told())); \
    }                                                                                                                  \
    template <class A, class U, Plain<U> = 0> auto name(const Val<A> &a, U b) { return name(a, lifted(b)); }           \
    template <class U, class B, Plain<U> = 0> auto name(U a, const Val<B> &b) { return name(lifted(a), b); }
#define COMMON Common<A, B>
#define SHIFTED Alone<A>
VAL_EITHER(COMMON, operator+, 1, +)
VAL_EITHER(COMMON, operator-, 2, -)
VAL_EITHER(COMMON, operator*, 3, *)
VAL_EITHER(COMMON, operator/, 4, /)
VAL_EITHER(COMMON, operator%, 5, %)
VAL_EITHER(COMMON, operator&, 6, &)
VAL_EITHER(COMMON, operator|, 7, |)
VAL_EITHER(COMMON, operator^, 8, ^)
VAL_EITHER(SHIFTED, operator<<, 9, <<)
VAL_EITHER(SHIFTED, operator>>, 10, >>)

#define VAL_COMPARED(op)                                                                                               \
    template <class A, class B> bool operator op(const Val<A> &a, const Val<B> &b) {                                   \
        return (Common<A, B>)a.number("a branch depends on the input")                                                 \
            op(Common<A, B>) b.number("a branch depends on the input");                                                \
    }                                                                                                                  \
    template <class A, class U, Plain<U> = 0> bool operator op(const Val<A> &a, U b) { return a op lifted(b); }        \
    template <class U, class B, Plain<U> = 0> bool operator op(U a, const Val<B> &b) { return lifted(a) op b; }
VAL_COMPARED(<)
VAL_COMPARED(>)
VAL_COMPARED(<=)
VAL_COMPARED(>=)
VAL_COMPARED(==)
VAL_COMPARED(!=)
template <class A> auto operator-(const Val<A> &a) { return lifted(0) - a; }
template <class A> auto operator+(const Val<A> &a) { return Val<Alone<A>>(a); }
template <class A> auto operator~(const Val<A> &a) { return a ^ lifted(-1); }

/* Whether `f` of four bytes gives the same four, for every byte in every place: it keeps them apart, as SSUB8 and SEL do. */
template <class R, class F> bool keeps_bytes(F f) {
    for (unsigned byte = 0; byte < 256; byte++) {
        for (unsigned place = 0; place < 4; place++) {
            for (const unsigned others : {0U, 0xFFFFFFFFU, 0x7F7F7F7FU, 0x80808080U}) {
                const unsigned word = (others & ~(0xFFU << 8 * place)) | byte << 8 * place;
                if (f(R(word)).number("it is a number") != word) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* The bytes that `f` makes of a byte; whether it leaves each as it is. */
template <class F> Hash table_of(F f, bool &identity) {
    Hash all = 1;
    identity = true;
    for (int byte = -128; byte < 128; byte++) {
        const long long made = (long long)f(byte);
        identity &= made == byte;
        all = mixed(all, (Hash)made);
    }
    return all;
}

template <class R, class F, class... A> bool of_one_byte(R &result, Hash code, F f, const A &...arguments) {
    Hash byte = 0, unknown = 0;
    unsigned count = 0;
    ((arguments.hash() ? (void)(count++, unknown = arguments.hash()) : (void)0), ...);
    if (count != 1 || extended[unknown % BYTES][0] != unknown) {
        return false;
    }
    byte = extended[unknown % BYTES][1];
    Hash which = code; /* the function, and all arguments but the byte */
    ((which = mixed(which, arguments.hash() ? 1 : arguments.told())), ...);
    static std::map<Hash, std::pair<Hash, bool>> tables;
    if (!tables.count(which)) {
        bool identity;
        const Hash table = table_of(
            [&](int value) { return f((arguments.hash() ? A(value) : arguments)...).number("it is a number"); }, identity);
        tables[which] = {table, identity};
    }
    Val<signed char> kept(0, byte);
    result = R(kept);
    if (!tables[which].second) {
        set_hash(&result, sizeof result, mixed(mixed(11, byte), tables[which].first));
    }
    return true;
}

/* The function `f` of numbers of which one is none: what it makes of a byte is known as a table, all else by the `code`
 * that says which function it is. `lanes`: it takes four bytes and a number, and keeps them apart. */
template <class R, bool lanes, class F, class... A> R opaque(Hash code, F f, const A &...arguments) {
    R result;
    if (of_one_byte(result, code, f, arguments...)) {
        return result;
    }
    if constexpr (lanes) {
        const auto both = std::forward_as_tuple(arguments...);
        const auto &first = std::get<0>(both), &second = std::get<1>(both);
        static std::map<Hash, bool> kept;
        const Hash which = mixed(code, second.told());
        if (first.hash() && !second.hash()) {
            if (!kept.count(which)) {
                kept[which] = keeps_bytes<R>([&](const R &word) { return f(word, second); });
            }
            if (kept[which]) {
                return R(first);
            }
        }
    }
    Hash all = code;
    ((all = mixed(all, arguments.told())), ...);
    set_hash(&result, sizeof result, all);
    return result;
}
template <class... A> bool any_unknown(const A &...arguments) { return ((arguments.hash() != 0) || ...); }

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

#endif
