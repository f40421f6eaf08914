/* SPDX-License-Identifier: Apache-2.0
 * `many`: inferences from inputs that the device makes itself, so that no line limits how many it is asked. Input INDEX
 * of SEED is a function of the two alone, and the host makes the same (docs/protocol.md). Internal to the protocol.
 */
#ifndef TINYPROOF_MANY_H
#define TINYPROOF_MANY_H

#include "protocol.h"

/* Of what inputs are made by; a host asks only a device that makes those it makes itself. */
#define MANY_VERSION 1

/* Most of one request: nobody can tell a board that computes for long from one that hangs. */
#define MANY_COUNT 1024

/* Inferences from a reset on, so that a repeat gives the same. `digest`: the CRC-32 of the CRC-32 of each inference's
 * input and output. The host knows these one by one, and finds the first that differs by asking for fewer. The last
 * output may be read; run_elapsed becomes that of all together. */
ENGINE_MUST_CHECK enum protocol_error many_run(struct protocol *protocol, uint32_t seed, uint32_t first, uint32_t count,
                                               uint32_t *digest);

#endif
