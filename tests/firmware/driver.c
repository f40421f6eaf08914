/* SPDX-License-Identifier: Apache-2.0
 * The protocol's code on the host, under sanitizers.
 *   driver protocol IN OUT [ARENA]   bytes of stdin are what the board receives; replies go to stdout
 *   driver broken                    the same with an engine that failed to start
 *   driver numbers                   a line "f TEXT", "s BITS" or "c TEXT" each: parse, format, CRC
 * The engine: output[i] = input[i mod IN] + i, wrapping; an input[0] of 42 makes it fail.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc16.h"
#include "number.h"
#include "protocol.h"

static int8_t *input, *output;
static uint32_t runs;
static struct engine engine = {
    .input = {NULL, 0, 0.5F, -1},
    .output = {NULL, 0, 0.25F, 6},
};

const char engine_name[] = "fake";

enum engine_status engine_run(void) {
    runs++;
    if (engine.input.data[0] == 42) {
        return ENGINE_ERROR_INVOKE;
    }
    for (uint32_t i = 0; i < engine.output.bytes; i++) {
        engine.output.data[i] = (int8_t)(uint8_t)((uint32_t)engine.input.data[i % engine.input.bytes] + i);
    }
    memset(engine.input.data, 0x55, engine.input.bytes); /* an engine may spend its input */
    return ENGINE_OK;
}

static void write_stdout(const char *bytes, size_t count) {
    (void)fwrite(bytes, 1, count, stdout);
}

static uint32_t ticks(void) {
    return 0;
}

static uint32_t elapsed(uint32_t start) {
    return start + runs; /* tells a second run from a repeated reply */
}

static int speak(uint32_t in, uint32_t out) {
    static const struct protocol_port port = {"native", "insn", "0123456789abcdef", write_stdout, ticks, elapsed};
    engine.input.bytes = in;
    engine.output.bytes = out;
    struct protocol *protocol = malloc(sizeof *protocol); /* on the heap, where ASan guards its ends */
    input = malloc(in ? in : 1);
    output = malloc(out ? out : 1);
    if (!protocol || !input || !output) {
        return 1;
    }
    memset(input, 0, in ? in : 1);
    engine.input.data = input;
    engine.output.data = output;
    protocol_init(protocol, &port, in ? &engine : NULL, 7);
    for (int byte = getchar(); byte != EOF; byte = getchar()) {
        protocol_feed(protocol, (uint8_t)byte);
    }
    free(protocol);
    free(input);
    free(output);
    return 0;
}

static int numbers(void) {
    char line[400];
    while (fgets(line, sizeof line, stdin)) {
        const size_t count = strcspn(line, "\n") - 2;
        char *text = malloc(count + 1); /* exactly as long as the text, so that ASan sees a byte too far */
        float value = 0.0F;
        uint32_t bits = 0;
        if (!text) {
            return 1;
        }
        memcpy(text, line + 2, count);
        if (line[0] == 'f') {
            const enum number_status status = number_parse_float(text, count, &value);
            memcpy(&bits, &value, sizeof bits);
            if (status == NUMBER_OK) {
                printf("%08lX\n", (unsigned long)bits);
            } else {
                puts(status == NUMBER_ERROR_RANGE ? "range" : "syntax");
            }
        } else if (line[0] == 's') {
            char shown[NUMBER_FORMAT_BYTES];
            text[count] = 0;
            bits = (uint32_t)strtoul(text, NULL, 16);
            memcpy(&value, &bits, sizeof value);
            printf("%.*s\n", (int)number_format(value, shown), shown);
        } else {
            uint16_t crc = CRC16_INITIAL;
            for (size_t i = 0; i < count; i++) {
                crc = crc16_add(crc, (uint8_t)text[i]);
            }
            printf("%04X\n", (unsigned)crc);
        }
        free(text);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 5) {
        engine.arena_used_bytes = (uint32_t)atoi(argv[4]);
    }
    if (argc >= 4 && strcmp(argv[1], "protocol") == 0) {
        return speak((uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]));
    }
    if (argc == 2 && strcmp(argv[1], "broken") == 0) {
        return speak(0, 0);
    }
    return argc == 2 && strcmp(argv[1], "numbers") == 0 ? numbers() : 2;
}
