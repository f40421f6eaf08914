/* SPDX-License-Identifier: Apache-2.0
 * A part of unknown.h: bytes that are made of one unknown byte, or of two, are known by what they are for each of them.
 *
 * By which operations a value comes from so few bytes is kept, and done once for all that these can be. Two bytes are the
 * same then, if they are the same for every input, by whatever operations.
 */
#ifndef TINYPROOF_UNKNOWN_TABLES_H
#define TINYPROOF_UNKNOWN_TABLES_H

/* `hash`: 0 for a number. A byte is taken for any, wherever it comes from. */
struct Operand {
    Hash hash;
    long long number;
    bool is_byte;
};
template <class T> Operand operand_of(const Val<T> &x) { return {x.hash(), (long long)x.v, sizeof(T) == 1}; }

/* From the numbers that the operands are to a number. */
typedef long long (*Apply)(const long long *given, const void *function);

/* The operation that `hash` comes from. `bytes`: what all of it is made of; `shape`: the operations, with the places of
 * these instead of their hashes. */
static const unsigned OPERANDS = 6;
struct Node {
    Hash hash, shape, bytes[2];
    Apply apply;
    const void *function;
    unsigned byte_count, count;
    Operand operands[OPERANDS];
};

/* The latest ones: what is forgotten makes a proof fail, never hold. */
static const unsigned SETS = 1 << 10, WAYS = 4;
static Hash node_hashes[SETS][WAYS];
static Node nodes[SETS][WAYS];
static unsigned char next_way[SETS];

static inline const Node *node_of(Hash hash) {
    const unsigned set = hash % SETS;
    for (unsigned way = 0; way < WAYS; way++) {
        if (node_hashes[set][way] == hash && hash) {
            return &nodes[set][way];
        }
    }
    return nullptr;
}

/* Its place among the bytes, 2 where they are others. */
static unsigned place_of(Node &node, Hash byte) {
    for (unsigned place = 0; place < node.byte_count; place++) {
        if (node.bytes[place] == byte) {
            return place;
        }
    }
    if (node.byte_count < 2) {
        node.bytes[node.byte_count++] = byte;
        return node.byte_count - 1;
    }
    return 2;
}

static void note(Hash hash, Hash code, Apply apply, const void *function, std::initializer_list<Operand> operands) {
    if (node_of(hash) || operands.size() > OPERANDS) {
        return;
    }
    for (const Operand &one : operands) {
        if (one.hash && !one.is_byte && !node_of(one.hash)) {
            return;
        }
    }
    Node made = {hash, mixed(code, operands.size()), {0, 0}, apply, function, 0, 0, {}};
    for (const Operand &one : operands) {
        const Node *const inner = one.hash && !one.is_byte ? node_of(one.hash) : nullptr;
        const Hash *const bytes = inner ? inner->bytes : &one.hash;
        const unsigned count = inner ? inner->byte_count : one.hash ? 1 : 0;
        Hash shape = inner ? inner->shape : one.hash ? 6 : mixed(5, (Hash)one.number);
        for (unsigned k = 0; k < count; k++) {
            const unsigned place = place_of(made, bytes[k]);
            if (place == 2) {
                return;
            }
            shape = mixed(shape, 20 + place);
        }
        made.shape = mixed(made.shape, shape);
        made.operands[made.count++] = one;
    }
    const unsigned set = hash % SETS, way = next_way[set]++ % WAYS;
    node_hashes[set][way] = hash;
    nodes[set][way] = made;
}

template <class T, class U> long long converted(const long long *given, const void *) {
    return (long long)(T)(U)given[0];
}

template <class R, class... A, std::size_t... I>
R call(R (*function)(A...), const long long *given, std::index_sequence<I...>) {
    return function(A((decltype(A::v))given[I])...);
}
template <class R, class... A> long long called(const long long *given, const void *function) {
    return (long long)call((R(*)(A...))function, given, std::index_sequence_for<A...>()).number("it is a number");
}

/* Operations in an order in which they can be done: an operand is a number, or where it stands among the results, behind
 * the two bytes. */
struct Formula {
    static const unsigned MOST = 64;
    std::vector<Node> steps;
    std::vector<std::vector<int>> places;
    std::map<Hash, int> known; /* -1: is being looked at */

    /* Where the result of `hash` stands, -1 where it is not known how it is made. */
    int add(Hash hash) {
        if (known.count(hash)) {
            return known[hash];
        }
        known[hash] = -1;
        const Node *const found = node_of(hash);
        if (!found || known.size() > MOST) {
            return -1;
        }
        const Node node = *found;
        std::vector<int> row;
        for (unsigned k = 0; k < node.count; k++) {
            const int place = node.operands[k].hash ? add(node.operands[k].hash) : 0;
            if (place < 0) {
                return -1;
            }
            row.push_back(place);
        }
        steps.push_back(node);
        places.push_back(row);
        return known[hash] = (int)steps.size() + 1;
    }

    long long result(long long first, long long second) const {
        long long values[MOST + 2] = {first, second};
        for (std::size_t step = 0; step < steps.size(); step++) {
            const Node &node = steps[step];
            long long given[OPERANDS];
            for (unsigned k = 0; k < node.count; k++) {
                given[k] = node.operands[k].hash ? values[places[step][k]] : node.operands[k].number;
            }
            values[step + 2] = node.apply(given, node.function);
        }
        return values[steps.size() + 1];
    }
};

/* What a shape makes of its bytes. `on_first`, `on_second`: whether these make a difference; `alone`: the hash of the 256
 * results by the only one that does, `both` that of all pairs; `constant`: the result where none does. */
struct Table {
    bool known, on_first, on_second, identity;
    Hash alone, both;
    signed char constant;
};

static Table table_of_node(const Node &node, bool swapped) {
    static signed char all[256][256]; /* by the bytes in the order of their hashes */
    Table table = {};
    Formula formula;
    formula.known[node.bytes[swapped]] = 0;
    if (node.byte_count == 2) {
        formula.known[node.bytes[!swapped]] = 1;
    }
    if (formula.add(node.hash) < 0) {
        return table;
    }
    try {
        for (int first = -128; first < 128; first++) {
            for (int second = -128; second < 128; second++) {
                const bool same = node.byte_count < 2 && second > -128;
                all[first + 128][second + 128] =
                    same ? all[first + 128][0] : (signed char)formula.result(first, second);
            }
        }
        table.known = true;
    } catch (const Violation &) {
    }
    table.both = 1;
    for (int first = 0; first < 256 && table.known; first++) {
        for (int second = 0; second < 256; second++) {
            table.on_first |= all[first][second] != all[0][second];
            table.on_second |= all[first][second] != all[first][0];
            table.both = mixed(table.both, (Hash)all[first][second]);
        }
    }
    table.constant = all[0][0];
    table.alone = 1;
    table.identity = true;
    for (int byte = 0; byte < 256; byte++) {
        const signed char made = table.on_second ? all[0][byte] : all[byte][0];
        table.identity &= made == byte - 128;
        table.alone = mixed(table.alone, (Hash)(long long)made);
    }
    return table;
}

/* Of a byte that was just made. */
template <class T> void tabulate(Val<T> &byte) {
    const Node *const found = sizeof(T) == 1 ? node_of(byte.hash()) : nullptr;
    if (!found) {
        return;
    }
    const Node node = *found;
    const bool swapped = node.byte_count == 2 && node.bytes[1] < node.bytes[0];
    static std::map<std::pair<Hash, bool>, Table> tables;
    const std::pair<Hash, bool> which(node.shape, swapped);
    if (!tables.count(which)) {
        tables[which] = table_of_node(node, swapped);
    }
    const Table &table = tables[which];
    if (!table.known) {
        return;
    }
    const Hash first = node.bytes[swapped], second = node.bytes[node.byte_count == 2 && !swapped];
    if (table.on_first && table.on_second) {
        set_hash(&byte, 1, mixed(mixed(mixed(14, first), second), table.both));
    } else if (table.on_first || table.on_second) {
        const Hash only = table.on_first ? first : second;
        set_hash(&byte, 1, table.identity ? only : mixed(mixed(11, only), table.alone));
    } else {
        byte = Val<T>((T)table.constant);
    }
}

#endif
