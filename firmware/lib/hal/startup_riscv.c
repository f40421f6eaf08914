/* SPDX-License-Identifier: Apache-2.0
 * Start of a RISC-V core in machine mode: global pointer, stack, then startup.c.
 */
void startup_reset(void); /* NOLINT(misc-use-internal-linkage): the linker script's entry */

/* First in flash, since that is where the core begins. A trap is a bug of ours: it stands still, so that the host times
 * out and says so, rather than answer nonsense. */
__attribute__((naked, used, section(".vectors"))) void startup_reset(void) {
    __asm volatile(".option push\n"
                   ".option norelax\n"
                   "la gp, __global_pointer$\n"
                   ".option pop\n"
                   "la sp, __stack_top\n"
                   "la t0, 1f\n"
                   "csrw mtvec, t0\n"
                   "call startup_c\n"
                   ".align 2\n"
                   "1: wfi\n"
                   "j 1b\n");
}
