/* SPDX-License-Identifier: Apache-2.0
 * What stands around a request: its SEQ, and its CRC. Internal to the protocol.
 */
#ifndef TINYPROOF_FRAMING_H
#define TINYPROOF_FRAMING_H

#include "protocol.h"
#include "verbs.h"

#define CRC_DIGITS 4

/* Whether `text` is `crc` in CRC_DIGITS upper-case hex digits. */
bool framing_is_crc(const char *text, uint16_t crc);

/* Takes *CRC off the line. False: there is a CRC, and it does not match. */
bool framing_take_crc(struct protocol *protocol);

/* Takes @SEQ, where there is one, off the line; it becomes the request's. */
enum protocol_error framing_take_seq(struct protocol *protocol, struct words *words);

#endif
