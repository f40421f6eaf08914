/* SPDX-License-Identifier: Apache-2.0 */
#include "number.h"

#include <stdbool.h>
#include <string.h>

/* A fixed-point number of 320 bits, limb 0 the lowest. Parsing needs 10^18 * 10^39 < 2^190 above the point, and
 * below it 2^-149 times the 10^18 that it is divided from; formatting needs 2^128 above and 2^-149 below. */
#define LIMBS 20
#define POINT_LIMBS 10 /* limbs below the binary point while formatting */

#define MANTISSA_BITS 24
#define EXPONENT_BIAS 127
#define SUBNORMAL_EXPONENT (-149) /* 2^-149 is the smallest float32 */

static uint16_t big_multiply_add(uint16_t *limbs, uint16_t factor, uint16_t carry) {
    for (int i = 0; i < LIMBS; i++) {
        const uint32_t product = (uint32_t)limbs[i] * factor + carry;
        limbs[i] = (uint16_t)product;
        carry = (uint16_t)(product >> 16);
    }
    return carry;
}

static uint16_t big_divide(uint16_t *limbs, uint16_t divisor) {
    uint16_t remainder = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
        const uint32_t dividend = ((uint32_t)remainder << 16) | limbs[i];
        limbs[i] = (uint16_t)(dividend / divisor);
        remainder = (uint16_t)(dividend % divisor);
    }
    return remainder;
}

/* Position of the highest bit that is set, -1 for zero. */
static int big_top(const uint16_t *limbs) {
    for (int i = LIMBS - 1; i >= 0; i--) {
        for (int bit = 15; bit >= 0; bit--) {
            if (((uint32_t)limbs[i] >> bit) & 1U) {
                return 16 * i + bit;
            }
        }
    }
    return -1;
}

static bool big_bit(const uint16_t *limbs, int position) {
    return position >= 0 && (((uint32_t)limbs[position / 16] >> (position % 16)) & 1U);
}

/* The float32 nearest to limbs * 2^-point, ties to even; `sticky`: a little more than that. */
static enum number_status big_to_float(const uint16_t *limbs, int point, bool sticky, bool negative, float *value) {
    const int top = big_top(limbs);
    int lowest = top - (MANTISSA_BITS - 1); /* position of the last bit that the mantissa keeps */
    if (lowest < point + SUBNORMAL_EXPONENT) {
        lowest = point + SUBNORMAL_EXPONENT;
    }
    uint32_t mantissa = 0;
    for (int i = top; i >= lowest; i--) {
        mantissa = (mantissa << 1) | (big_bit(limbs, i) ? 1U : 0U);
    }
    bool rest = sticky;
    for (int i = 0; i < lowest - 1 && !rest; i++) {
        rest = big_bit(limbs, i);
    }
    if (big_bit(limbs, lowest - 1) && (rest || (mantissa & 1U))) {
        mantissa++;
    }
    /* With the implied bit added rather than masked, a carry out of the mantissa and a subnormal that becomes
     * normal both come out right. */
    uint32_t bits = mantissa;
    if (mantissa != 0) {
        bits += (uint32_t)(lowest - point - SUBNORMAL_EXPONENT) << (MANTISSA_BITS - 1);
    }
    if (bits >= 0x7F800000UL) {
        return NUMBER_ERROR_RANGE;
    }
    bits |= negative ? 0x80000000UL : 0UL;
    memcpy(value, &bits, sizeof bits);
    return NUMBER_OK;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

enum number_status number_parse_float(const char *text, size_t count, float *value) {
    uint16_t limbs[LIMBS] = {0};
    const char *const end = text + count;
    bool negative = false, sticky = false, point_seen = false;
    int digits = 0, significant = 0, exponent = 0;

    if (text < end && (*text == '-' || *text == '+')) {
        negative = *text++ == '-';
    }
    for (; text < end && (is_digit(*text) || (*text == '.' && !point_seen)); text++) {
        if (*text == '.') {
            point_seen = true;
            continue;
        }
        digits++;
        exponent -= point_seen ? 1 : 0;
        if (significant == 0 && *text == '0') {
            continue; /* leading zeros do not count */
        }
        if (significant < NUMBER_DIGITS_MAX) {
            significant++;
            (void)big_multiply_add(limbs, 10, (uint16_t)(*text - '0'));
        } else {
            exponent++;
            sticky = sticky || *text != '0';
        }
    }
    if (digits == 0) {
        return NUMBER_ERROR_SYNTAX;
    }
    if (text < end && (*text == 'e' || *text == 'E')) {
        int32_t written = 0;
        const enum number_status status =
            number_parse_int(text + 1, (size_t)(end - text - 1), -NUMBER_EXPONENT_MAX, NUMBER_EXPONENT_MAX, &written);
        if (status != NUMBER_OK) {
            return status;
        }
        exponent += (int)written;
        text = end;
    }
    if (text != end) {
        return NUMBER_ERROR_SYNTAX;
    }
    /* Beyond these the value is certainly too large, or certainly under half of 2^-149 (7.0e-46). */
    if (significant == 0 || exponent + significant < -45) {
        memset(limbs, 0, sizeof limbs);
        exponent = 0;
        sticky = false;
    } else if (exponent + significant > 39) {
        return NUMBER_ERROR_RANGE;
    }
    int point = 0;
    if (exponent < 0) {
        /* Divide only after moving the number to the top: what is cut off is then far below the last bit. Dividing
         * step by step gives the same integer as dividing once. */
        point = 16 * (LIMBS - 4);
        memmove(&limbs[LIMBS - 4], limbs, 4 * sizeof limbs[0]);
        memset(limbs, 0, (LIMBS - 4) * sizeof limbs[0]);
    }
    for (; exponent < 0; exponent++) {
        sticky = big_divide(limbs, 10) != 0 || sticky;
    }
    for (; exponent > 0; exponent--) {
        (void)big_multiply_add(limbs, 10, 0);
    }
    return big_to_float(limbs, point, sticky, negative, value);
}

enum number_status number_parse_int(const char *text, size_t count, int32_t low, int32_t high, int32_t *value) {
    const char *const end = text + count;
    bool negative = false;
    if (text < end && (*text == '-' || *text == '+')) {
        negative = *text++ == '-';
    }
    if (text == end) {
        return NUMBER_ERROR_SYNTAX;
    }
    uint32_t magnitude = 0;
    bool large = false;
    for (; text < end; text++) {
        if (!is_digit(*text)) {
            return NUMBER_ERROR_SYNTAX;
        }
        const uint8_t digit = (uint8_t)(*text - '0');
        large = large || magnitude > INT32_MAX / 10 || (magnitude == INT32_MAX / 10 && digit > 7 + negative);
        magnitude = large ? magnitude : magnitude * 10 + digit;
    }
    const int32_t signed_value = (int32_t)(negative ? 0U - magnitude : magnitude);
    if (large || signed_value < low || signed_value > high) {
        return NUMBER_ERROR_RANGE;
    }
    *value = signed_value;
    return NUMBER_OK;
}

/* "e-07" */
static size_t format_exponent(int exponent, char *text) {
    text[0] = 'e';
    text[1] = exponent < 0 ? '-' : '+';
    if (exponent < 0) {
        exponent = -exponent;
    }
    text[2] = (char)('0' + exponent / 10);
    text[3] = (char)('0' + exponent % 10);
    return 4;
}

#define FORMAT_DIGITS 4

/* Scales the fixed-point number to 1 <= n < 10 and takes its first digits, rounded half up: the integer part is a
 * digit, and the fraction times ten brings the next. Returns its decimal exponent. */
static int big_to_digits(uint16_t *limbs, char digits[FORMAT_DIGITS]) {
    int exponent = 0;
    while (big_top(limbs) >= 16 * POINT_LIMBS + 4) { /* 16 or more before the point */
        (void)big_divide(limbs, 10);
        exponent++;
    }
    if (limbs[POINT_LIMBS] >= 10) {
        (void)big_divide(limbs, 10);
        exponent++;
    }
    if (exponent > 0) {
        /* The divisions have cut off up to 1.2 * 2^-160, which would turn a tie into a little less. Anything that is
         * no tie is at least 10^-38 away from one. */
        (void)big_multiply_add(limbs, 1, 2);
    }
    while (limbs[POINT_LIMBS] == 0) {
        (void)big_multiply_add(limbs, 10, 0);
        exponent--;
    }
    for (int i = 0; i < FORMAT_DIGITS; i++) {
        digits[i] = (char)limbs[POINT_LIMBS];
        limbs[POINT_LIMBS] = 0;
        (void)big_multiply_add(limbs, 10, 0);
    }
    if (limbs[POINT_LIMBS] >= 5) {
        int i = FORMAT_DIGITS - 1;
        while (i >= 0 && ++digits[i] == 10) {
            digits[i--] = 0;
        }
        if (i < 0) { /* 9.9996 became 10.00 */
            digits[0] = 1;
            exponent++;
        }
    }
    return exponent;
}

size_t number_format(float value, char text[NUMBER_FORMAT_BYTES]) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    size_t count = 0;
    const uint32_t biased = (bits >> (MANTISSA_BITS - 1)) & 0xFFU;
    uint32_t mantissa = bits & 0x7FFFFFUL;
    if (biased == 0xFFU && mantissa != 0) {
        memcpy(text, "nan", 3);
        return 3;
    }
    if (bits >> 31) {
        text[count++] = '-';
    }
    if (biased == 0xFFU) {
        memcpy(&text[count], "inf", 3);
        return count + 3;
    }
    if (biased == 0 && mantissa == 0) {
        text[0] = '0'; /* people do not want to read -0 */
        return 1;
    }
    mantissa |= biased ? 0x800000UL : 0UL;
    const int lowest = 16 * POINT_LIMBS + SUBNORMAL_EXPONENT + (biased ? (int)biased - 1 : 0);
    uint16_t limbs[LIMBS] = {0};
    for (int bit = 0; bit < MANTISSA_BITS; bit++) {
        if ((mantissa >> bit) & 1U) {
            const int position = lowest + bit;
            limbs[position / 16] = (uint16_t)(limbs[position / 16] | (1U << (position % 16)));
        }
    }
    char digits[FORMAT_DIGITS];
    const int exponent = big_to_digits(limbs, digits);
    int shown = FORMAT_DIGITS;
    while (shown > 1 && digits[shown - 1] == 0) {
        shown--;
    }
    const bool scientific = exponent < -4 || exponent > 6;
    int position = scientific ? 0 : exponent; /* power of ten of the next character */
    if (position < 0) {
        text[count++] = '0';
        text[count++] = '.';
        for (int i = -1; i > position; i--) {
            text[count++] = '0';
        }
    }
    for (int i = 0; i < shown || position >= 0; i++, position--) {
        if (position == -1 && i > 0) {
            text[count++] = '.';
        }
        text[count++] = (char)('0' + (i < shown ? digits[i] : 0));
    }
    if (scientific) {
        count += format_exponent(exponent, &text[count]);
    }
    return count;
}

int number_hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
