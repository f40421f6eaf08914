/* SPDX-License-Identifier: Apache-2.0
 * How deep the stack went, by what is left of a pattern, in the reserve that the linker keeps free of data. It lies at
 * the top of RAM, from where the stack grows downwards.
 */
#include "hal.h"

#define PAINT 0xC5C5C5C5UL
#define SPARE_WORDS 32 /* below the frame of the one that paints: what is in use there is not its to overwrite */

extern uint32_t __stack_top[];
extern uint32_t __stack_bytes[]; /* a size, as the address of a symbol */

static volatile uint32_t *bottom(void) {
    return (volatile uint32_t *)(((uintptr_t)__stack_top - (uintptr_t)__stack_bytes + 3U) & ~(uintptr_t)3);
}

void hal_stack_paint(void) {
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0) - SPARE_WORDS * sizeof(uint32_t);
    for (volatile uint32_t *word = bottom(); (uintptr_t)word < here; word++) {
        *word = PAINT;
    }
}

uint32_t hal_stack_used(void) {
    const volatile uint32_t *word = bottom();
    while (word < __stack_top && *word == PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)word);
}
