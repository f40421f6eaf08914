/* SPDX-License-Identifier: Apache-2.0
 * Runs a model's operators on a build's vectors, with one fault after the other in its tables, and compares as a check
 * does: the outputs of all vectors, for some of them the CRC-32 of what each operator writes, and then each operator run
 * alone on contents that are made here (probe.h).
 *
 *     runner VECTORS sound     answers to faults on stdin, after the sound engine was seen to answer all of them rightly
 *     runner VECTORS whole US  one answer, within so many microseconds of a processor, and how long to wait for another
 *                              engine that is compiled alike: the engine itself is what may be wrong
 *     runner VECTORS layers N  of each step a CRC-32 of what it makes of N arenas of random bytes, with the fault on stdin
 *     runner VECTORS regions N the bytes of all regions from number N on
 *
 * A fault is a line: the step that reads the changed bytes, how many changes, and of each region, offset and bytes in hex.
 * An answer: vector that shows it in the outputs, vector that shows it in a digest, the first such step, the first step
 * that shows it when it runs alone, and the signal that ended it; -1, and 0 for no signal. Each fault has a process
 * of its own, so that it may crash or never end.
 */
#define _GNU_SOURCE
#include "runner.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef COUNT_LINES
extern void __gcov_dump(void); /* what gcc's --coverage has counted */
#endif

enum {
    MARGIN = 1 << 24,     /* bytes that can be read and written around an arena: on a board there is memory, too */
    LEAST_TIME_US = 1000000,
    PATIENCE = 8, /* times as long as the sound engine takes for all of it */
};

static struct {
    uint32_t vectors, sequence;
    uint32_t input_bytes, output_bytes;
    const unsigned char *traced; /* of each vector, whether its digests are compared */
    const unsigned char *inputs, *outputs;
    const uint32_t *digests; /* of the traced vectors, model_digest_count each */
    const uint32_t *probes;  /* of each step, of all its trials */
    uint32_t seed;           /* of these */
} asked;

struct answer {
    int32_t by_output, by_digest, digest_step, alone_step, stopped_by;
};

static uint32_t crc_table[256];
static int8_t *work, *before, *after; /* an arena; of each vector the arena before and after a step of the sound engine */
static uint32_t at_step;              /* whose `before` and `after` are there */

static void make_crc_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1U)));
        }
        crc_table[byte] = crc;
    }
}

static uint32_t crc32(const int8_t *data, uint32_t bytes) {
    uint32_t crc = 0xFFFFFFFFU;
    while (bytes-- > 0) {
        crc = (crc >> 8) ^ crc_table[(crc ^ (uint8_t)*data++) & 0xFFU];
    }
    return ~crc;
}

static int8_t *arena_of(size_t bytes) {
    unsigned char *start = mmap(NULL, bytes + 2 * (size_t)MARGIN, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        exit(2);
    }
    return (int8_t *)start + MARGIN;
}

static void load(int8_t *arena, uint32_t vector) {
    const unsigned char *from = asked.inputs + (size_t)vector * asked.input_bytes;
    for (uint32_t i = 0; i < model_input_count; from += model_inputs[i++].bytes) {
        memcpy(arena + model_inputs[i].offset, from, model_inputs[i].bytes);
    }
}

static int answers(const int8_t *arena, uint32_t vector) {
    const unsigned char *right = asked.outputs + (size_t)vector * asked.output_bytes;
    for (uint32_t i = 0; i < model_output_count; right += model_outputs[i++].bytes) {
        if (memcmp(arena + model_outputs[i].offset, right, model_outputs[i].bytes) != 0) {
            return 0;
        }
    }
    return 1;
}

/* The first of the digests of `step` that is wrong is noted. `number`: of the vector among the traced ones. */
static void compare_digests(const int8_t *arena, uint32_t step, uint32_t vector, uint32_t number, struct answer *found) {
    if (!asked.traced[vector] || found->by_digest >= 0) {
        return;
    }
    const uint32_t *right = asked.digests + (size_t)number * model_digest_count;
    for (uint32_t i = 0; i < model_digest_count; i++) {
        const struct span *const part = &model_digests[i];
        if (part->step == step && crc32(arena + part->offset, part->bytes) != right[i]) {
            found->by_digest = (int32_t)vector;
            found->digest_step = (int32_t)step;
            return;
        }
    }
}

/* Goes on until an output differs: then nothing more has to be known. */
static void run_all(struct answer *found) {
    memset(work, 0, model_arena_bytes);
    model_begin(work);
    for (uint32_t vector = 0, number = 0; vector < asked.vectors; number += asked.traced[vector++]) {
        load(work, vector);
        for (uint32_t step = 0; step < model_step_count; step++) {
            model_steps[step](work);
            compare_digests(work, step, vector, number, found);
        }
        if (!answers(work, vector)) {
            found->by_output = (int32_t)vector;
            return;
        }
    }
}

/* The same from `at_step` on, whose tables are changed: where it writes what it should, all that follows is right. */
static void run_from_step(struct answer *found) {
    for (uint32_t vector = 0, number = 0; vector < asked.vectors; number += asked.traced[vector++]) {
        memcpy(work, before + (size_t)vector * model_arena_bytes, model_arena_bytes);
        model_steps[at_step](work);
        if (memcmp(work, after + (size_t)vector * model_arena_bytes, model_arena_bytes) == 0) {
            continue;
        }
        compare_digests(work, at_step, vector, number, found);
        for (uint32_t step = at_step + 1; step < model_step_count; step++) {
            model_steps[step](work);
            compare_digests(work, step, vector, number, found);
        }
        if (!answers(work, vector)) {
            found->by_output = (int32_t)vector;
            return;
        }
    }
}

/* Steps from `first` up to `end`, each alone; where a vector has shown the fault in an output nothing is left to know. */
static void run_alone(uint32_t first, uint32_t end, struct answer *found) {
    for (uint32_t step = first; step < end && found->by_output < 0 && found->alone_step < 0; step++) {
        const struct probe *const probe = &model_probes[step];
        if (probe->trials > 0 &&
            probe_step((probe_word *)(void *)(work - PROBE_GUARD), model_arena_bytes, model_steps[step], probe,
                       model_probe_inputs, model_probe_given, asked.seed, step, 0, probe->trials) != asked.probes[step]) {
            found->alone_step = (int32_t)step;
        }
    }
}

/* Brings `before` and `after` to a step; steps come in their order. */
static void advance(uint32_t step) {
    while (at_step != step) {
        memcpy(before, after, (size_t)asked.vectors * model_arena_bytes);
        at_step++;
        for (uint32_t vector = 0; vector < asked.vectors; vector++) {
            model_steps[at_step](after + (size_t)vector * model_arena_bytes);
        }
    }
}

static void begin_steps(void) {
    const size_t all = (size_t)asked.vectors * model_arena_bytes;
    before = arena_of(all);
    after = arena_of(all);
    for (uint32_t vector = 0; vector < asked.vectors; vector++) {
        load(before + (size_t)vector * model_arena_bytes, vector);
    }
    memcpy(after, before, all);
    for (uint32_t vector = 0; vector < asked.vectors; vector++) {
        model_steps[0](after + (size_t)vector * model_arena_bytes);
    }
}

static int hex(char digit) {
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static void change(char *text) {
    const long changes = strtol(text, &text, 10);
    for (long i = 0; i < changes; i++) {
        const struct region *const region = &regions[strtoul(text, &text, 10)];
        size_t place = strtoul(text, &text, 10);
        text += strspn(text, " ");
        for (; hex(text[0]) >= 0 && hex(text[1]) >= 0; text += 2, place++) {
            if (place < region->bytes) {
                region->start[place] = (unsigned char)(16 * hex(text[0]) + hex(text[1]));
            }
        }
    }
}

/* In a process of its own. `line`: what is changed, NULL for nothing. */
static struct answer try_one(char *line, long limit_us) {
    struct answer found = {-1, -1, -1, -1, 0};
    struct answer *shared =
        mmap(NULL, sizeof found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        exit(2);
    }
    *shared = found;
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0) {
        exit(2);
    }
    if (child == 0) {
        const struct itimerval limit = {{0, 0}, {limit_us / 1000000, limit_us % 1000000}};
        setitimer(ITIMER_PROF, &limit, NULL); /* of processor time, so that a busy machine changes nothing */
        if (line) {
            change(line);
        }
        if (line && !asked.sequence) {
            run_from_step(shared);
            run_alone(at_step, at_step + 1, shared);
        } else {
            run_all(shared);
            run_alone(0, model_step_count, shared);
        }
#ifdef COUNT_LINES
        __gcov_dump();
#endif
        _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) < 0) {
        exit(2);
    }
    found = *shared;
    munmap(shared, sizeof found);
    found.stopped_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return found;
}

/* Any bytes, bytes near 0, and any bytes among many of -128, which is what ReLU leaves of most. */
static void fill(int8_t *arena, uint32_t *state, uint32_t trial) {
    for (uint32_t i = 0; i < model_arena_bytes; i++) {
        *state = *state * 1664525U + 1013904223U;
        const int8_t byte = (int8_t)(*state >> 24);
        arena[i] = trial % 3 == 0 ? byte : trial % 3 == 1 ? (int8_t)(byte / 8) : *state >> 22 & 3 ? -128 : byte;
    }
}

static void try_layers(long trials) {
    uint32_t state = 1;
    for (uint32_t step = 0; step < model_step_count; step++) {
        uint32_t all = 0;
        for (long trial = 0; trial < trials; trial++) {
            fill(work, &state, (uint32_t)trial);
            model_steps[step](work);
            for (uint32_t i = 0; i < model_digest_count; i++) {
                if (model_digests[i].step == step) {
                    all = all * 31 + crc32(work + model_digests[i].offset, model_digests[i].bytes);
                }
            }
        }
        printf("%u\n", all);
    }
}

static void say(struct answer found) {
    printf("%d %d %d %d %d\n", found.by_output, found.by_digest, found.digest_step, found.alone_step, found.stopped_by);
}

/* Of a processor, by this process or its children. */
static long used_us(int who) {
    struct rusage used;
    getrusage(who, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static long patience_us(long sound_us) { return LEAST_TIME_US + PATIENCE * sound_us; }

static const unsigned char *read_vectors(const char *name) {
    FILE *const file = fopen(name, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        exit(2);
    }
    const long size = ftell(file);
    unsigned char *const content = malloc((size_t)size + 1);
    rewind(file);
    if (!content || fread(content, 1, (size_t)size, file) != (size_t)size) {
        exit(2);
    }
    fclose(file);
    return content;
}

int main(int count, char **arguments) {
    if (count < 3) {
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* who asks waits for each line */
    if (strcmp(arguments[2], "regions") == 0) {
        for (const struct region *one = &regions[count > 3 ? atol(arguments[3]) : 0]; one->start; one++) {
            fwrite(one->start, 1, one->bytes, stdout);
        }
        return 0;
    }
    const unsigned char *at = read_vectors(arguments[1]);
    uint32_t head[4];
    memcpy(head, at, sizeof head);
    at += sizeof head;
    asked.vectors = head[0];
    asked.sequence = head[1];
    asked.seed = head[3];
    asked.probes = (const uint32_t *)(const void *)at;
    at += sizeof(uint32_t) * model_step_count;
    asked.digests = (const uint32_t *)(const void *)at;
    at += sizeof(uint32_t) * head[2] * model_digest_count;
    asked.traced = at;
    at += asked.vectors;
    for (uint32_t i = 0; i < model_input_count; i++) {
        asked.input_bytes += model_inputs[i].bytes;
    }
    for (uint32_t i = 0; i < model_output_count; i++) {
        asked.output_bytes += model_outputs[i].bytes;
    }
    asked.inputs = at;
    asked.outputs = at + (size_t)asked.vectors * asked.input_bytes;
    make_crc_table();
    work = arena_of(model_arena_bytes);
    if (strcmp(arguments[2], "layers") == 0) {
        char *line = NULL, *rest;
        size_t room = 0;
        if (getline(&line, &room, stdin) > 0) {
            strtoul(line, &rest, 10);
            change(rest);
        }
        const struct itimerval limit = {{0, 0}, {count > 4 ? atol(arguments[4]) : LEAST_TIME_US / 1000000, 0}};
        setitimer(ITIMER_PROF, &limit, NULL);
        try_layers(count > 3 ? atol(arguments[3]) : 1);
        return 0;
    }
    if (strcmp(arguments[2], "whole") == 0) {
        say(try_one(NULL, count > 3 ? atol(arguments[3]) : LEAST_TIME_US));
        printf("%ld\n", patience_us(used_us(RUSAGE_CHILDREN)));
        return 0;
    }
    struct answer sound = {-1, -1, -1, -1, 0};
    const long start_us = used_us(RUSAGE_SELF);
    run_all(&sound);
    run_alone(0, model_step_count, &sound);
    const long limit_us = patience_us(used_us(RUSAGE_SELF) - start_us);
    say(sound);
    printf("%ld\n", limit_us);
    if (sound.by_output >= 0 || sound.by_digest >= 0 || sound.alone_step >= 0) {
        return 0;
    }
    if (!asked.sequence) {
        begin_steps();
    }
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        char *rest;
        const uint32_t step = (uint32_t)strtoul(line, &rest, 10);
        if (!asked.sequence) {
            advance(step);
        }
        say(try_one(rest, limit_us));
    }
    free(line);
    return 0;
}
