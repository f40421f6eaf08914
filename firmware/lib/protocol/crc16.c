/* SPDX-License-Identifier: Apache-2.0 */
#include "crc16.h"

/* One byte without a table: the eight shifts of the polynomial x^16 + x^12 + x^5 + 1 folded into four XORs. */
uint16_t crc16_add(uint16_t crc, uint8_t byte) {
    uint16_t x = (uint16_t)((crc >> 8) ^ byte);
    x ^= (uint16_t)(x >> 4);
    return (uint16_t)((uint16_t)(crc << 8) ^ (uint16_t)(x << 12) ^ (uint16_t)(x << 5) ^ x);
}

uint16_t crc16_over(uint16_t crc, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        crc = crc16_add(crc, (uint8_t)bytes[i]);
    }
    return crc;
}
