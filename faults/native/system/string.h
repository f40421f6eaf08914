/* SPDX-License-Identifier: Apache-2.0
 * What kernels take of the C library. The machine's own header holds more than a translation, and C++, can read.
 */
#ifndef TINYPROOF_SYSTEM_STRING_H
#define TINYPROOF_SYSTEM_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

#endif
