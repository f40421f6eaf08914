/* SPDX-License-Identifier: Apache-2.0
 * Keeps a compiler from doing several steps of a sum at once, for which it has not the registers: what comes next needs
 * the value, and may not begin before.
 */
#ifndef TINYPROOF_KERNELS_KEEP_ORDER_H
#define TINYPROOF_KERNELS_KEEP_ORDER_H

#define KEEP_ORDER(value) __asm__ volatile("" : "+r"(value))

#endif
