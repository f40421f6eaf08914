/* SPDX-License-Identifier: Apache-2.0
 * Decimal to float32 and back without strtod, stdio or heap: the C library's versions cost up to 10 KB of flash,
 * and some round wrongly.
 */
#ifndef TINYPROOF_NUMBER_H
#define TINYPROOF_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum number_status {
    NUMBER_OK = 0,
    NUMBER_ERROR_SYNTAX = -1, /* not a number */
    NUMBER_ERROR_RANGE = -2,  /* too large for the type, or an exponent beyond +-NUMBER_EXPONENT_MAX */
};

#define NUMBER_DIGITS_MAX 18
#define NUMBER_EXPONENT_MAX 99

/* Longest text of number_format: "-1.234e-45". */
#define NUMBER_FORMAT_BYTES 12

/* [+-]digits[.digits][e[+-]digits], the nearest float32, ties to even. Exact for up to NUMBER_DIGITS_MAX significant
 * digits; further ones only break ties. Too small becomes subnormal or zero, too large is NUMBER_ERROR_RANGE. */
enum number_status number_parse_float(const char *text, size_t count, float *value);

/* [+-]digits within [low, high]. */
enum number_status number_parse_int(const char *text, size_t count, int32_t low, int32_t high, int32_t *value);

/* 0 to 15 of a hexadecimal digit, or -1. */
int number_hex_digit(char c);

/* Four significant digits without trailing zeros, for people: "18.98", "-3", "1.5e-07"; "inf", "nan". Returns the
 * count of characters written to `text`, without a terminator. */
size_t number_format(float value, char text[NUMBER_FORMAT_BYTES]);

#endif
