/* SPDX-License-Identifier: Apache-2.0
 * Start of an Xtensa core with the call0 ABI: exception vectors, stack, then startup.c (Xtensa Instruction Set
 * Architecture Reference Manual, 4.4.1 and 4.4.4; the vectors' offsets are the lx106's).
 */

/* An interrupt only ends `waiti` in xtensa.c: it is switched off where it is taken, and the UART is asked afterwards.
 * Any other exception is a bug of ours: it stands still, so that the host times out and says so, rather than answer
 * nonsense. */
__asm(".section .vectors, \"ax\"\n"
      ".literal_position\n"
      ".global startup_reset\n"
      "startup_vectors:\n"
      ".org 0x10\n" /* debug */
      "j stand_still\n"
      ".org 0x20\n" /* not maskable */
      "j stand_still\n"
      ".org 0x30\n" /* kernel mode, where everything runs */
      "wsr a0, excsave1\n"
      "rsr a0, exccause\n"
      "bnei a0, 4, stand_still\n" /* level-1 interrupt */
      "movi a0, 0\n"
      "wsr a0, intenable\n"
      "rsync\n"
      "rsr a0, excsave1\n"
      "rfe\n"
      ".org 0x50\n" /* user mode */
      "j stand_still\n"
      ".org 0x70\n" /* double exception */
      "j stand_still\n"
      ".align 4\n"
      ".literal_position\n"
      "startup_reset:\n"
      "movi a2, 0\n"
      "wsr a2, intenable\n"
      "movi a2, startup_vectors\n"
      "wsr a2, vecbase\n"
      "movi a2, 15\n" /* kernel mode, all interrupts masked */
      "wsr a2, ps\n"
      "rsync\n"
      "movi a1, __stack_top\n"
      "call0 startup_c\n"
      "stand_still:\n"
      "waiti 15\n"
      "j stand_still\n"
      ".text\n");
