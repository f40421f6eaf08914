/* SPDX-License-Identifier: Apache-2.0
 * `load` in its binary form: `[@SEQ ]load OFFSET :BYTES*CRC`. Internal to the protocol.
 *
 * The bytes go straight into the inputs as they come, so that such a line may be longer than the line buffer. LF, CR,
 * `*` and the escape stand among them escaped: a line still ends with LF alone, whatever became of the rest.
 */
#ifndef TINYPROOF_BINARY_H
#define TINYPROOF_BINARY_H

#include "protocol.h"

enum binary_stage { BINARY_NONE, BINARY_BYTES, BINARY_ESCAPED, BINARY_CRC };

/* At a `:`. False: what stands before it is no `load OFFSET`, and so it is a character like others. */
bool binary_begin(struct protocol *protocol);

/* A byte of the line after that, without its LF. */
void binary_feed(struct protocol *protocol, uint8_t byte);

/* At the LF: what is wrong, or PROTOCOL_OK, to be answered. */
ENGINE_MUST_CHECK enum protocol_error binary_end(struct protocol *protocol);

#endif
