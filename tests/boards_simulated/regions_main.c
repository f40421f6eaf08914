/* SPDX-License-Identifier: Apache-2.0 */
#include "hal.h"

void measure(void);
void settle(void);

void settle(void) {
}

int main(void) {
    hal_init();
    measure();
    for (;;) {
        (void)hal_read();
    }
}
