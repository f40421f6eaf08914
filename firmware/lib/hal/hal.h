/* SPDX-License-Identifier: Apache-2.0
 * What a board must offer, and nothing else. One file per UART and timer family implements it.
 */
#ifndef TINYPROOF_HAL_H
#define TINYPROOF_HAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Name of the board, as in firmware/boards/, and the unit that hal_ticks counts in: "insn", "cycle" or "us". */
extern const char hal_board[];
extern const char hal_tick_unit[];

/* Brings up the UART and the timer. */
void hal_init(void);

/* Next received byte, 0..255. Waits for it, asleep where the core can sleep. */
int hal_read(void);

/* Sends `count` bytes; returns when they are handed to the UART. */
void hal_write(const char *bytes, size_t count);

/* Free-running timer in ticks of its own, modulo 2^32. */
uint32_t hal_ticks(void);

/* What has passed since `start` (a value of hal_ticks), in hal_tick_unit, less the cost of measuring itself. */
uint32_t hal_elapsed(uint32_t start);

/* Fills what the stack has not reached yet with a pattern; call first of all. */
void hal_stack_paint(void);

/* Bytes of the stack that were ever used since, interrupts included; 0 where the board cannot say. */
uint32_t hal_stack_used(void);

#ifdef __cplusplus
}
#endif
#endif
