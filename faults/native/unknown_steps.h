/* SPDX-License-Identifier: Apache-2.0
 * The second half of unknown.h: the program that runs steps on unknown bytes.
 */
#ifndef TINYPROOF_UNKNOWN_STEPS_H
#define TINYPROOF_UNKNOWN_STEPS_H

/* Runs steps, each on symbols alone, and says what all bytes but its scratch end as, or why it says nothing. Of a step
 * with an input of one byte or two all that these can be are tried, all else being symbols: it may depend on nothing but
 * its input, and write nothing but its output.
 *
 *     unknown A B ...  these steps
 *     unknown changes  for each line of stdin, as runner.c takes it, the step that it names, with the changes
 *     unknown wraps .. the same, where sums of signed numbers wrap instead of ending all
 */
struct Step {
    void (*run)(Val<signed char> *arena);
    unsigned scratch, scratch_bytes;
    unsigned input, input_bytes, output, output_bytes; /* 0 bytes where there is not just one of each */
};
struct Region {
    unsigned char *start;
    unsigned bytes;
};
static const unsigned BESIDE = 4096; /* bytes before and behind the arena */
static const unsigned STEP_S = 20, ALL_S = 60; /* of a processor, so that a busy machine changes nothing */
static ucontext_t outside, inside;
static const Step *steps;
static const Region *changeable;
static unsigned step_count, arena_bytes;
static char **arguments;
static int argument_count;
static Val<signed char> *whole;

static void make_unknown(unsigned first, unsigned bytes) {
    for (unsigned k = first; k < first + bytes; k++) {
        whole[k].v = 0;
        set_hash(&whole[k], 1, mixed(7, k));
    }
}

static Hash rows_of(const Step &step) {
    const unsigned all = arena_bytes + 2 * BESIDE;
    Hash digest = 15;
    watched_bytes = 0;
    make_unknown(0, all);
    watched_start = (unsigned long)whole;
    written_start = (unsigned long)(whole + BESIDE + step.output);
    written_bytes = step.output_bytes;
    for (unsigned row = 0; row < 1U << 8 * step.input_bytes; row++) {
        watched_bytes = 0;
        make_unknown(BESIDE + step.output, step.output_bytes);
        for (unsigned k = 0; k < step.input_bytes; k++) {
            whole[BESIDE + step.input + k] = Val<signed char>((signed char)(row >> 8 * k));
        }
        watched_bytes = all;
        step.run(whole + BESIDE);
        for (unsigned k = 0; k < step.output_bytes; k++) {
            digest = mixed(digest, (Hash)whole[BESIDE + step.output + k].number("an output is more than a number"));
        }
    }
    watched_bytes = 0;
    return digest;
}

static Hash bytes_of(const Step &step) {
    const unsigned all = arena_bytes + 2 * BESIDE;
    make_unknown(0, all);
    step.run(whole + BESIDE);
    Hash digest = 1;
    for (unsigned k = 0; k < all; k++) {
        if (k - BESIDE - step.scratch >= step.scratch_bytes) {
            digest = mixed(digest, whole[k].told());
        }
    }
    return digest;
}

static void run_step(const Step &step) {
    const bool few = step.input_bytes == 1 || step.input_bytes == 2;
    try {
        std::printf("%016llx\n", few && step.output_bytes && !step.scratch_bytes ? rows_of(step) : bytes_of(step));
    } catch (const Violation &violation) {
        watched_bytes = 0;
        std::printf("- %s\n", violation.why);
    }
    std::fflush(stdout);
}

static unsigned change(char *line) {
    const unsigned step = std::strtoul(line, &line, 10);
    for (long left = std::strtol(line, &line, 10); left > 0; left--) {
        const Region &region = changeable[std::strtoul(line, &line, 10)];
        unsigned place = std::strtoul(line, &line, 10);
        line += std::strspn(line, " ");
        for (unsigned byte; std::sscanf(line, "%2x", &byte) == 1 && *line != ' '; line += 2, place++) {
            if (place < region.bytes) {
                region.start[place] = (unsigned char)byte;
            }
        }
    }
    return step;
}

static void limit_time(unsigned seconds) {
    const struct itimerval limit = {{0, 0}, {seconds, 0}};
    setitimer(ITIMER_PROF, &limit, NULL);
}

/* Each line has a process of its own, since it may crash or never end. */
static void run_lines() {
    static char line[1 << 20];
    while (std::fgets(line, sizeof line, stdin)) {
        const pid_t child = fork();
        if (child == 0) {
            limit_time(STEP_S);
            run_step(steps[change(line)]);
            _exit(0);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) < 0) {
            std::exit(2);
        }
        if (WIFSIGNALED(status)) {
            std::printf("- it is stopped\n");
            std::fflush(stdout);
        }
    }
}

static void run_all() {
    running = true;
    wraps = argument_count > 1 && std::strcmp(arguments[1], "wraps") == 0;
    if (argument_count == 2 + wraps && std::strcmp(arguments[1 + wraps], "changes") == 0) {
        run_lines();
        return;
    }
    limit_time(ALL_S);
    for (int i = 1 + wraps; i < argument_count; i++) {
        const unsigned long step = std::strtoul(arguments[i], NULL, 10);
        if (step < step_count) {
            run_step(steps[step]);
        }
    }
}

static int run_on_low_stack(int given_count, char **given, void *arena, unsigned bytes, const Step *of, unsigned count,
                            const Region *regions) {
    static char stack[8 << 20] __attribute__((aligned(64)));
    arguments = given;
    argument_count = given_count;
    whole = (Val<signed char> *)arena;
    arena_bytes = bytes;
    steps = of;
    step_count = count;
    changeable = regions;
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = sizeof stack;
    inside.uc_link = &outside;
    makecontext(&inside, run_all, 0);
    return swapcontext(&outside, &inside);
}

/* Before any constructor of a parameter. */
__attribute__((constructor(101))) static void make_shadow() {
    shadow_memory = (Hash *)mmap(NULL, sizeof(Hash) << 32, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shadow_memory == MAP_FAILED) {
        std::exit(2);
    }
}

#endif
