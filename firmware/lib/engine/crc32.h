/* SPDX-License-Identifier: Apache-2.0
 * CRC-32 of ISO-HDLC (zlib's): begin with CRC32_INITIAL, invert at the end; "123456789" gives CBF43926.
 */
#ifndef TINYPROOF_CRC32_H
#define TINYPROOF_CRC32_H

#include <stdint.h>

#define CRC32_INITIAL 0xFFFFFFFFU

/* Bit by bit: a table would cost the Uno half of its RAM. */
static inline uint32_t crc32_over(uint32_t crc, const int8_t *data, uint32_t bytes) {
    for (; bytes > 0; bytes--) {
        crc ^= (uint8_t)*data++;
        for (uint8_t bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1U)));
        }
    }
    return crc;
}

#endif
