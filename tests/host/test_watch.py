# SPDX-License-Identifier: Apache-2.0
"""The live view: who gets in, what the boards are asked, and what happens when one goes away."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from selenium import webdriver
from support.chromium import (
    NARROW,
    WIDE,
    chromium,
    console,
    open_live,
    requests,
    screenshot,
    set_slider,
    text_of,
    wait_for,
)
from support.fake_build import BOARD, ID, QUICK, X, Y, line
from support.faulty_board import Faults, FaultyBoard
from support.report_build import make_report_build
from support.report_layout import faults
from support.single_device import single_device
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, RejectConnection, Request, TextMessage

from tinyproof.cli.main import main
from tinyproof.core.board_spec import find_board
from tinyproof.host.live.server import Watch

Start = Callable[..., Watch]


class Cable(FaultyBoard):
    """A board on a socket whose cable can be pulled, and plugged in again at the same address."""

    def __init__(self, answers: Callable[[bytes], bytes] = line) -> None:
        super().__init__(single_device(ID, X, Y, answers, board="fake", engine="python"), Faults(), pty=False)

    def pull(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._listener.close()

    def plug_in(self) -> None:
        host, port = self.port.removeprefix("socket://").split(":")
        self._stop.clear()
        self._listener = socket.create_server((host, int(port)))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()


@pytest.fixture
def cable() -> Iterator[Cable]:
    board = Cable()
    yield board
    board.stop()


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts watches, each served in a thread, and stops them after the test."""
    running: list[tuple[Watch, threading.Thread]] = []

    def begin(watch: Watch) -> Watch:
        ready = threading.Event()
        thread = threading.Thread(target=watch.serve, args=(lambda _: ready.set(),))
        thread.start()
        running.append((watch, thread))
        assert ready.wait(10)
        wait_for(lambda: status_of(watch, "/") == 404, "the server")
        return watch

    yield begin
    for watch, thread in running:
        watch.stop()
        thread.join(15)
        assert not thread.is_alive()


@pytest.fixture
def watch(build_dir: Path, cable: Cable, start: Start) -> Watch:
    return start(Watch([(BOARD, cable.port)], build_dir, QUICK))


def status_of(watch: Watch, path: str, host: str | None = None, method: str = "GET") -> int:
    connection = http.client.HTTPConnection(watch.netloc, timeout=10)
    try:
        connection.request(method, path, headers={"Host": host or watch.netloc})
        response = connection.getresponse()
        response.read()
        return response.status
    except OSError:
        return 0
    finally:
        connection.close()


class Page:
    """A WebSocket client that may lie about who it is."""

    def __init__(self, watch: Watch, path: str, host: str, origin: str | None) -> None:
        address, port = watch.netloc.split(":")
        self._socket = socket.create_connection((address, int(port)), timeout=10)
        self._wire = WSConnection(ConnectionType.CLIENT)
        headers = [(b"origin", origin.encode())] if origin else []
        self._socket.sendall(self._wire.send(Request(host=host, target=path, extra_headers=headers)))
        self._events: list[Any] = []
        self.accepted = isinstance(self._next((AcceptConnection, RejectConnection)), AcceptConnection)

    def _next(self, kinds: tuple[type, ...]) -> Any:
        while True:
            for event in self._events:
                if isinstance(event, kinds):
                    self._events.remove(event)
                    return event
            content = self._socket.recv(65536)
            if not content:
                return None
            self._wire.receive_data(content)
            self._events += self._wire.events()

    def message(self, kind: str) -> dict[str, Any]:
        """The next message of that kind."""
        text = ""
        while True:
            event = self._next((TextMessage,))
            text += event.data
            if event.message_finished:
                message: dict[str, Any] = json.loads(text)
                if message["kind"] == kind:
                    return message
                text = ""

    def send(self, text: str) -> None:
        self._socket.sendall(self._wire.send(TextMessage(data=text)))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def open_page() -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def connect(watch: Watch, path: str | None = None, host: str | None = None, origin: str | None = "own") -> Page:
        origin = f"http://{watch.netloc}" if origin == "own" else origin
        pages.append(Page(watch, path or f"/{watch.token}/board", host or watch.netloc, origin))
        return pages[-1]

    yield connect
    for page in pages:
        page.close()


def test_nothing_is_reachable_without_the_token(watch: Watch) -> None:
    assert watch.url.startswith("http://127.0.0.1:")
    assert len(watch.token) >= 32
    good = [f"/{watch.token}/", f"/{watch.token}/watch.css", f"/{watch.token}/watch.js"]
    assert [status_of(watch, path) for path in good] == [200, 200, 200]
    wrong = watch.token[:-1] + ("A" if watch.token[-1] != "A" else "B")
    bad = [
        "/", "/watch.js", "/board", "/favicon.ico", f"/{wrong}/", f"/{wrong}/watch.js", "//", "/%00/", "/%ff/",
        f"/{watch.token}/watch.html", f"/{watch.token}/../watching.py", f"/{watch.token}/..%2fwatching.py",
        f"/{watch.token}/%2e%2e/watching.py", f"/{watch.token}/a/b", f"/x/{watch.token}/",
    ]  # fmt: skip
    assert {path: status_of(watch, path) for path in bad} == dict.fromkeys(bad, 404)
    assert status_of(watch, f"/{watch.token}/", method="POST") == 405


def test_a_foreign_host_name_is_refused_even_with_the_token(watch: Watch) -> None:
    port = watch.netloc.split(":")[1]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1.evil.example:{port}"):
        assert status_of(watch, f"/{watch.token}/", host) == 403, host
    assert status_of(watch, f"/{watch.token}/", f"localhost:{port}") == 200


def test_a_foreign_pages_websocket_is_refused(watch: Watch, open_page: Callable[..., Page]) -> None:
    assert open_page(watch).accepted
    for origin in (None, "http://evil.example", f"https://{watch.netloc}", "null"):
        assert not open_page(watch, origin=origin).accepted, origin
    assert not open_page(watch, path="/guess/board").accepted
    assert not open_page(watch, host="evil.example", origin="http://evil.example").accepted


def test_it_listens_on_the_loopback_alone(watch: Watch) -> None:
    assert watch._socket.getsockname()[0] == "127.0.0.1"


def test_an_answer_is_the_boards(watch: Watch, open_page: Callable[..., Page]) -> None:
    page = open_page(watch)
    hello = page.message("hello")
    assert len(hello["points"]) == 256
    assert hello["model_id"] == ID
    page.send('{"ask": 1, "x": [4]}')
    while (answer := page.message("answer"))["ask"] != 1:
        pass
    assert answer["x"] == [4]
    assert answer["x_q"] == [51]
    assert answer["q"] == [int.from_bytes(line(bytes([51])), "little", signed=True)]
    assert answer["y"] == pytest.approx([7], abs=0.1)
    assert answer["identical"]
    assert answer["unit"] == "us"
    assert answer["rate"] > 1
    page.send('{"ask": 2, "x": [1e5]}')
    while (answer := page.message("answer"))["ask"] != 2:
        pass
    assert answer["saturated"] == "input"


def test_a_page_that_asks_no_question_is_hung_up_on(watch: Watch, open_page: Callable[..., Page]) -> None:
    page = open_page(watch)
    page.message("hello")
    page.send("q 1\nrun")
    end = page._next((CloseConnection,))  # perhaps after a state that was under way
    assert end is not None
    assert end.code == 1003
    wait_for(lambda: not watch._pages, "the page to be dropped")


def test_the_verb_names_the_missing_build() -> None:
    result = CliRunner().invoke(main, ["watch", "--model", "never-built", "--board", "reference"])
    assert result.exit_code == 2
    assert "build/never-built has no manifest" in result.output
    result = CliRunner().invoke(main, ["watch", "--board", "reference", "--port", "/dev/a", "--port", "/dev/b"])
    assert result.exit_code == 2
    assert "--port is given 2 times for 1 boards" in result.output


def dot_of(driver: webdriver.Chrome) -> tuple[float, float]:
    dot = driver.find_element("id", "dot")
    return float(dot.get_attribute("cx") or 0), float(dot.get_attribute("cy") or 0)


def test_the_page_moves_and_shows_the_disconnect(watch: Watch, cable: Cable, tmp_path: Path) -> None:
    with chromium() as driver:
        open_live(driver, watch.url)
        wait_for(lambda: "connected, engine python" in text_of(driver, "status-0"), "the board")
        set_slider(driver, "x", 2)
        wait_for(lambda: text_of(driver, "x_q-0") == "26", "the answer to x = 2")
        first = dot_of(driver)
        assert float(text_of(driver, "output-0-0")) == pytest.approx(3, abs=0.1)
        set_slider(driver, "x", -4)
        wait_for(lambda: text_of(driver, "x_q-0") == "-51", "the answer to x = -4")
        second = dot_of(driver)
        assert second[0] < first[0]  # to the left
        assert second[1] > first[1]  # and down: SVG counts downwards
        q = int(text_of(driver, "q-0"))
        assert text_of(driver, "q_bits-0") == f"{q & 255:08b}"
        assert "Identical to the golden reference, bit for bit." in text_of(driver, "verdict-0")
        assert text_of(driver, "ticks-0").endswith("µs")
        assert int(text_of(driver, "rate-0").replace(",", "")) > 10
        set_slider(driver, "x", 12)
        wait_for(lambda: "the question saturates" in text_of(driver, "verdict-0"), "saturation")

        cable.pull()
        wait_for(lambda: "disconnected, trying again" in text_of(driver, "status-0"), "the disconnect")
        assert "lost" in str(driver.find_element("tag name", "body").get_attribute("class"))
        assert "No board answers" in text_of(driver, "verdict-0")
        screenshot(driver, tmp_path / "lost.png")
        set_slider(driver, "x", 3)
        cable.plug_in()
        wait_for(lambda: text_of(driver, "x_q-0") == "38", "the answer after plugging in again")
        assert "connected, engine python" in text_of(driver, "status-0")
        assert driver.find_element("tag name", "body").get_attribute("class") == ""
        assert console(driver) == []
        asked = requests(driver)
        assert asked
        assert {address.split("/")[2] for address in asked} == {watch.netloc}


def test_a_board_that_differs_is_called_out_beside_one_that_does_not(
    build_dir: Path, cable: Cable, start: Start
) -> None:
    wrong = Cable(lambda content: bytes([(line(content)[0] + 1) & 255]))
    watch = start(Watch([(BOARD, cable.port), (BOARD, wrong.port)], build_dir, QUICK))
    with chromium() as driver:
        open_live(driver, watch.url)
        wait_for(lambda: "Identical to the golden" in text_of(driver, "verdict-0"), "the verdict on the right one")
        wait_for(lambda: "differs from the golden reference" in text_of(driver, "verdict-1"), "that on the wrong one")
        assert driver.find_element("id", "alarm").is_displayed()
        assert text_of(driver, "alarm").startswith("fake 2 differs from the golden reference: it answers ")
        assert text_of(driver, "alarm").endswith("The boards do not agree.")
        assert [card.get_attribute("class") for card in driver.find_elements("class name", "board")] == [
            "board",
            "board differs",
        ]
    wrong.stop()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_it_fits_the_window(watch: Watch, tmp_path: Path, size: tuple[int, int]) -> None:
    with chromium(size, dark=size == NARROW) as driver:
        open_live(driver, watch.url)
        wait_for(lambda: "Identical" in text_of(driver, "verdict-0"), "an answer")
        assert faults(driver) == []
        assert len(screenshot(driver, tmp_path / "watch.png")) > 10_000


def reference_devices(build_dir: Path) -> list[int]:
    """Process ids of running reference devices of this very build."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if b"tinyproof.host.targets.reference_board" in words and str(build_dir).encode() in words:
                found.append(int(path.parent.name))
    return found


def test_board_reference_is_started_and_stopped_with_the_page(
    tmp_path: Path, start: Start, open_page: Callable[..., Page]
) -> None:
    build_dir = make_report_build(tmp_path / "neuron")
    watch = start(Watch([(find_board("reference"), None)], build_dir, QUICK))
    page = open_page(watch)
    assert page.message("hello")["line"]["w"] == pytest.approx(2.018877)
    page.send('{"ask": 1, "x": [0]}')
    answer = page.message("answer")
    assert answer["identical"]
    assert answer["y"] == pytest.approx([-1.06], abs=0.1)
    # Its process dies: the page hears of it, and of the one that takes its place.
    (device,) = reference_devices(build_dir)
    os.kill(device, signal.SIGKILL)
    while (state := page.message("state"))["connected"]:
        pass
    assert "reference" in state["why"] or "port" in state["why"]
    while not page.message("state")["connected"]:
        pass
    assert page.message("answer")["identical"]
    assert reference_devices(build_dir) != [device]
    watch.stop()
    wait_for(lambda: reference_devices(build_dir) == [], "the device to be reaped")
