# SPDX-License-Identifier: Apache-2.0
"""Lines of the serial protocol, version 1: CRC, encoding of requests, decoding of replies. Pure, no I/O.

Request: `[@SEQ ]VERB[ ARGS][*CRC]`. Reply: `[@SEQ ]ok[ FIELDS][*CRC]` or `[@SEQ ]err CODE WORDS[*CRC]`.
Every byte of a reply is untrusted.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

SEQ_MODULUS = 1 << 16
ESCAPE = 0x7D
ESCAPED_BIT = 0x40
_SPECIAL = re.compile(rb"[\n\r*}]")
_REPLY = re.compile(rb"(?:@([0-9]{1,5}) )?(?:ok(?: ([ -~]*))?|err ([0-9]{1,3})(?: ([ -~]*))?)")
_CRC = re.compile(rb"\*([0-9A-F]{4})\Z")


def crc16(content: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, initial value 0xFFFF, not reflected; "123456789" gives 0x29B1."""
    return binascii.crc_hqx(content, 0xFFFF)


def frame(content: str, seq: int | None = None) -> bytes:
    """`content` as one line with its CRC, and with its sequence number if it has one."""
    body = (content if seq is None else f"@{seq} {content}").encode("ascii")
    return b"%s*%04X\n" % (body, crc16(body))


def frame_binary(offset: int, content: bytes, seq: int) -> bytes:
    """`content` as it is in one line of `load`, from `offset` on, with its CRC and sequence number."""
    body = b"@%d load %d :%s" % (seq, offset, escape(content))
    return b"%s*%04X\n" % (body, crc16(body))


def escape(content: bytes) -> bytes:
    """`content` without the bytes that mean something in a line: LF, CR, `*` and the escape itself, `}`."""
    return _SPECIAL.sub(lambda found: b"}%c" % (found[0][0] ^ ESCAPED_BIT), content)


def unescape(content: bytes) -> bytes | None:
    """What was escaped; None where it ends within an escape."""
    whole, byte = bytearray(), iter(content)
    for value in byte:
        if value == ESCAPE:
            following = next(byte, None)
            if following is None:
                return None
            value = following ^ ESCAPED_BIT
        whole.append(value)
    return bytes(whole)


@dataclass(frozen=True)
class Reply:
    """`code` is 0 for ok; `text` holds the fields of an ok, or the words of an error."""

    seq: int | None
    code: int
    text: str


def decode(line: bytes) -> Reply | None:
    """The reply in `line` (without its LF), or None when it is not one or its CRC is absent or wrong.

    The host always asks with a CRC, so a reply without one is noise.
    """
    crc = _CRC.search(line)
    if crc is None or crc16(line[: crc.start()]) != int(crc[1], 16):
        return None
    match = _REPLY.fullmatch(line[: crc.start()])
    if match is None:
        return None
    seq = None if match[1] is None else int(match[1])
    if seq is not None and seq >= SEQ_MODULUS:
        return None
    code = 0 if match[3] is None else int(match[3])
    if match[3] is not None and code == 0:
        return None
    return Reply(seq, code, (match[2] or match[4] or b"").decode("ascii"))


class LineSplitter:
    """Cuts a stream of bytes into lines; one longer than `limit` bytes is dropped to its end, whatever its length."""

    def __init__(self, limit: int = 4096) -> None:
        self.limit = limit
        self.dropped = 0  # lines that were too long
        self._partial = bytearray()
        self._dropping = False

    def feed(self, content: bytes) -> list[bytes]:
        """Complete lines, without LF and CR, in the order in which they came."""
        lines = []
        *ends, rest = content.split(b"\n")
        for end in ends:
            self._append(end)
            if not self._dropping:
                lines.append(bytes(self._partial).replace(b"\r", b""))
            self.clear()
        self._append(rest)
        return lines

    def clear(self) -> None:
        """Forget the line that is under way."""
        self._partial.clear()
        self._dropping = False

    def _append(self, content: bytes) -> None:
        if self._dropping:
            return
        if len(self._partial) + len(content) > self.limit:
            self._partial.clear()
            self._dropping = True
            self.dropped += 1
        else:
            self._partial += content


def show(content: bytes, limit: int = 48) -> str:
    """Untrusted bytes as printable ASCII in quotes, cut to `limit` bytes."""
    text = ascii(content[:limit].decode("latin-1"))
    return text if len(content) <= limit else f"{text} ..."
