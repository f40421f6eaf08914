/* SPDX-License-Identifier: Apache-2.0 */
/* Runs models on inputs from stdin, for op_cases.py. Of each model: how many samples, then the samples, each of them all
   inputs. A model with state is reset once, before its first; what is neither state nor input is garbage before each. */
#include "op_runner.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t is_state[1 << 24];

int main(void) {
    size_t gap = 0, input = 0, output = 0, state = 0;
    for (size_t m = 0; m < model_count; m++) {
        const struct model *p = &models[m];
        int8_t *arena = malloc(p->arena);
        uint32_t count;
        if (!arena || p->arena > sizeof is_state || fread(&count, sizeof count, 1, stdin) != 1)
            return 2;
        memset(is_state, 0, p->arena);
        for (; state < p->states_end; state++)
            memset(is_state + states[state].start, 1, states[state].bytes);
        for (; gap < p->gaps_end; gap++)
            ASAN_POISON_MEMORY_REGION(arena + gaps[gap].start, gaps[gap].bytes);
        const size_t first_input = input, first_output = output;
        for (uint32_t sample = 0; sample < count; sample++) {
            for (size_t i = 0; i < p->arena; i++)
                if (!__asan_address_is_poisoned(arena + i) && !(sample && is_state[i]))
                    arena[i] = 0x5A;
            if (!sample && p->reset)
                p->reset(arena);
            for (input = first_input; input < p->inputs_end; input++)
                if (fread(arena + inputs[input].start, 1, inputs[input].bytes, stdin) != inputs[input].bytes)
                    return 2;
            p->run(arena);
            for (output = first_output; output < p->outputs_end; output++)
                if (fwrite(arena + outputs[output].start, 1, outputs[output].bytes, stdout) != outputs[output].bytes)
                    return 2;
        }
        input = p->inputs_end;
        output = p->outputs_end;
        free(arena);
    }
    return 0;
}
