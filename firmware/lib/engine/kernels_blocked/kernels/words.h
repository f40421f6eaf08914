/* SPDX-License-Identifier: Apache-2.0
 * Words of memory, through which buffers of bytes are read.
 */
#ifndef TINYPROOF_KERNELS_WORDS_H
#define TINYPROOF_KERNELS_WORDS_H

#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) word;

#endif
