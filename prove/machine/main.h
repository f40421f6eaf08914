/* SPDX-License-Identifier: Apache-2.0
 * Runs each step of model_profile.c on an arena of unknown bytes, and writes what became of it. Included behind the
 * steps; prove/symbolic.py reads the files.
 */
static Sym<signed char> machine_arena[MODEL_ARENA_BYTES];

template <class T> static void write_array(FILE *file, const std::vector<T> &values) {
    if (!values.empty() && std::fwrite(values.data(), sizeof(T), values.size(), file) != values.size()) {
        std::exit(2);
    }
}

static void write_step(FILE *file) {
    std::vector<int> head, addresses;
    std::vector<long long> numbers, coefficients;
    for (int place = 0; place < MODEL_ARENA_BYTES; place++) {
        const Sym<signed char> &cell = machine_arena[place];
        if (cell.n && cell.n->kind == INPUT && cell.n->number == place) {
            continue;
        }
        Record moved;
        const bool recorded = cell.n && cell.n->kind == TOKEN;
        if (!recorded) {
            moved.form = form_of(cell);
        }
        const Record &record = recorded ? records[cell.n->number] : moved;
        head.insert(head.end(), {place, record.tail, (int)record.form.terms.size()});
        numbers.insert(numbers.end(), record.parameters, record.parameters + PARAMETERS);
        numbers.insert(numbers.end(), {record.clamp_min, record.clamp_max, record.form.constant});
        for (const Term &term : record.form.terms) {
            addresses.push_back(term.first);
            coefficients.push_back(term.second);
        }
    }
    const std::vector<int> counts = {(int)head.size() / 3, (int)addresses.size()};
    write_array(file, counts);
    write_array(file, head);
    write_array(file, addresses);
    write_array(file, numbers);
    write_array(file, coefficients);
}

int main(int count, char **arguments) {
    if (count != 2) {
        return 2;
    }
    for (int step = 0; step < MODEL_STEPS; step++) {
        records.clear();
        pool.clear();
        for (int place = 0; place < MODEL_ARENA_BYTES; place++) {
            machine_arena[place] = Sym<signed char>();
            machine_arena[place].n = pool.make(INPUT, place, 128, nullptr, nullptr);
        }
        FILE *file = std::fopen((std::string(arguments[1]) + "/step" + std::to_string(step)).c_str(), "wb");
        if (!file) {
            return 2;
        }
        try {
            model_steps[step](machine_arena);
            write_step(file);
        } catch (const Violation &violation) {
            std::printf("%d %s\n", step, violation.why.c_str());
        }
        if (std::fclose(file)) {
            return 2;
        }
    }
    return 0;
}
