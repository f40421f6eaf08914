/* SPDX-License-Identifier: Apache-2.0
 * CRC-16/CCITT-FALSE: polynomial 0x1021, initial value 0xFFFF, nothing reflected; "123456789" gives 0x29B1.
 */
#ifndef TINYPROOF_CRC16_H
#define TINYPROOF_CRC16_H

#include <stddef.h>
#include <stdint.h>

#define CRC16_INITIAL 0xFFFFU

uint16_t crc16_add(uint16_t crc, uint8_t byte);

/* `crc`: that of the bytes before, or CRC16_INITIAL. */
uint16_t crc16_over(uint16_t crc, const char *bytes, size_t count);

#endif
