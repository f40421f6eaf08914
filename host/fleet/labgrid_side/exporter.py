# SPDX-License-Identifier: Apache-2.0
"""labgrid's exporter with one more kind of resource, TinyproofBoard: a board of the shelf that starts this program.

A place that is acquired has its board's ports opened, one that is released has them closed, so that nobody talks to a
board without a lease. The shelf does it, at the other end of the socket whose descriptor is the first argument; the
others are the exporter's own. labgrid's clients see a NetworkSerialPort.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import attr
from labgrid.remote import exporter


class ShelfLink:
    """The process that has the boards. One request and its answer at a time: the exporter is one thread."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._lines = self._socket.makefile("rb")

    def ask(self, do: str, place: str) -> dict[str, Any]:
        """Ends the exporter where the shelf has gone: without boards there is nothing to export."""
        try:
            self._socket.sendall(json.dumps({"do": do, "place": place}).encode() + b"\n")
            line = self._lines.readline()
        except OSError:
            line = b""
        if not line:
            os._exit(1)
        answer: dict[str, Any] = json.loads(line)
        return answer


@attr.s(auto_attribs=True)
class Local:
    """What labgrid asks of the thing itself. `device`: the file of a real board, "" of a simulated one."""

    device: str
    avail: bool = True

    def poll(self) -> None:
        """A board that is unplugged is not available until it is back."""
        self.avail = not self.device or Path(self.device).exists()


shelf: ShelfLink


@attr.s(eq=False)
class BoardExport(exporter.ResourceExport):  # type: ignore[misc]
    """A board's serial line and the port at which it is flashed, while its place is acquired."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.data["cls"] = "NetworkSerialPort"
        self.local = Local(self.local_params["device"])
        self.ports: dict[str, Any] = {}

    def _get_params(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "port": self.ports.get("serial"),
            "protocol": self.local_params["protocol"],
            "speed": self.local_params["speed"],
            "extra": {"flash": self.ports.get("flash"), "device": self.local_params["device"]},
        }

    def _start(self, start_params: Any) -> None:
        self.ports = shelf.ask("open", self.local_params["place"])

    def _stop(self, start_params: Any) -> None:
        shelf.ask("close", self.local_params["place"])
        self.ports = {}


exporter.exports["TinyproofBoard"] = BoardExport

if __name__ == "__main__":
    shelf = ShelfLink(int(sys.argv.pop(1)))
    exporter.main()
