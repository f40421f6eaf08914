/* SPDX-License-Identifier: Apache-2.0
 * SOFTMAX behind its sum under the sanitizers: for every sum from the first argument to the second the smallest and the
 * largest distance, and for one sum in 64 all distances of a byte. Reads the table of exponentials from stdin.
 */
#include <stdio.h>
#include <stdlib.h>

#include "softmax.c"

int main(int argc, char **argv) {
    int8_t input[256], output[256];
    if (argc != 4) {
        return 2;
    }
    const int64_t low = atoll(argv[1]), high = atoll(argv[2]);
    const int32_t count = atoi(argv[3]);
    int32_t *exponentials = malloc((size_t)count * sizeof(int32_t));
    if (!exponentials || fread(exponentials, sizeof(int32_t), (size_t)count, stdin) != (size_t)count) {
        return 2;
    }
    for (int64_t sum = low; sum <= high; sum++) {
        const struct softmax_s8 p = {1, sum % 64 ? 3 : 256, count, exponentials};
        for (int32_t i = 0; i < p.depth; i++) {
            input[i] = (int8_t)(127 - i);
        }
        input[1] = (int8_t)(128 - count);
        said.largest = 127;
        said.sum = (uint32_t)sum;
        softmax_s8(input, output, &p);
    }
    free(exponentials);
    return 0;
}
