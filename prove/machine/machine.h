/* SPDX-License-Identifier: Apache-2.0
 * Integers that know how they depend on the bytes of the arena.
 *
 * The generated C and the kernels, compiled as C++ with these types in place of those of stdint.h, run once and say what
 * they compute for every input. A value that depends on the input is a node of a graph; it may be added, subtracted,
 * multiplied by a constant, extended, and shifted as the packed weights are. A branch, an address or any other operation
 * on it throws: then the kernel's path is not one for all inputs, or its sums are not affine, and nothing is claimed.
 */
#ifndef TINYPROOF_PROVE_MACHINE_H
#define TINYPROOF_PROVE_MACHINE_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#include <stdint.h>

struct Violation {
    std::string why;
};

enum Kind { INPUT, SCALE, SUM, OFFSET, EIGHTH, SIGNED, TOKEN };

struct Node {
    Kind kind;
    long long number; /* INPUT: address; SCALE: factor; OFFSET: what is added; TOKEN: the record's number */
    double bound;     /* of the absolute value, for every input */
    const Node *left;
    const Node *right;
};

/* Nodes live until the step has run. */
struct Pool {
    static constexpr std::size_t CHUNK = 1 << 16;
    std::vector<std::unique_ptr<Node[]>> chunks;
    std::size_t used = 0;
    const Node *make(Kind kind, long long number, double bound, const Node *left, const Node *right) {
        if (used == chunks.size() * CHUNK) {
            chunks.emplace_back(new Node[CHUNK]);
        }
        Node *node = &chunks[used / CHUNK][used % CHUNK];
        used++;
        *node = Node{kind, number, bound, left, right};
        return node;
    }
    void clear() { used = 0; }
};
inline Pool pool;

typedef std::pair<int, long long> Term; /* address, coefficient */

struct Form {
    long long constant = 0;
    std::vector<Term> terms;
    /* One term for each address, none of them 0; returns the most that the absolute value can be. */
    double merge() {
        std::sort(terms.begin(), terms.end());
        std::size_t kept = 0;
        double bound = constant < 0 ? -(double)constant : (double)constant;
        for (std::size_t i = 0; i < terms.size();) {
            Term sum(terms[i].first, 0);
            for (; i < terms.size() && terms[i].first == sum.first; i++) {
                sum.second += terms[i].second;
            }
            if (sum.second) {
                terms[kept++] = sum;
                bound += 128.0 * (double)(sum.second < 0 ? -sum.second : sum.second);
            }
        }
        terms.resize(kept);
        return bound;
    }
};

inline void add_form(Form &to, const Node *node, long long factor) {
    std::vector<std::pair<const Node *, long long>> open = {{node, factor}};
    while (!open.empty()) {
        const auto [at, times] = open.back();
        open.pop_back();
        switch (at->kind) {
        case INPUT:
            to.terms.emplace_back((int)at->number, times);
            break;
        case SCALE:
            open.emplace_back(at->left, times * at->number);
            break;
        case SUM:
            open.emplace_back(at->left, times);
            open.emplace_back(at->right, times);
            break;
        case OFFSET:
            to.constant += times * at->number;
            open.emplace_back(at->left, times);
            break;
        case EIGHTH:
        case SIGNED: {
            Form inner;
            add_form(inner, at->left, 1);
            const double bound = inner.merge();
            if (bound > 2147483647.0) {
                throw Violation{"a sum that wrapped is read as signed and may not fit 32 bits"};
            }
            const long long divisor = at->kind == EIGHTH ? 256 : 1;
            if (inner.constant % divisor) {
                throw Violation{"a packed sum is shifted, and its constant is no multiple of 256"};
            }
            to.constant += times * (inner.constant / divisor);
            for (const Term &term : inner.terms) {
                if (term.second % divisor) {
                    throw Violation{"a packed sum is shifted, and a coefficient is no multiple of 256"};
                }
                to.terms.emplace_back(term.first, times * (term.second / divisor));
            }
            break;
        }
        case TOKEN:
            throw Violation{"an output is read as if it were an input"};
        }
    }
}

template <class T> double limit() { return (double)std::numeric_limits<T>::max(); }

/* The node as a T: what is signed must fit, what is not wraps. */
template <class T> const Node *fitting(const Node *node, const char *what) {
    if (std::is_signed<T>::value && node->bound > limit<T>()) {
        throw Violation{std::string(what) + " may leave " + std::to_string(8 * sizeof(T)) + " bits"};
    }
    return node;
}

template <class U> using Plain = std::enable_if_t<std::is_arithmetic<U>::value || std::is_enum<U>::value, int>;

template <class T> struct Sym {
    long long v = 0;
    const Node *n = nullptr;

    constexpr Sym() = default;
    template <class U, Plain<U> = 0> constexpr Sym(U value) : v((long long)(T)value) {}
    /* What C would cut off or change the sign of without a cast, the kernels never do: so `?:` is of the wider type. */
    template <class U>
    explicit(sizeof(T) < sizeof(U) || (sizeof(T) == sizeof(U) && std::is_signed<T>::value && !std::is_signed<U>::value))
    Sym(const Sym<U> &other) : v((long long)(T)other.v), n(other.n) {
        if (!n || std::is_same<T, U>::value) {
            return;
        }
        if (!std::is_signed<U>::value && sizeof(T) != sizeof(U)) {
            throw Violation{"a sum that wraps is extended or cut off"};
        }
        if (std::is_signed<T>::value && !std::is_signed<U>::value && n->bound > limit<T>()) {
            n = pool.make(SIGNED, 0, limit<T>(), n, nullptr);
        } else if (!std::is_signed<T>::value && sizeof(T) < 4) {
            throw Violation{"a value that depends on the input is cut off"};
        }
        fitting<T>(n, "what is stored");
    }
    const Sym &constant(const char *what) const {
        if (n) {
            throw Violation{std::string(what) + " depends on the input"};
        }
        return *this;
    }
    explicit operator bool() const { return constant("a branch").v != 0; }
    /* For addresses alone. */
    template <class R, std::enable_if_t<std::is_same<R, std::ptrdiff_t>::value, int> = 0> operator R() const {
        return (R)constant("an address").v;
    }
    template <class U> Sym &operator+=(const U &other) { return *this = Sym(*this + other); }
    template <class U> Sym &operator-=(const U &other) { return *this = Sym(*this - other); }
    template <class U> Sym &operator*=(const U &other) { return *this = Sym(*this * other); }
    template <class U> Sym &operator|=(const U &other) { return *this = Sym(*this | other); }
    template <class U> Sym &operator&=(const U &other) { return *this = Sym(*this & other); }
    template <class U> Sym &operator<<=(const U &other) { return *this = Sym(*this << other); }
    template <class U> Sym &operator>>=(const U &other) { return *this = Sym(*this >> other); }
    Sym &operator++() { return *this += 1; }
    Sym &operator--() { return *this -= 1; }
    Sym operator++(int) {
        const Sym old = *this;
        *this += 1;
        return old;
    }
    Sym operator--(int) {
        const Sym old = *this;
        *this -= 1;
        return old;
    }
};

template <class A, class B> using Common = decltype(A() + B());

template <class R> Sym<R> known(unsigned long long value) { return Sym<R>((R)value); }

template <class R> Sym<R> depending(const Node *node, const char *what) {
    Sym<R> result;
    result.n = fitting<R>(node, what);
    return result;
}

inline double magnitude(long long value) { return value < 0 ? -(double)value : (double)value; }

inline const Node *scaled(const Node *node, long long factor) {
    if (node->kind == TOKEN) {
        throw Violation{"an output is read as if it were an input"};
    }
    return factor == 1 ? node : pool.make(SCALE, factor, node->bound * magnitude(factor), node, nullptr);
}

inline const Node *shifted_by(const Node *node, long long offset) {
    if (node->kind == TOKEN) {
        throw Violation{"an output is read as if it were an input"};
    }
    return offset ? pool.make(OFFSET, offset, node->bound + magnitude(offset), node, nullptr) : node;
}

/* Of the numbers that a constant of an unsigned type may stand for, the one next to 0: sums of them wrap. */
template <class R> long long centred(long long value) {
    return std::is_signed<R>::value ? value : (long long)(std::make_signed_t<R>)value;
}

template <class A, class B, class R = Common<A, B>> Sym<R> plus(const Sym<A> &a, const Sym<B> &b, int sign) {
    const Sym<R> x = a, y = b;
    if (!x.n && !y.n) {
        return known<R>((unsigned long long)x.v + (unsigned long long)sign * (unsigned long long)y.v);
    }
    if (!y.n) {
        return depending<R>(shifted_by(x.n, sign * centred<R>(y.v)), "a sum");
    }
    const Node *second = scaled(y.n, sign);
    if (!x.n) {
        return depending<R>(shifted_by(second, centred<R>(x.v)), "a sum");
    }
    if (x.n->kind == TOKEN) {
        throw Violation{"an output is read as if it were an input"};
    }
    return depending<R>(pool.make(SUM, 0, x.n->bound + second->bound, x.n, second), "a sum");
}

template <class A, class B, class R = Common<A, B>> Sym<R> times(const Sym<A> &a, const Sym<B> &b) {
    const Sym<R> x = a, y = b;
    if (x.n && y.n) {
        throw Violation{"two values that depend on the input are multiplied"};
    }
    if (!x.n && !y.n) {
        return known<R>((unsigned long long)x.v * (unsigned long long)y.v);
    }
    const Node *node = x.n ? x.n : y.n;
    const long long factor = centred<R>(x.n ? y.v : x.v);
    if (!factor) {
        return known<R>(0);
    }
    return depending<R>(scaled(node, factor), "a product");
}

/* Rows that are numbers, kernels/pairs.h: the only shift of a sum. */
template <class A, class B, class R = decltype(A() >> B())> Sym<R> right(const Sym<A> &a, const Sym<B> &b) {
    b.constant("a shift");
    if (!a.n) {
        return known<R>((unsigned long long)((R)a.v >> b.v));
    }
    if (b.v != 8 || !std::is_signed<A>::value) {
        throw Violation{"a value that depends on the input is shifted"};
    }
    return depending<R>(pool.make(EIGHTH, 0, a.n->bound / 256, a.n, nullptr), "a packed sum");
}

template <class T> Sym<T> lifted(const Sym<T> &x) { return x; }
template <class U, Plain<U> = 0> Sym<decltype(U() + U())> lifted(U x) { return Sym<decltype(U() + U())>(x); }
template <class T> struct Raw { typedef T type; };
template <class T> struct Raw<Sym<T>> { typedef T type; };

#define SYM_EITHER(result, name, body)                                                                                 \
    template <class A, class B> result name(const Sym<A> &a, const Sym<B> &b) { return body; }                         \
    template <class A, class U, Plain<U> = 0> auto name(const Sym<A> &a, U b) { return name(a, lifted(b)); }           \
    template <class U, class B, Plain<U> = 0> auto name(U a, const Sym<B> &b) { return name(lifted(a), b); }
#define SYM_CONSTANTS(op) ((Common<A, B>)a.constant("an operand of " #op).v op(Common<A, B>) b.constant("an operand of " #op).v)

SYM_EITHER(auto, operator+, plus(a, b, 1))
SYM_EITHER(auto, operator-, plus(a, b, -1))
SYM_EITHER(auto, operator*, times(a, b))
SYM_EITHER(auto, operator>>, right(a, b))
SYM_EITHER(auto, operator<<, (Sym<decltype(A() << B())>((unsigned long long)a.constant("a shifted value").v << b.constant("a shift").v)))
SYM_EITHER(auto, operator&, (Sym<Common<A, B>>(SYM_CONSTANTS(&))))
SYM_EITHER(auto, operator|, (Sym<Common<A, B>>(SYM_CONSTANTS(|))))
SYM_EITHER(auto, operator^, (Sym<Common<A, B>>(SYM_CONSTANTS(^))))
SYM_EITHER(auto, operator/, (Sym<Common<A, B>>(SYM_CONSTANTS(/))))
SYM_EITHER(auto, operator%, (Sym<Common<A, B>>(SYM_CONSTANTS(%))))
SYM_EITHER(bool, operator<, SYM_CONSTANTS(<))
SYM_EITHER(bool, operator>, SYM_CONSTANTS(>))
SYM_EITHER(bool, operator<=, SYM_CONSTANTS(<=))
SYM_EITHER(bool, operator>=, SYM_CONSTANTS(>=))
SYM_EITHER(bool, operator==, SYM_CONSTANTS(==))
SYM_EITHER(bool, operator!=, SYM_CONSTANTS(!=))
template <class A> auto operator-(const Sym<A> &a) { return times(a, Sym<int>(-1)); }
template <class A> auto operator~(const Sym<A> &a) { return Sym<Common<A, A>>(~a.constant("an operand of ~").v); }

#define int8_t Sym<signed char>
#define int16_t Sym<short>
#define int32_t Sym<int>
#define int64_t Sym<long long>
#define uint8_t Sym<unsigned char>
#define uint16_t Sym<unsigned short>
#define uint32_t Sym<unsigned int>
#define uint64_t Sym<unsigned long long>

#endif
