/* SPDX-License-Identifier: Apache-2.0
 * A part of unknown.h: functions of numbers, which may branch by them (faults/unknowns.py).
 */
#ifndef TINYPROOF_UNKNOWN_FUNCTIONS_H
#define TINYPROOF_UNKNOWN_FUNCTIONS_H

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

/* The function `f` of numbers of which one is none: what it makes of a byte, or of two, is known as a table, all else by
 * the `code` that says which function it is. `lanes`: it takes four bytes and a number, and keeps them apart.
 * `in_register`: it is an instruction, and leaves a number of 32 bits in a register. */
template <class R, bool lanes, bool in_register, class F, class... A> R opaque(Hash code, F f, const A &...arguments) {
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
    if constexpr (in_register) {
        note(all, code, called<R, A...>, (const void *)f, {operand_of(arguments)...});
        return R(Val<unsigned>(0, all));
    }
    set_hash(&result, sizeof result, all);
    note(all, code, called<R, A...>, (const void *)f, {operand_of(arguments)...});
    tabulate(result);
    return result;
}
/* memmove, and memcpy: what is known of the bytes goes with them. */
static void *move_values(void *to, const void *from, std::size_t bytes) {
    for (std::size_t k = 0; k < bytes; k++) {
        shadow_to_write((unsigned char *)to + k);
    }
    std::memmove(shadow_at(to), shadow_at(from), bytes * sizeof(Hash));
    return std::memmove(to, from, bytes);
}

template <class V> void *set_values(void *to, const V &value, std::size_t bytes) {
    const Val<signed char> byte(value);
    for (std::size_t k = 0; k < bytes; k++) {
        ((Val<signed char> *)to)[k] = byte;
    }
    return to;
}
static inline void *set_values(void *to, int value, std::size_t bytes) { return set_values(to, lifted(value), bytes); }

template <class... A> bool any_unknown(const A &...arguments) { return ((arguments.hash() != 0) || ...); }

#endif
