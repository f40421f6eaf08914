/* SPDX-License-Identifier: Apache-2.0
 * The part of a start that is C, for cores whose first instructions set a stack: .data and .bss, main.
 */
#include <stdint.h>

extern uint32_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];

int main(void);
void startup_c(void); /* NOLINT(misc-use-internal-linkage): called from assembly */

__attribute__((used)) void startup_c(void) {
    const uint32_t *from = __data_load;
    for (volatile uint32_t *to = __data_start; to < __data_end; to++) {
        *to = *from++;
    }
    for (volatile uint32_t *to = __bss_start; to < __bss_end; to++) {
        *to = 0;
    }
    (void)main();
}
