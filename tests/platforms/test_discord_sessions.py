"""Sessions at Discord: begun rarely, left so that the next run goes on with them, and a stop that nothing swallows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord.gateway import DiscordWebSocket

from bot.clock import SystemClock
from bot.engine.alerts import Alerts
from bot.platforms.discord import client as clients
from bot.platforms.discord.ages import KEPT, KNOWN_SECONDS, Ages
from bot.platforms.discord.client import QUEUE, SHARDS, Client
from bot.platforms.discord.entrance import CAUSE, Entrance, Left
from bot.platforms.discord.gateway import Gateway
from bot.platforms.discord.pace import EPOCH_MS
from bot.platforms.discord.receiving import Receiving
from bot.platforms.discord.sessions import Kept, Session, Sessions
from core.steps import DefaultLimits
from storage.database import Database
from storage.store import MIGRATIONS, SqliteStore
from tests.lab.discord import Discord

NOON = 1_795_262_400_000
PLENTY = {"shards": 1, "session_start_limit": {"total": 1000, "remaining": 1000, "reset_after": 86_400_000}}
FEW = {"shards": 1, "session_start_limit": {"total": 1000, "remaining": 10, "reset_after": 3_600_000}}


class Hands:
    """A clock that is moved by whoever sleeps; ``step`` sets the machine's time."""

    def __init__(self) -> None:
        self.passed, self.step = 0.0, 0.0
        self.slept: list[float] = []

    def now(self) -> int:
        return NOON + int((self.passed + self.step) * 1000)

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)


class Counted:
    """What a gateway does with the figures."""

    def __init__(self) -> None:
        self.shards, self.outcomes = 0, list[str]()

    def connected(self, platform: str, shards: int) -> None:
        self.shards = shards

    def command(self, platform: str, kind: str, outcome: str) -> None:
        self.outcomes.append(outcome)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def store(hands: Hands, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    database = await Database.open(tmp_path / "reelay.db", MIGRATIONS)
    yield SqliteStore(database, hands, DefaultLimits(None, None, None), lambda _, external: external)
    await database.close()


def session(shard: int = 0, shards: int = 1, sequence: int = 7) -> Session:
    return Session(shard, shards, f"s{shard}", sequence, "ws://d/resume")


# ------------------------------------------------------------------------------------------------------------------- the entrance


async def causes(store: SqliteStore) -> list[str]:
    return [cause for cause, _, _ in await store.alerts()]


async def test_the_count_outlives_the_process_and_the_operator_is_told_while_it_waits(
    hands: Hands, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts, told, stood = Alerts(store), list[str](), list[list[str]]()

    async def tell(text: str) -> None:
        told.append(text)

    async def sleep(seconds: float) -> None:
        stood.append(await causes(store))
        await Hands.sleep(hands, seconds)

    monkeypatch.setattr(hands, "sleep", sleep)
    alerts.tell_also(tell)
    for begun in range(53):  # each in a process of its own
        entrance = Entrance(store, alerts, hands)
        await entrance.admit()
        await entrance.begin()
        assert (len(hands.slept) > 0) is (begun >= 50)
        assert await causes(store) == [], "it is over"
    assert len(hands.slept) == len(told) == 3
    assert hands.slept == sorted(hands.slept)
    assert stood == [[CAUSE]] * 3


async def test_an_alert_of_the_last_process_is_over_when_nothing_has_to_wait(hands: Hands, store: SqliteStore) -> None:
    await store.raise_alert(CAUSE, "it waits")
    await Entrance(store, Alerts(store), hands).admit()
    assert await causes(store) == []


async def test_what_is_left_is_asked_before_the_first_session(hands: Hands, store: SqliteStore) -> None:
    entrance = Entrance(store, Alerts(store), hands)
    await entrance.wait(Left(1000, 10, 3600))
    await entrance.admit()
    assert hands.slept == [360.0], "it has waited already"
    await entrance.begin()
    await entrance.admit()
    assert hands.slept == [360.0, pytest.approx((3600 - 360) / 9)]
    await entrance.admit()
    assert len(hands.slept) == 2, "no session has begun since"


async def test_a_session_that_is_gone_on_with_waits_for_nothing_but_the_next_does(
    hands: Hands, store: SqliteStore
) -> None:
    entrance = Entrance(store, Alerts(store), hands)
    await entrance.wait(Left(1000, 10, 3600), resuming=True)
    assert hands.slept == []
    await entrance.admit()
    assert hands.slept == [360.0]
    hands.passed += 3600
    await entrance.begin()
    await entrance.admit()
    assert len(hands.slept) == 1, "Discord has given new ones"


async def test_who_is_let_in_begins_while_another_still_waits(
    hands: Hands, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one has its connection open, and a deadline; the other may wait for a quarter of an hour."""
    entrance, asleep = Entrance(store, Alerts(store), hands), asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(hands, "sleep", sleep)
    await entrance.wait(Left(1000, 10, 3600), resuming=True)
    other = asyncio.create_task(entrance.admit())
    try:
        await asyncio.wait_for(asleep.wait(), 10)
        await asyncio.wait_for(entrance.begin(), 10)
    finally:
        other.cancel()
        await asyncio.wait({other})


# ------------------------------------------------------------------------------------------------------------------------ too late


def born(hands: Hands, age: float) -> str:
    """An id made ``age`` seconds ago, by a clock at Discord that nobody sets."""
    return str((NOON + int((hands.passed - age) * 1000) - EPOCH_MS) << 22)


@pytest.mark.parametrize("away", [True, False], ids=["away", "nobody away"])
@pytest.mark.parametrize(
    "skew, age, is_done",
    [(0, 2, True), (0, 4, False), (100, 2, True), (100, 4, False), (-9, 2, True), (-9, 4, False)],
)
def test_what_comes_too_late_is_not_done(hands: Hands, skew: float, away: bool, age: float, is_done: bool) -> None:
    done: list[Any] = []
    figures = Counted()
    gateway = Gateway("t", "http://d", None, None, cast("Any", figures), hands, done.append, cast("Any", None))
    gateway.joined(0)
    gateway.received("INTERACTION_CREATE", {"id": born(hands, skew + 1)})
    gateway.received("INTERACTION_CREATE", {"id": born(hands, skew)})
    if away:
        gateway.joined(0, left=True)
    gateway.received("INTERACTION_CREATE", {"id": born(hands, skew + age)})
    assert len(done) == 2 + is_done
    assert figures.outcomes == ([] if is_done else ["late"])


def test_what_is_repeated_teaches_nothing_however_much_it_is(hands: Hands) -> None:
    done: list[Any] = []
    gateway = Gateway("t", "http://d", None, None, cast("Any", Counted()), hands, done.append, cast("Any", None))
    gateway.received("INTERACTION_CREATE", {"id": born(hands, 0)})
    gateway.joined(0, left=True)
    for _ in range(2 * KEPT):
        gateway.received("INTERACTION_CREATE", {"id": born(hands, 60)})
    assert len(done) == 1


def test_with_nothing_known_and_with_an_odd_id_everything_is_done(hands: Hands) -> None:
    ages = Ages(hands)
    assert not ages.is_over(born(hands, 60), live=False)
    assert ages.least is None, "a repetition says nothing of our clock"
    assert not ages.is_over("17", live=True)
    assert not ages.is_over(born(hands, 0), live=True)
    assert not ages.is_over("17", live=False)


def test_setting_the_machines_time_makes_nothing_late(hands: Hands) -> None:
    ages = Ages(hands)
    ages.is_over(born(hands, 0), live=True)
    hands.step = 600.0
    assert not ages.is_over(born(hands, 0), live=True)
    assert ages.least == pytest.approx(600.0), "what the next process has to reckon with"
    assert ages.is_over(born(hands, 4), live=False)


def test_what_was_learnt_wrongly_does_not_stay(hands: Hands) -> None:
    ages = Ages(hands)
    ages.is_over(born(hands, -30), live=True)
    assert sum(ages.is_over(born(hands, 0), live=True) for _ in range(2 * KEPT)) == KEPT
    ages.is_over(born(hands, -30), live=True)
    hands.passed += KNOWN_SECONDS + 1
    assert not ages.is_over(born(hands, 0), live=True)


async def test_a_new_process_knows_at_once_what_is_late(hands: Hands, store: SqliteStore) -> None:
    await Sessions(store, hands).keep("9", Kept((session(),), 100.0))
    hands.passed += 5
    kept = await Sessions(store, hands).take("9")
    assert kept == Kept((session(),), 100.0)
    assert await Sessions(store, hands).take("9") == Kept(), "once"
    ages = Ages(hands)
    ages.start(kept.least)
    assert not ages.is_over(born(hands, 102), live=False)
    assert ages.is_over(born(hands, 104), live=False)
    assert not ages.is_over(born(hands, 101), live=True)


# ---------------------------------------------------------------------------------------------------------------------- the way in


class Api:
    def __init__(self, limits: Mapping[str, Any] = PLENTY) -> None:
        self.limits, self.asked = limits, list[str]()
        self.budget = SimpleNamespace(is_strained=False)

    async def call(self, method: str, path: str, body: Any = None, *, seconds: float = 0.0) -> Any:
        self.asked.append(path)
        return {"id": "9"} if path == "/applications/@me" else self.limits


class Line:
    """A gateway that ends as it is told."""

    def __init__(self, hands: Hands, end: BaseException | None = None) -> None:
        self.ages, self.end, self.left = Ages(hands), end, (session(sequence=8),)
        self.kept: tuple[Session, ...] | None = None
        self.entered = asyncio.Event()

    async def run(self, kept: tuple[Session, ...], admit: Callable[[], Awaitable[None]]) -> None:
        self.kept = kept
        self.entered.set()
        if self.end is not None:
            raise self.end
        await asyncio.Event().wait()


class StandStill(SystemClock):
    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


def receiving(store: SqliteStore, hands: Hands, line: Line, api: Api, sessions: Any = None) -> Receiving:
    alerts = Alerts(store)

    async def stop(seconds: float) -> None:
        """Nothing to stop."""

    return Receiving(
        cast("Any", api), cast("Any", line), cast("Any", SimpleNamespace(stop=stop)), store, alerts, StandStill(), (),
        Entrance(store, alerts, hands), sessions or Sessions(store, hands),
    )  # fmt: skip


async def test_after_a_failure_the_next_run_goes_on_with_the_sessions(hands: Hands, store: SqliteStore) -> None:
    line = Line(hands, OSError("gone"))
    line.ages.is_over(born(hands, 7), live=True)
    with pytest.raises(OSError, match="gone"):
        await receiving(store, hands, line, Api()).run()
    line, api = Line(hands, OSError("gone")), Api(FEW)
    with pytest.raises(OSError, match="gone"):
        await receiving(store, hands, line, api).run()
    assert line.kept == (session(sequence=8),)
    assert line.ages.least == pytest.approx(7), "and with what is known of our clock"
    assert "/gateway/bot" in api.asked
    assert hands.slept == [], "nothing begins yet"
    await Sessions(store, hands).take("9")
    with pytest.raises(OSError, match="gone"):
        await receiving(store, hands, Line(hands, OSError("gone")), api).run()
    assert hands.slept == [360.0]


async def test_a_store_that_takes_no_note_does_not_swallow_the_stop(hands: Hands, store: SqliteStore) -> None:
    class Full(Sessions):
        async def keep(self, application: str, left: Kept) -> None:
            raise OSError("disk full")

    line = Line(hands)
    running = asyncio.create_task(receiving(store, hands, line, Api(), Full(store, hands)).run())
    await asyncio.wait_for(line.entered.wait(), 10)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=10)
    assert done
    assert running.cancelled()


# ------------------------------------------------------------------------------------------------------------------------ the stop


@pytest.fixture
def lab() -> Iterator[Discord]:
    with Discord() as lab:
        lab.gateway.identify_seconds = 0.0
        yield lab


async def quiet() -> None:
    """Nobody has to wait, nothing is written."""


async def until(condition: Callable[[], object], what: str) -> None:
    """The lab lives in a thread of its own."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"waited in vain for {what}")


async def stopped(running: asyncio.Task[None]) -> None:
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=10)
    assert done, "a stop is obeyed"
    assert running.cancelled()


def gateway_at(lab: Discord, figures: Counted) -> Gateway:
    return Gateway(
        lab.token, lab.api_url, lab.gateway_url, None, cast("Any", figures), SystemClock(), lambda _: None, quiet
    )


async def test_a_stop_while_a_shard_connects_again_is_obeyed(lab: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    figures, hooked, order = Counted(), asyncio.Event(), list[str]()
    gateway = gateway_at(lab, figures)

    async def admit() -> None:
        order.append("admitted")

    async def hook(client: Client, shard_id: int | None, *, initial: bool = False) -> None:
        order.append("identifies")
        if not initial:
            hooked.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(Client, "before_identify_hook", hook)
    running = asyncio.create_task(gateway.run((), admit))
    await until(lambda: figures.shards == 1, "a session")
    await asyncio.to_thread(lab.run, lab.gateway.op(9, False))
    await asyncio.wait_for(hooked.wait(), 20)
    await stopped(running)
    assert gateway.left == (), "Discord has ended it"
    assert order == ["admitted", "identifies"] * 2, "nobody waits with a socket open"


async def test_a_stop_while_it_has_to_wait_leaves_no_socket_open(lab: Discord) -> None:
    waiting = asyncio.Event()

    async def admit() -> None:
        waiting.set()
        await asyncio.Event().wait()

    gateway = gateway_at(lab, Counted())
    kept = session(shard=3, shards=1)
    running = asyncio.create_task(gateway.run((kept,), admit))
    await asyncio.wait_for(waiting.wait(), 20)
    assert lab.gateway.connected == 0
    assert lab.gateway.closes == []
    await stopped(running)
    assert lab.gateway.identifies == []
    assert gateway.left == (kept,), "nobody went on with it"


async def test_a_failure_leaves_the_session_as_a_stop_does(lab: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = Counted()
    gateway = gateway_at(lab, figures)
    made: list[Client] = []

    def make(*args: Any) -> Client:
        made.append(Client(*args))
        return made[-1]

    monkeypatch.setattr("bot.platforms.discord.gateway.Client", make)
    running = asyncio.create_task(gateway.run())
    await until(lambda: figures.shards == 1, "a session")
    shard = getattr(made[0], SHARDS)[0]
    item = discord.shard.EventItem(discord.shard.EventType.terminate, shard, RuntimeError("odd"))
    getattr(made[0], QUEUE).put_nowait(item)
    with pytest.raises(RuntimeError, match="odd"):
        await asyncio.wait_for(running, 20)
    assert [(each.shard, each.shards) for each in gateway.left] == [(0, 1)]
    await until(lambda: lab.gateway.closes == [4000], "the close")

    running = asyncio.create_task(gateway.run(gateway.left))
    await until(lambda: figures.shards == 1, "the session again")
    assert len(lab.gateway.identifies) == 1
    assert len(lab.gateway.resumes) == 1
    await stopped(running)
    assert len(gateway.left) == 1


class Socket:
    """Stands where one of the library's sockets is."""

    def __init__(self, shard: int, silent: bool) -> None:
        self.silent, self.open = silent, True
        self.session_id, self.sequence, self.gateway = f"s{shard}", 7, "ws://d/resume"
        self.codes: list[int] = []
        self._close_code: int | None = None

    async def close(self, code: int = 4000) -> None:
        self.codes.append(code)
        self._close_code = code
        if self.silent:
            await asyncio.Event().wait()
        self.open = False
        self.session_id = ""


async def test_a_peer_that_says_nothing_costs_no_other_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "CLOSE_SECONDS", 0.2)
    gateway = Gateway("t", "http://d", None, None, cast("Any", Counted()), SystemClock(), lambda _: None, quiet)
    client = Client(gateway, cast("Any", None), None)
    client.shard_count = 52
    sockets = [Socket(shard, silent=shard < 50) for shard in range(51)]
    sockets.append(ended := Socket(51, silent=False))
    ended.open, ended._close_code = False, 1000
    shards = {n: SimpleNamespace(id=n, ws=ws, _cancel_task=lambda: None) for n, ws in enumerate(sockets)}
    setattr(client, SHARDS, shards)
    async with asyncio.timeout(5):
        await client.leave()
        await client.leave()
    assert client.left == tuple(session(shard, 52) for shard in range(51))
    assert [socket.codes for socket in sockets] == [[4000]] * 52


async def test_a_resume_that_fails_half_way_leaves_nothing_open(lab: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, beating = asyncio.Event(), list[int]()

    def beats() -> int:
        return sum(each.name.startswith("keep-alive-handler") for each in threading.enumerate())

    async def broken(socket: DiscordWebSocket) -> None:
        beating.append(beats())
        raise OSError("half-way")

    async def admit() -> None:
        waiting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(DiscordWebSocket, "resume", broken)
    running = asyncio.create_task(gateway_at(lab, Counted()).run((session(),), admit))
    await asyncio.wait_for(waiting.wait(), 20)
    await until(lambda: lab.gateway.closes == [4000], "the close")
    await until(lambda: beats() == beating[0] - 1, "the end of its heartbeat")
    await stopped(running)


async def test_a_stop_in_the_middle_of_a_resume_leaves_the_session_for_the_next(
    lab: Discord, monkeypatch: pytest.MonkeyPatch
) -> None:
    resuming = asyncio.Event()

    async def resume(socket: DiscordWebSocket) -> None:
        resuming.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(DiscordWebSocket, "resume", resume)
    gateway = gateway_at(lab, Counted())
    running = asyncio.create_task(gateway.run((session(),)))
    await asyncio.wait_for(resuming.wait(), 20)
    await stopped(running)
    assert gateway.left == (session(),)
    await until(lambda: lab.gateway.closes == [4000], "the close")
