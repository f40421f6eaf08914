/* SPDX-License-Identifier: Apache-2.0
 * Writes a reply piece by piece, with its CRC, so that no reply needs a buffer. Internal to the protocol.
 */
#ifndef TINYPROOF_REPLY_H
#define TINYPROOF_REPLY_H

#include "protocol.h"

/* "[@SEQ ]" and `text`. */
void reply_begin(struct protocol *protocol, const char *text);
/* "[*CRC]" and LF. */
void reply_end(struct protocol *protocol);

/* "ok" alone. */
void reply_ok(struct protocol *protocol);

void reply_bytes(struct protocol *protocol, const char *bytes, size_t count);
void reply_text(struct protocol *protocol, const char *text);
void reply_int(struct protocol *protocol, int32_t value);
void reply_unsigned(struct protocol *protocol, uint32_t value);
/* The lowest `digits` hex digits, upper case. */
void reply_hex(struct protocol *protocol, uint32_t value, unsigned digits);
/* Short decimal, for people. */
void reply_float(struct protocol *protocol, float value);

/* `before`, and the count; with the board's tick unit behind it. */
void reply_count(struct protocol *protocol, const char *before, uint32_t count);
void reply_elapsed(struct protocol *protocol, const char *before, uint32_t elapsed);

#endif
