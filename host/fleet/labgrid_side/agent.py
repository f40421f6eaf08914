# SPDX-License-Identifier: Apache-2.0
"""A client of a labgrid coordinator for a process that has no labgrid: a JSON document a line, on stdin and stdout.

`python agent.py HOST:PORT NAME`. Asked {"id": 1, "do": "acquire", "place": "a"} it answers {"id": 1, ...} when it is
done, and meanwhile tells {"id": 1, "waits": {...}} who is before it. {"lost": "a"} says that the exporter of a place
that is held here has gone, {"gone": "..."} that the coordinator has. The end of stdin, which comes however its parent
dies, releases all.

labgrid ends no lease by itself: a place stays acquired when its client dies. So a client of ours keeps a reservation
that no place can fulfil, named after it, and polls it; labgrid lets go of one that is not polled. Who waits for a place
whose holder has not polled for LEASE_S releases it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
import traceback
from collections.abc import Coroutine
from fnmatch import fnmatchcase
from typing import Any

import grpc
from labgrid.remote.common import build_dict_from_map, queue_as_aiter
from labgrid.remote.generated import labgrid_coordinator_pb2 as pb
from labgrid.remote.generated import labgrid_coordinator_pb2_grpc as pb_grpc
from labgrid.util import labgrid_version

MARK = ".tinyproof-"  # in the name of every client of ours, which none of labgrid's own has
RENEW_S = 5.0
LEASE_S = 20.0  # without a sign of life
CONNECT_S = 10.0
# At a place that is free and ours, and still not to be had: labgrid sorts out every 15 s what an exporter left behind.
ATTEMPTS, ATTEMPT_S = 10, 2.0
CHANNEL = [  # as labgrid's own client: a peer that has lost its network is noticed within seconds
    ("grpc.keepalive_time_ms", 7500),
    ("grpc.keepalive_timeout_ms", 10000),
    ("grpc.http2.ping_timeout_ms", 10000),
    ("grpc.http2.max_pings_without_data", 0),
]
WAITING, ACQUIRED = 0, 2  # labgrid.remote.common.ReservationState; beyond are those that have run out


class FaultError(Exception):
    """What the parent is told, in one line."""


class Agent:
    """What is known of the coordinator, kept up to date by its stream, and what this client holds there."""

    def __init__(self, address: str, name: str) -> None:
        self.address, self.name = address, name
        self.stub = pb_grpc.CoordinatorStub(grpc.aio.insecure_channel(address, options=CHANNEL))
        self.out: asyncio.Queue[Any] = asyncio.Queue()
        self.places: dict[str, Any] = {}
        self.resources: dict[tuple[str, str, str], Any] = {}
        self.changed = asyncio.Condition()
        self.held: dict[str, str] = {}  # place -> token of its reservation
        self.waiting: set[str] = set()  # tokens
        self.seen: dict[str, tuple[float, float]] = {}  # holder -> (its lease's timeout, when that was first seen)
        self.lease = ""
        self.synced = asyncio.Event()

    async def start(self) -> None:
        """Connects, hears all places and resources, and begins the lease. Raises FaultError where nobody answers."""
        self.out.put_nowait(pb.ClientInMessage(startup=pb.StartupDone(version=labgrid_version(), name=self.name)))
        self.out.put_nowait(pb.ClientInMessage(subscribe=pb.Subscribe(all_places=True)))
        self.out.put_nowait(pb.ClientInMessage(subscribe=pb.Subscribe(all_resources=True)))
        self.out.put_nowait(pb.ClientInMessage(sync=pb.Sync(id=1)))
        self.pump = asyncio.create_task(self._listen())
        synced = asyncio.create_task(self.synced.wait())
        await asyncio.wait({synced, self.pump}, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
        if not self.synced.is_set():
            raise FaultError("it does not answer")
        self.lease = await self._reserve({"lease": self.name})

    async def _listen(self) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError):
            async for message in self.stub.ClientStream(queue_as_aiter(self.out)):
                async with self.changed:
                    for update in message.updates:
                        self._take(update)
                    self.changed.notify_all()
                if message.HasField("sync"):
                    self.synced.set()

    def _take(self, update: Any) -> None:
        kind = update.WhichOneof("kind")
        if kind == "place":
            self.places[update.place.name] = update.place
            if update.place.name in self.held and update.place.acquired != self.name:
                del self.held[update.place.name]
                tell({"lost": update.place.name, "why": "its lease was ended by somebody else"})
        elif kind == "del_place":
            self.places.pop(update.del_place, None)
        elif kind == "resource":
            self.resources[_key(update.resource.path)] = update.resource
        elif kind == "del_resource":
            gone = self.resources.pop(_key(update.del_resource), None)
            if gone is not None and gone.acquired in self.held:
                tell({"lost": gone.acquired, "why": f"its exporter ({update.del_resource.exporter_name}) went away"})

    async def keep_lease(self) -> None:
        """For ever: signs of life for what is held, and for what is waited for."""
        while True:
            await asyncio.sleep(RENEW_S)
            for token in (self.lease, *self.waiting):
                if await self._is_alive(token):
                    continue
                if token == self.lease:
                    with contextlib.suppress(grpc.aio.AioRpcError):
                        self.lease = await self._reserve({"lease": self.name})
                else:
                    self.waiting.discard(token)
                    async with self.changed:
                        self.changed.notify_all()

    async def _is_alive(self, token: str) -> bool:
        """Polls a reservation; it may have run out while this machine slept."""
        try:
            polled = await self.stub.PollReservation(pb.PollReservationRequest(token=token))
        except grpc.aio.AioRpcError:
            return False
        return int(polled.reservation.state) <= ACQUIRED

    async def list_places(self) -> dict[str, Any]:
        """All of them; what clients of ours hold whose lease labgrid has let go of is released."""
        holders = {place.acquired for place in self.places.values() if MARK in place.acquired}
        everyone = await self._reservations()
        alive = {one.owner for one in everyone if "lease" in one.filters["main"].filter and one.state == WAITING}
        for owner in holders - alive:
            await self._bury(owner, everyone)
        return {"places": [self._describe(place) for _, place in sorted(self.places.items())]}

    def _describe(self, place: Any) -> dict[str, Any]:
        resource = self._resource(place)
        return {
            "place": place.name,
            "tags": dict(sorted(place.tags.items())),
            "held_by": place.acquired or None,
            "since": place.changed if place.acquired else None,
            "exporter": place.matches[0].exporter if place.matches else "",
            "here": resource is not None and resource.avail,
            "extra": {} if resource is None else build_dict_from_map(resource.extra),
        }

    def _resource(self, place: Any) -> Any:
        """The place's serial port, None where its exporter is not there."""
        for (exporter, group, _), resource in sorted(self.resources.items()):
            fits = any(fnmatchcase(exporter, one.exporter) and fnmatchcase(group, one.group) for one in place.matches)
            if fits and resource.cls == "NetworkSerialPort":
                return resource
        return None

    async def acquire(self, number: int, name: str, wait_s: float | None) -> dict[str, Any]:
        """Waits for `name` until it is this client's turn, `wait_s` at most. Raises FaultError where that cannot be."""
        if name not in self.places:
            raise FaultError(f"there is no place {name}")
        token = await self._reserve({"name": name})
        self.waiting.add(token)
        told: Any = None
        taken, attempts = False, ATTEMPTS
        deadline = None if wait_s is None else time.monotonic() + wait_s
        try:
            while not taken:
                place = self.places.get(name)
                if place is None:
                    raise FaultError("it was removed")
                if deadline is not None and time.monotonic() > deadline:
                    holder = place.acquired or "another client"
                    raise FaultError(f"held by {holder}, and not free within {wait_s:g} s")
                if self._resource(place) is None:
                    raise FaultError(self._absent(place))
                if token not in self.waiting:
                    raise FaultError("its turn ran out while this machine slept")
                if place.reservation == token and not place.acquired:
                    attempts -= 1
                    taken = await self._take_place(name, last=attempts == 0)
                else:
                    told = await self._wait_turn(number, name, token, told, deadline)
            resource = await self._settled(name)
            self.held[name] = token
            return {"resource": resource}
        except BaseException as error:
            may_be_ours = taken or isinstance(error, asyncio.CancelledError)  # which may come while it is handed over
            with contextlib.suppress(grpc.aio.AioRpcError):
                await self._let_go(name if may_be_ours else "", token)
            raise
        finally:
            self.waiting.discard(token)

    def _absent(self, place: Any) -> str:
        exporter = place.matches[0].exporter if place.matches else "none"
        return f"its exporter ({exporter}) is not connected to the coordinator; is its machine up?"

    async def _take_place(self, name: str, *, last: bool) -> bool:
        try:
            await self.stub.AcquirePlace(pb.AcquirePlaceRequest(placename=name))
        except grpc.aio.AioRpcError as error:
            if last:
                raise FaultError(f"labgrid does not hand it over: {error.details()}") from None
            await asyncio.sleep(ATTEMPT_S)  # an exporter that has just come back is sorted out by then
            return False
        return True

    async def _settled(self, name: str) -> dict[str, Any]:
        """The resource with the port that its exporter has opened for this lease."""
        async with asyncio.timeout(CONNECT_S):
            async with self.changed:
                while True:
                    if name not in self.places:
                        raise FaultError("it was removed")
                    resource = self._resource(self.places[name])
                    if resource is None:
                        raise FaultError(self._absent(self.places[name]))
                    params = build_dict_from_map(resource.params)
                    ours = self.places[name].acquired == self.name and resource.acquired == name
                    if ours and params.get("port"):
                        return {**params, "extra": build_dict_from_map(resource.extra)}
                    await self.changed.wait()

    async def _wait_turn(self, number: int, name: str, token: str, told: Any, deadline: float | None) -> Any:
        """Until something has changed, or it is time to look whether the holder still lives. Returns what was told."""
        place, state = self.places[name], told
        if place.acquired or place.reservation not in ("", token):  # otherwise it is ours, and we are about to hear it
            everyone = await self._reservations()
            for dead in self._judge(everyone):
                if place.acquired in ("", dead):
                    await self._bury(dead, everyone)
            state = (place.acquired, await self._before(name, token))
            if self._is_old(place):
                return told
            if state != told:
                since = place.changed if place.acquired else None
                tell({"id": number, "waits": {"held_by": place.acquired or None, "since": since, "before": state[1]}})
        pause = RENEW_S if deadline is None else max(0.0, min(RENEW_S, deadline - time.monotonic()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause), self.changed:
                await self.changed.wait_for(
                    lambda: self._is_old(place) or not self._resource(place) or token not in self.waiting
                )
        return state

    def _is_old(self, place: Any) -> bool:
        """Whether the coordinator has said something newer of this place."""
        return self.places.get(place.name) is not place

    async def _before(self, name: str, token: str) -> int:
        """How many wait for `name` and came earlier."""
        everyone = await self._reservations()
        queue = [one for one in everyone if dict(one.filters["main"].filter) == {"name": name} and one.state == WAITING]
        mine = next((one.created for one in queue if one.token == token), 0.0)
        return sum(one.created < mine for one in queue)

    def _judge(self, everyone: list[Any]) -> set[str]:
        """Clients of ours that have given no sign of life for LEASE_S, by all reservations and who holds a place; a
        place may be held without a lease. Only this client's own clock counts."""
        leases = {one.owner: one.timeout for one in everyone if "lease" in one.filters["main"].filter}
        owners = {one.owner for one in everyone} | {place.acquired for place in self.places.values()}
        now, dead = time.monotonic(), set[str]()
        self.seen = {owner: known for owner, known in self.seen.items() if owner in owners}
        for owner in owners:
            if MARK not in owner or owner == self.name:
                continue
            timeout = leases.get(owner, 0.0)
            known = self.seen.get(owner)
            if known is None or known[0] != timeout:
                self.seen[owner] = (timeout, now)
            elif now - known[1] > LEASE_S:
                dead.add(owner)
        return dead

    async def _bury(self, dead: str, everyone: list[Any]) -> None:
        """Lets go of what a dead client held, and of its places in the queues. `everyone`: all reservations."""
        for one in everyone:
            if one.owner == dead:
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await self.stub.CancelReservation(pb.CancelReservationRequest(token=one.token))
        for place in list(self.places.values()):
            if place.acquired == dead:
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await self.stub.ReleasePlace(pb.ReleasePlaceRequest(placename=place.name, fromuser=dead))

    async def _reservations(self) -> list[Any]:
        """All clients' reservations."""
        return list((await self.stub.GetReservations(pb.GetReservationsRequest())).reservations)

    async def _reserve(self, wanted: dict[str, str]) -> str:
        filters = {"main": pb.Reservation.Filter(filter=wanted)}
        made = await self.stub.CreateReservation(pb.CreateReservationRequest(filters=filters, prio=0.0))
        return str(made.reservation.token)

    async def release(self, place: str) -> dict[str, Any]:
        """Gives `place` back, unless somebody has taken it away meanwhile."""
        token = self.held.pop(place, None)
        if token is not None:
            await self._let_go(place, token)
        return {}

    async def _let_go(self, name: str, token: str) -> None:
        # The reservation first: without it the place is the next one's as soon as it is released.
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self.stub.CancelReservation(pb.CancelReservationRequest(token=token))
        if name:
            await self.stub.ReleasePlace(pb.ReleasePlaceRequest(placename=name, fromuser=self.name))

    async def offer(self, place: str, tags: dict[str, str], match: str) -> dict[str, Any]:
        """Makes a place with these tags, or changes one of this name to have them."""
        old = self.places.get(place)
        if old is None:
            await self.stub.AddPlace(pb.AddPlaceRequest(name=place))
        ours = match.split("/")[:2]
        if old is None or not any([one.exporter, one.group] == ours for one in old.matches):
            await self.stub.AddPlaceMatch(pb.AddPlaceMatchRequest(placename=place, pattern=match))
        gone = {} if old is None else dict.fromkeys(old.tags, "")
        await self.stub.SetPlaceTags(pb.SetPlaceTagsRequest(placename=place, tags={**gone, **tags}))
        return {}

    async def withdraw(self, place: str) -> dict[str, Any]:
        """Removes a place."""
        await self.stub.DeletePlace(pb.DeletePlaceRequest(name=place))
        return {}

    async def close(self) -> None:
        """Releases all, as far as the coordinator still answers."""
        for name in list(self.held):
            with contextlib.suppress(grpc.aio.AioRpcError):
                await self.release(name)
        for token in (*self.waiting, self.lease):
            with contextlib.suppress(grpc.aio.AioRpcError):
                await self.stub.CancelReservation(pb.CancelReservationRequest(token=token))

    async def serve(self, request: dict[str, Any]) -> None:
        """One request, answered whatever happens."""
        number = request.pop("id")
        works: dict[str, Any] = {
            "places": self.list_places,
            "acquire": lambda place, wait_s: self.acquire(number, place, wait_s),
            "release": self.release,
            "offer": self.offer,
            "withdraw": self.withdraw,
        }
        try:
            work: Coroutine[Any, Any, dict[str, Any]] = works[request.pop("do")](**request)
            tell({"id": number, **await work})
        except FaultError as fault:
            tell({"id": number, "fault": str(fault)})
        except TimeoutError:
            tell({"id": number, "fault": "its exporter does not answer"})
        except grpc.aio.AioRpcError as error:
            tell({"id": number, "fault": error.details() or str(error.code())})
        except Exception as bug:
            traceback.print_exc()
            tell({"id": number, "fault": f"its client has a bug: {bug!r}"})


def _key(path: Any) -> tuple[str, str, str]:
    return path.exporter_name, path.group_name, path.resource_name


def tell(document: dict[str, Any]) -> None:
    """To the parent; where that has gone, the end of stdin says so."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()


async def serve(address: str, name: str) -> None:
    """Answers until stdin ends or the coordinator goes away."""
    agent = Agent(address, name)
    try:
        await agent.start()
    except (FaultError, grpc.aio.AioRpcError) as fault:
        words = str(fault) if isinstance(fault, FaultError) else fault.details()
        tell({"gone": words})
        return
    tell({"ready": True})
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    beat = asyncio.create_task(agent.keep_lease())
    tasks: set[asyncio.Task[None]] = set()
    line = asyncio.create_task(reader.readline())
    while True:
        await asyncio.wait({line, agent.pump}, return_when=asyncio.FIRST_COMPLETED)
        if agent.pump.done():
            tell({"gone": "it went away"})
            return
        content = line.result()
        if not content:
            break
        task = asyncio.create_task(agent.serve(json.loads(content)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        line = asyncio.create_task(reader.readline())
    beat.cancel()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(CONNECT_S):
        await agent.close()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
