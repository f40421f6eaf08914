# SPDX-License-Identifier: Apache-2.0
"""The live view: a page on the loopback that asks boards what the reader draws, and shows what they answer.

Whoever may open the page may talk to the board, so only the holder of the URL may: it listens on 127.0.0.1 alone, the
URL holds a random token, the Host header must name this very server (a foreign page cannot rebind a name to it), and a
WebSocket must come from the page itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from tinyproof.core.data_set import Dataset
from tinyproof.core.manifest import read_manifest
from tinyproof.core.origin import NeuronTraining
from tinyproof.host.live.conversation import Conversation
from tinyproof.host.live.expected_answers import ExpectedAnswers
from tinyproof.host.live.questions import MAX_TEXT, Asker, Question, describe_input, describe_output

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("watch.js", "boards.js", "controls.js", "curve.js", "sound.js")
FILES = {"": "text/html", "watch.css": "text/css", **dict.fromkeys(SCRIPTS, "text/javascript")}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the token is part of the URL
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MAX_WAITING = 256  # messages for a page that does not keep up; older ones are dropped


@dataclass(frozen=True)
class Replay:
    """Where a page may take samples from, and what they mean: `classes` names the outputs, `values` says which real
    values black and white, or a sound's ends, had in training."""

    data: Dataset | None = None
    classes: tuple[str, ...] = ()
    values: tuple[float, float] | None = None


class Watch:
    """Server, and a conversation with each board. `url` is where the page is; `serve` returns after Ctrl-C or `stop`.

    `boards`: each with its port; None for one that is started here, or found.
    """

    def __init__(
        self,
        boards: Sequence[tuple[Board, str | None]],
        build_dir: Path,
        config: CheckConfig,
        samples: Replay | None = None,
    ) -> None:
        """Raises UsageError for a build that is incomplete."""
        self.manifest = read_manifest(build_dir)
        self.samples = samples or Replay()
        self._golden = ExpectedAnswers(build_dir, self.manifest)
        self._asker = Asker(
            self._golden.inputs,
            stateful=self._golden.stateful,
            samples=self.samples.data,
            classes=self.samples.classes,
        )
        self.conversations = [
            Conversation(
                place=place,
                board=board,
                port=port,
                build_dir=build_dir,
                manifest=self.manifest,
                config=config,
                golden=self._golden,
                publish=self._publish,
            )
            for place, (board, port) in enumerate(boards)
        ]
        self.token = secrets.token_urlsafe(24)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.netloc = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = f"http://{self.netloc}/{self.token}/"
        self._pages: set[asyncio.Queue[str]] = set()
        self._states: dict[int, str] = {}  # the last of each board
        self._asked: Question | None = None
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
                ws_max_size=MAX_TEXT,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    def serve(self, announce: Callable[[str], None]) -> None:
        """Blocks. `announce` gets the URL once the server listens. A bug in the conversation is raised here."""
        for conversation in self.conversations:
            conversation.start()
        announce(self.url)
        try:
            self._server.run(sockets=[self._socket])
        finally:
            for conversation in self.conversations:
                conversation.stop()
            self._socket.close()
        if failure := self._failure():
            raise failure

    def stop(self) -> None:
        """May be called from any thread."""
        self._server.should_exit = True

    def hello(self) -> dict[str, Any]:
        """What the page draws before any answer; of a model of one number in and out also its 256 golden points and,
        for a neuron, the float line."""
        manifest, samples = self.manifest, self.samples
        names = [each.board.name for each in self.conversations]
        training = manifest.training
        return {
            "kind": "hello",
            "model": manifest.model,
            "model_id": manifest.model_id,
            "boards": [name if names.count(name) == 1 else f"{name} {place + 1}" for place, name in enumerate(names)],
            "stateful": self._golden.stateful,
            "inputs": [describe_input(tensor, samples.values) for tensor in manifest.inputs],
            "outputs": [describe_output(tensor, samples.classes) for tensor in manifest.outputs],
            "samples": self._asker.samples,
            "file": "" if samples.data is None else samples.data.file,
            "points": self._points(),
            "line": {"w": training.w, "b": training.b} if isinstance(training, NeuronTraining) else None,
        }

    def _points(self) -> list[tuple[float, float]]:
        x, y = self._golden.inputs, self._golden.outputs
        if not self._golden.exhaustive or x.elements != 1 or y.elements != 1:
            return []
        pairs = self._golden.known.items()
        return sorted((x.dequantize(x.values(a))[0], y.dequantize(y.values(b))[0]) for a, b in pairs)

    def _failure(self) -> BaseException | None:
        return next((each.failure for each in self.conversations if each.failure is not None), None)

    def _ask(self, question: Question) -> None:
        self._asked = question = question.after(self._asked)
        for conversation in self.conversations:
            conversation.ask(question)

    def _publish(self, message: dict[str, Any]) -> None:
        """Called from the conversations' threads."""
        text = json.dumps(message, allow_nan=False)
        if message["kind"] == "state":
            self._states[message["board"]] = text
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the server has just closed its loop
                loop.call_soon_threadsafe(self._spread, text)
        if self._failure() is not None:
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
        queue.put_nowait(json.dumps(self.hello()))
        for state in list(self._states.values()):
            queue.put_nowait(state)
        self._pages.add(queue)
        sending = asyncio.create_task(_forward(queue, socket))
        try:
            while True:
                question = self._asker.read(await socket.receive_text())
                if question is None:
                    await socket.close(1003)
                    return
                if question.replayed:
                    self._spread(json.dumps(_asked(question)))
                self._ask(question)
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


def _asked(question: Question) -> dict[str, Any]:
    """A sample of the data set, for the page to draw."""
    values = [value for row in question.frames for value in row]
    return {"kind": "asked", "ask": question.number, "x": values, "label": question.label}


def watch(
    boards: Sequence[tuple[Board, str | None]],
    build_dir: Path,
    config: CheckConfig,
    samples: Replay,
    announce: Callable[[str], None],
) -> None:
    """Serves the live view of `boards` until Ctrl-C."""
    Watch(boards, build_dir, config, samples).serve(announce)
