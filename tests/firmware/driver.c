/* SPDX-License-Identifier: Apache-2.0
 * The protocol's code on the host, under sanitizers.
 *   driver protocol IN OUT [ARENA]   bytes of stdin are what the board receives; replies go to stdout
 *   driver speeds IN OUT             the same of a line that has speeds; a line "~BAUD KEPT" follows what each line does
 *   driver broken                    the same with an engine that failed to start
 *   driver typed                     the same with tensors of several types and a state: see typed_run
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
static struct engine_tensor in_tensors[2] = {{NULL, 0, 0.5F, -1, ENGINE_INT8}, {NULL, 4, 0.01F, 0, ENGINE_INT16}};
static struct engine_tensor out_tensors[3] = {
    {NULL, 0, 0.25F, 6, ENGINE_INT8}, {NULL, 4, 1.0F, 0, ENGINE_INT32}, {NULL, 1, 1.0F, 0, ENGINE_BOOL}};
static struct engine engine = {.inputs = {in_tensors, 0, 1}, .outputs = {out_tensors, 0, 1}};
static int32_t state; /* inferences since the last reset, of `typed` */

const char engine_name[] = "fake";

void engine_reset(void) {
    state = 0;
}

/* uint8 [2], int32 [1] and bool [1] of int8 [2] and int16 [2]: bytes plus the state, the sum of the words, its sign. */
static void typed_run(void) {
    int16_t words[2];
    memcpy(words, in_tensors[1].data, sizeof words);
    const int32_t sum = words[0] + words[1];
    for (uint32_t i = 0; i < 2; i++) {
        out_tensors[0].data[i] = (int8_t)(uint8_t)(in_tensors[0].data[i] + state);
    }
    memcpy(out_tensors[1].data, &sum, sizeof sum);
    out_tensors[2].data[0] = sum < 0;
    state++;
}

enum engine_status engine_run(void) {
    runs++;
    if (in_tensors[0].data[0] == 42) {
        return ENGINE_ERROR_INVOKE;
    }
    if (engine.state_bytes) {
        typed_run();
        return ENGINE_OK;
    }
    for (uint32_t i = 0; i < out_tensors[0].bytes; i++) {
        out_tensors[0].data[i] = (int8_t)(uint8_t)((uint32_t)in_tensors[0].data[i % in_tensors[0].bytes] + i);
    }
    memset(in_tensors[0].data, 0x55, in_tensors[0].bytes); /* an engine may spend its input */
    return ENGINE_OK;
}

static void write_stdout(const char *bytes, size_t count) {
    (void)fwrite(bytes, 1, count, stdout);
    if (count > 0 && bytes[count - 1] == '\n') {
        (void)fflush(stdout); /* for those who wait for an answer */
    }
}

static uint32_t ticks(void) {
    return 0;
}

static uint32_t elapsed(uint32_t start) {
    return start + runs; /* tells a second run from a repeated reply */
}

static uint32_t stack_used(void) {
    return engine.state_bytes ? 96 : 0;
}

static bool has_speeds;
static uint32_t baud_set, times_kept;

static bool set_baud(uint32_t baud) {
    baud_set = baud;
    return baud >= 9600 && baud <= 1000000;
}

static void keep_baud(void) {
    times_kept++;
}

static int speak(uint32_t in, uint32_t out) {
    static struct protocol_port port = {"native", "insn",     "0123456789abcdef", write_stdout, ticks,
                                        elapsed,  stack_used, "",                 set_baud,     keep_baud};
    if (has_speeds) {
        port.base_baud = "115200";
    }
    in_tensors[0].bytes = in;
    out_tensors[0].bytes = out;
    for (uint32_t i = 0; i < engine.inputs.count; i++) {
        engine.inputs.bytes += in_tensors[i].bytes;
    }
    for (uint32_t i = 0; i < engine.outputs.count; i++) {
        engine.outputs.bytes += out_tensors[i].bytes;
    }
    struct protocol *protocol = malloc(sizeof *protocol); /* on the heap, where ASan guards its ends */
    input = malloc(in ? in : 1);
    output = malloc(out ? out : 1);
    if (!protocol || !input || !output) {
        return 1;
    }
    memset(input, 0, in ? in : 1);
    in_tensors[0].data = input;
    out_tensors[0].data = output;
    protocol_init(protocol, &port, in ? &engine : NULL, 7);
    for (int byte = getchar(); byte != EOF; byte = getchar()) {
        protocol_feed(protocol, (uint8_t)byte);
        if (byte == '\n' && has_speeds) {
            printf("~%lu %lu\n", (unsigned long)baud_set, (unsigned long)times_kept);
            (void)fflush(stdout);
        }
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

static int speak_typed(void) {
    static int8_t words[4], sum[4], sign[1];
    in_tensors[1].data = words;
    out_tensors[1].data = sum;
    out_tensors[2].data = sign;
    out_tensors[0].type = ENGINE_UINT8;
    engine.inputs.count = 2;
    engine.outputs.count = 3;
    engine.state_bytes = sizeof state;
    return speak(2, 2);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "typed") == 0) {
        return speak_typed();
    }
    if (argc == 5) {
        engine.arena_used_bytes = (uint32_t)atoi(argv[4]);
    }
    if (argc >= 4 && strcmp(argv[1], "protocol") == 0) {
        return speak((uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]));
    }
    if (argc == 4 && strcmp(argv[1], "speeds") == 0) {
        has_speeds = true;
        return speak((uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]));
    }
    if (argc == 2 && strcmp(argv[1], "broken") == 0) {
        return speak(0, 0);
    }
    return argc == 2 && strcmp(argv[1], "numbers") == 0 ? numbers() : 2;
}
