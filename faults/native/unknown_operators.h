/* SPDX-License-Identifier: Apache-2.0
 * A part of unknown.h: what C does with two numbers, of which one may be none.
 */
#ifndef TINYPROOF_UNKNOWN_OPERATORS_H
#define TINYPROOF_UNKNOWN_OPERATORS_H

template <class A, class B> using Common = decltype(A() + B());
template <class A> using Alone = decltype(+A());

template <class R, class A> Val<R> upper_word(const Val<A> &a) {
    Val<R> result((R)((unsigned long long)a.v >> 32));
    copy_hash(&result, (const unsigned char *)&a + 4, 4);
    return result;
}

template <class U, Plain<U> = 0> Val<Alone<U>> lifted(U x) { return Val<Alone<U>>(x); }

enum { ADDED = 1, SUBTRACTED, MULTIPLIED, DIVIDED, REMAINING, BOTH, EITHER, ONE, SHIFTED_LEFT, SHIFTED_RIGHT };

/* Whether sums of signed numbers that leave their type wrap (-fwrapv): on a board that is for the caller to see. Before
 * main parameters are what they are. */
static bool wraps = true;

/* What C leaves open is not known. */
template <unsigned code, class R> void refuse_undefined(R a, R b) {
    if constexpr (code == SHIFTED_LEFT || code == SHIFTED_RIGHT) {
        if (b < 0 || b >= (R)(8 * sizeof(R))) {
            throw Violation{"it shifts by as many bits as there are, or more"};
        }
    } else if constexpr (code == DIVIDED || code == REMAINING) {
        if (b == 0) {
            throw Violation{"it divides by 0"};
        }
    } else if constexpr (code <= MULTIPLIED && std::is_signed<R>::value) {
        R result;
        if (!wraps && (code == ADDED        ? __builtin_add_overflow(a, b, &result)
                       : code == SUBTRACTED ? __builtin_sub_overflow(a, b, &result)
                                            : __builtin_mul_overflow(a, b, &result))) {
            throw Violation{"it leaves the numbers of its type"};
        }
    }
}

/* As a term of R, an unsigned number of 32 bits: sums of signed ones may not wrap in any order. */
template <class R, class A> Hash term_of(const Val<A> &a) {
    return a.hash() ? reduced(Val<R>(a).hash()) : times((int)(R)a.v, UNIT);
}

/* The hash of what is linear in its terms, into `sum`; whether it is. */
template <class R, unsigned code, class A, class B> bool is_linear(Hash &sum, const Val<A> &a, const Val<B> &b) {
    if constexpr (sizeof(R) != 4 || std::is_signed<R>::value) {
        return false;
    } else if constexpr (code == ADDED) {
        sum = plus(term_of<R>(a), term_of<R>(b));
        return true;
    } else if constexpr (code == SUBTRACTED) {
        sum = plus(term_of<R>(a), times(-1, term_of<R>(b)));
        return true;
    } else if constexpr (code == MULTIPLIED) {
        sum = !b.hash() ? times((int)(R)b.v, term_of<R>(a)) : times((int)(R)a.v, term_of<R>(b));
        return !a.hash() || !b.hash();
    } else if constexpr (code == SHIFTED_LEFT) {
        const bool small = !b.hash() && b.v >= 0 && b.v < 31;
        sum = small ? times(1 << (int)b.v, term_of<R>(a)) : 0;
        return small;
    }
    return false;
}

/* `op` of two numbers as C does it, or a hash of it. */
#define VAL_EITHER(type, name, code, op)                                                                               \
    template <class A, class B> long long apply_##code(const long long *given, const void *) {                         \
        typedef type R;                                                                                                \
        const R a = (R)(A)given[0], b = (R)(B)given[1];                                                                \
        refuse_undefined<code>(a, b);                                                                                  \
        return (long long)(R)(a op b);                                                                                 \
    }                                                                                                                  \
    template <class A, class B> auto name(const Val<A> &a, const Val<B> &b) {                                          \
        typedef type R;                                                                                                \
        const Hash hash_a = a.hash(), hash_b = b.hash();                                                               \
        if (!hash_a && !hash_b) {                                                                                      \
            refuse_undefined<code>((R)a.v, (R)b.v);                                                                    \
            return Val<R>((R)((R)a.v op (R)b.v));                                                                      \
        }                                                                                                              \
        if (code == SHIFTED_RIGHT && sizeof(R) == 8 && !std::is_signed<R>::value && !hash_b && b.v == 32) {            \
            return upper_word<R>(a);                                                                                   \
        }                                                                                                              \
        const Hash signs = 4 * std::is_signed<A>::value + 2 * std::is_signed<B>::value + std::is_signed<R>::value;     \
        const Hash which = 1024 * code + 128 * signs + 8 * sizeof(A) + sizeof(B);                                      \
        Hash all;                                                                                                      \
        if (!is_linear<R, code>(all, a, b)) {                                                                          \
            all = mixed(mixed(which, a.told()), b.told());                                                             \
        }                                                                                                              \
        if (all) {                                                                                                     \
            note(all, which, apply_##code<A, B>, nullptr, {operand_of(a), operand_of(b)});                             \
        }                                                                                                              \
        return Val<R>(0, all);                                                                                         \
    }                                                                                                                  \
    template <class A, class U, Plain<U> = 0> auto name(const Val<A> &a, U b) { return name(a, lifted(b)); }           \
    template <class U, class B, Plain<U> = 0> auto name(U a, const Val<B> &b) { return name(lifted(a), b); }
#define COMMON Common<A, B>
#define SHIFTED Alone<A>
VAL_EITHER(COMMON, operator+, ADDED, +)
VAL_EITHER(COMMON, operator-, SUBTRACTED, -)
VAL_EITHER(COMMON, operator*, MULTIPLIED, *)
VAL_EITHER(COMMON, operator/, DIVIDED, /)
VAL_EITHER(COMMON, operator%, REMAINING, %)
VAL_EITHER(COMMON, operator&, BOTH, &)
VAL_EITHER(COMMON, operator|, EITHER, |)
VAL_EITHER(COMMON, operator^, ONE, ^)
VAL_EITHER(SHIFTED, operator<<, SHIFTED_LEFT, <<)
VAL_EITHER(SHIFTED, operator>>, SHIFTED_RIGHT, >>)

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

#endif
