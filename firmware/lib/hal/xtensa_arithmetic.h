/* SPDX-License-Identifier: Apache-2.0
 * Names that the compiler calls by itself (GCC Internals Manual, chapter 4).
 */
#ifndef TINYPROOF_XTENSA_ARITHMETIC_H
#define TINYPROOF_XTENSA_ARITHMETIC_H

#include <stdint.h>

uint32_t __udivsi3(uint32_t a, uint32_t b);
uint32_t __umodsi3(uint32_t a, uint32_t b);
int32_t __divsi3(int32_t a, int32_t b);
int32_t __modsi3(int32_t a, int32_t b);
int64_t __muldi3(int64_t a, int64_t b);
float __floatsisf(int32_t a);
float __addsf3(float x, float y);
float __subsf3(float x, float y);
float __mulsf3(float x, float y);

#endif
