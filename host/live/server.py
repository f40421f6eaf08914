# SPDX-License-Identifier: Apache-2.0
"""The live view: a page on the loopback that sends x to the board and shows what comes back.

Whoever may open the page may talk to the board, so only the holder of the URL may: it listens on 127.0.0.1 alone, the
URL holds a random token, the Host header must name this very server (a foreign page cannot rebind a name to it), and a
WebSocket must come from the page itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.host.live.conversation import Conversation

ASSETS = Path(__file__).parent / "assets"
FILES = {"": "text/html", "watch.css": "text/css", "watch.js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the token is part of the URL
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MAX_X = 1e6
MAX_WAITING = 64  # messages for a page that does not keep up; older ones are dropped


class Watch:
    """Server and conversation. `url` is where the page is; `serve` returns after Ctrl-C or `stop`."""

    def __init__(self, board: Board, build_dir: Path, port: str | None, config: CheckConfig) -> None:
        """Raises UsageError for a build that cannot be watched."""
        self.conversation = Conversation(board, build_dir, port, config, self._publish)
        self.token = secrets.token_urlsafe(24)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.netloc = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = f"http://{self.netloc}/{self.token}/"
        self._pages: set[asyncio.Queue[str]] = set()
        self._state: str = json.dumps({"kind": "state", "connected": False, "why": "connecting"})
        self._loop: asyncio.AbstractEventLoop | None = None
        app = Starlette(
            routes=[
                Route("/{token}/", self._file, methods=["GET"]),
                WebSocketRoute("/{token}/board", self._board),
                Route("/{token}/{name}", self._file, methods=["GET"]),
            ]
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                Guard(app, self.netloc, self.token),
                log_level="warning",
                access_log=False,  # it would write the token
                lifespan="off",
                ws="wsproto",
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    def serve(self, announce: Callable[[str], None]) -> None:
        """Blocks. `announce` gets the URL once the server listens. A bug in the conversation is raised here."""
        self.conversation.start()
        announce(self.url)
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.conversation.stop()
            self._socket.close()
        if self.conversation.failure is not None:
            raise self.conversation.failure

    def stop(self) -> None:
        """May be called from any thread."""
        self._server.should_exit = True

    def _publish(self, message: dict[str, Any]) -> None:
        """Called from the conversation's thread."""
        text = json.dumps(message, allow_nan=False)
        if message["kind"] == "state":
            self._state = text
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the server has just closed its loop
                loop.call_soon_threadsafe(self._spread, text)
        if self.conversation.failure is not None:
            self.stop()

    def _spread(self, text: str) -> None:
        for queue in self._pages:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(text)

    async def _file(self, request: Request) -> Response:
        name = request.path_params.get("name", "")
        if name not in FILES or (not name and request.url.query):
            return PlainTextResponse("not found\n", 404, HEADERS)
        content = (ASSETS / (name or "watch.html")).read_bytes()
        return Response(content, headers=HEADERS, media_type=FILES[name])

    async def _board(self, socket: WebSocket) -> None:
        if socket.headers.get("origin") != f"http://{socket.headers['host']}":
            await socket.close()  # before accept: 403
            return
        await socket.accept()
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        queue.put_nowait(json.dumps(self.conversation.hello()))
        queue.put_nowait(self._state)
        self._pages.add(queue)
        sending = asyncio.create_task(_forward(queue, socket))
        try:
            while True:
                x = parse_x(await socket.receive_text())
                if x is None:
                    await socket.close(1003)
                    return
                self.conversation.ask(x)
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary message, which is none of the page's
            return
        finally:
            self._pages.discard(queue)
            sending.cancel()


class Guard:
    """Answers only those who know the token and call the server by its own address; nothing else is reachable."""

    def __init__(self, app: ASGIApp, netloc: str, token: str) -> None:
        self.app = app
        self.hosts = {netloc.encode(), netloc.replace("127.0.0.1", "localhost").encode()}
        self.token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it: 403 for a foreign host, 404 for a wrong token."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        given = scope["path"].encode("utf-8", "replace").split(b"/")[1:2]
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            status = 403
        elif not secrets.compare_digest(given[0] if given else b"", self.token):
            status = 404
        else:
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before accept: 403
        else:
            await PlainTextResponse("forbidden\n" if status == 403 else "not found\n", status)(scope, receive, send)


async def _forward(queue: asyncio.Queue[str], socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the page has gone; its receiver notices, too
        while True:
            await socket.send_text(await queue.get())


def parse_x(text: str) -> float | None:
    """The number that a page sent, or None for anything that is no finite number of a sensible size."""
    try:
        x = float(text) if len(text) <= 40 else math.nan
    except ValueError:
        return None
    return x if abs(x) <= MAX_X else None


def watch(
    board: Board, build_dir: Path, port: str | None, config: CheckConfig, announce: Callable[[str], None]
) -> None:
    """Serves the live view of `board` until Ctrl-C."""
    Watch(board, build_dir, port, config).serve(announce)
