"""What keeps Discord from shutting us out: refusals are counted, pauses obeyed, old messages left alone, sessions begun rarely."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any, Self, cast

import pytest
from multidict import CIMultiDict

from bot.platforms.discord import budget as budgets
from bot.platforms.discord.answering import Answering
from bot.platforms.discord.api import EDGE_SECONDS, OLD_MESSAGE, DiscordApi, NoAnswer, Refusal
from bot.platforms.discord.budget import INVALID_HARD, INVALID_MOST, TRICKLE_SECONDS, Budget
from bot.platforms.discord.callbacks import Answer
from bot.platforms.discord.client import CANCEL, CODE, NEW_SOCKET, QUEUE, SHARDS
from bot.platforms.discord.entrance import Left, pause_by_discord, pause_by_ours, read_left
from bot.platforms.discord.pace import EPOCH_MS, FIRST_PAUSE, LONGEST_PAUSE, OLD_PAUSE, Pace
from bot.platforms.discord.wire import Interaction
from core.cards import Action, Card, Message
from core.errors import WasDone

NOON = 1_795_262_400_000


class Hands:
    """A clock that is moved by whoever sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def now(self) -> int:
        return NOON + int(self.passed * 1000)

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds


class Server:
    """Stands where Discord's connections are: what is asked, and the answers in order (the last one goes on)."""

    def __init__(self, *answers: tuple[int, Mapping[str, str], Any]) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def _next(self, what: str) -> Answer:
        self.asked.append(what)
        status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Answer(status, CIMultiDict(headers), text, keeps=True)

    async def post(self, target: str, body: bytes) -> Answer:
        del body
        return self._next(target)

    def request(self, method: str, url: str, **rest: Any) -> Any:
        del rest
        return _Reply(self._next(f"{method} {url}"))


class _Reply:
    def __init__(self, answer: Answer) -> None:
        self.status, self.headers, self._text = answer.status, answer.headers, answer.text
        self.content_length = len(answer.text)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def read(self) -> bytes:
        return self._text


class Figures:
    def platform_call(self, platform: str, outcome: str) -> None:
        """Not counted."""


VIA = {"Via": "1.1 google"}
FINE = (200, VIA, {"id": "1"})


@pytest.fixture
def hands() -> Hands:
    return Hands()


def api_of(hands: Hands, server: Server) -> DiscordApi:
    return DiscordApi(
        cast("Any", server), "http://d/api/v10", "token", hands, cast("Any", Figures()), None, cast("Any", server)
    )


# ------------------------------------------------------------------------------------------------------------- the edge's refusals


@pytest.mark.parametrize(
    "path, as_bot",
    [
        ("/webhooks/1/t/messages/@original", False),
        ("/interactions/1/t/callback", False),
        ("/channels/1/messages", True),
    ],
)
@pytest.mark.parametrize(
    "headers, body, pause",
    [({}, b"error code: 1015", EDGE_SECONDS), ({"Retry-After": "30"}, b"<html>", 30.0), ({}, {"retry_after": 5}, 5.0)],
)
async def test_a_refusal_of_the_edge_stops_everything(
    hands: Hands, path: str, as_bot: bool, headers: dict[str, str], body: Any, pause: float
) -> None:
    server = Server((429, headers, body), FINE)
    api = api_of(hands, server)
    with pytest.raises(Refusal):
        await api.call("POST", path, {}, as_bot=as_bot)
    for other, bot in (("/webhooks/1/u", False), ("/interactions/2/u/callback", False), ("/channels/2/messages", True)):
        with pytest.raises(Refusal) as refused:
            await api.call("POST", other, {}, as_bot=bot, patience=1.0)
        assert refused.value.retry_after == pytest.approx(pause)
    assert len(server.asked) == 1
    hands.passed += pause
    await api.call("POST", "/webhooks/1/u", {}, as_bot=False)
    assert len(server.asked) == 2


async def test_the_bots_own_global_limit_does_not_hold_answers_up(hands: Hands) -> None:
    server = Server((429, VIA, {"retry_after": 30, "global": True}), FINE)
    api = api_of(hands, server)
    with pytest.raises(Refusal):
        await api.call("GET", "/channels/1", None)
    await api.call("POST", "/interactions/1/t/callback", {}, as_bot=False)
    with pytest.raises(Refusal):
        await api.call("GET", "/channels/2", None, patience=1.0)
    assert len(server.asked) == 2


async def test_a_first_answer_does_not_wait_for_longer_than_it_is_worth(hands: Hands) -> None:
    server = Server(FINE)
    api = api_of(hands, server)
    api.budget.shut(5.0)
    i = Interaction(id="1", token="t", application_id="9")
    assert not await Answering(api, i).defer(private=False)
    assert server.asked == []
    assert sum(hands.slept) <= 2.0


async def test_one_message_that_was_edited_too_often_holds_no_other_up(hands: Hands) -> None:
    server = Server((429, VIA, {"retry_after": 600, "code": OLD_MESSAGE}), FINE)
    api = api_of(hands, server)
    with pytest.raises(Refusal) as refused:
        await api.call("PATCH", "/channels/1/messages/2", {})
    assert (refused.value.code, refused.value.retry_after) == (OLD_MESSAGE, 600)
    await api.call("PATCH", "/channels/1/messages/3", {}, patience=1.0)
    assert len(server.asked) == 2


# ------------------------------------------------------------------------------------------------------------------ near the ban


def strained(budget: Budget, refusals: int) -> None:
    for _ in range(refusals):
        budget.refused()


async def test_near_the_ban_only_a_trickle_goes_out_of_what_can_wait(hands: Hands) -> None:
    server = Server(FINE)
    api = api_of(hands, server)
    strained(api.budget, INVALID_HARD)
    for _ in range(3):
        await api.call("POST", "/webhooks/1/t", {}, as_bot=False)
    await api.call("GET", "/channels/1", None)
    assert hands.passed == pytest.approx(3 * TRICKLE_SECONDS)
    api.budget.let_out()
    with pytest.raises(Refusal):
        await api.call("POST", "/webhooks/1/u", {}, as_bot=False, patience=0.1)
    hands.passed += budgets.INVALID_SECONDS + 1
    before = hands.passed
    for _ in range(3):
        await api.call("POST", "/webhooks/1/u", {}, as_bot=False)
    assert hands.passed == before


async def test_near_the_ban_first_answers_go_out_until_one_of_them_is_refused(hands: Hands) -> None:
    server = Server(FINE)
    api = api_of(hands, server)
    strained(api.budget, INVALID_HARD)
    await api.call("POST", "/webhooks/1/t", {}, as_bot=False)
    for _ in range(5):
        await api.call("POST", "/interactions/1/t/callback", {}, as_bot=False)
    assert hands.passed == 0
    server.answers = [(401, VIA, {"code": 50027}), FINE]
    with pytest.raises(Refusal):
        await api.call("POST", "/interactions/1/t/callback", {}, as_bot=False)
    for _ in range(3):
        await api.call("POST", "/interactions/1/t/callback", {}, as_bot=False)
    assert hands.passed == pytest.approx(3 * TRICKLE_SECONDS)


async def test_what_the_edge_forbids_says_nothing_about_the_message(hands: Hands) -> None:
    server = Server((403, {}, b"<html>Access denied</html>"), FINE)
    api = api_of(hands, server)
    with pytest.raises(NoAnswer) as caught:
        await api.call("PATCH", "/channels/1/messages/2", {})
    assert caught.value.was_done is WasDone.NO
    assert api.budget.held() == pytest.approx(60.0)
    await api.call("PATCH", "/channels/1/messages/2", {}, patience=90.0)
    assert hands.passed == pytest.approx(60.0)


async def test_even_if_everything_is_refused_the_ban_is_never_reached(hands: Hands) -> None:
    server = Server((403, VIA, {"code": 50001}))
    api = api_of(hands, server)
    strained(api.budget, INVALID_HARD - 1)
    most = 0
    for _ in range(2000):
        with pytest.raises(Refusal):
            await api.call("POST", "/webhooks/1/u", {}, as_bot=False)
        most = max(most, api.budget.invalid)
    assert most < 9000


@pytest.mark.parametrize(
    "refusals, is_strained, is_near",
    [(INVALID_MOST - 1, False, False), (INVALID_MOST, True, False), (INVALID_HARD, True, True)],
)
def test_cosmetic_edits_stop_long_before(hands: Hands, refusals: int, is_strained: bool, is_near: bool) -> None:
    budget = Budget(hands)
    strained(budget, refusals)
    assert (budget.is_strained, budget.is_near_ban) == (is_strained, is_near)
    assert (budget.held() > 0) is False, "nobody was let out yet"


# ---------------------------------------------------------------------------------------------------------------- old messages


def card_at(state: str, percent: int, *, final: bool = False, verbs: tuple[str, ...] = ("cancel",)) -> Card:
    actions = tuple(Action(verb, Message(f"action.{verb}")) for verb in verbs)
    return Card(
        "job", "account", "a fox", Message(state, {"percent": percent}), (), None, (), None, None, percent / 100, False,
        actions, final,
    )  # fmt: skip


def message_of_age(seconds: float) -> str:
    return str((NOON - int(seconds * 1000) - EPOCH_MS) << 22)


@pytest.mark.parametrize(
    "age, after, card, left_out",
    [
        (60, 5, card_at("state.rendering", 42), False),
        (3700, 5, card_at("state.rendering", 42), True),
        (3700, OLD_PAUSE + 1, card_at("state.rendering", 42), False),
        (3700, 5, card_at("state.storing", 42), False),
        (3700, 5, card_at("state.rendering", 42, verbs=()), False),
        (3700, 5, card_at("state.rendering", 42, final=True), False),
    ],
    ids=["young", "old, a bar", "old, a bar after long", "old, a new state", "old, other buttons", "old, the end"],
)
def test_an_old_message_is_edited_rarely_but_never_kept_from_news(
    hands: Hands, age: float, after: float, card: Card, left_out: bool
) -> None:
    pace, message = Pace(hands), message_of_age(age)
    assert not pace.rest(message, card_at("state.rendering", 41)), "nobody knows what it shows"
    pace.shown(message, card_at("state.rendering", 41))
    hands.passed += after
    assert (pace.rest(message, card) > 0) is left_out


def test_after_a_refusal_no_bar_moves_and_news_wait_ever_longer(hands: Hands) -> None:
    pace, message = Pace(hands), message_of_age(3700)
    pace.shown(message, card_at("state.rendering", 41))
    pauses = [pace.refused(message, 1.0) for _ in range(8)]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert pace.refused(message, 5000.0) == 5000.0
    hands.passed += 5000.0
    pace.refused(message, 1.0)
    hands.passed += LONGEST_PAUSE - 1
    assert pace.rest(message, card_at("state.rendering", 43))
    assert pace.rest(message, card_at("state.storing", 43))
    hands.passed += 1
    assert not pace.rest(message, card_at("state.storing", 43))
    assert not pace.rest(message, card_at("state.done", 100, final=True))


def test_a_message_without_an_id_is_nobodys_message(hands: Hands) -> None:
    pace = Pace(hands)
    pace.shown("@original", card_at("state.rendering", 41))
    assert not pace.rest("@original", card_at("state.rendering", 42), strained=True)


# --------------------------------------------------------------------------------------------------------------------- sessions


@pytest.mark.parametrize(
    "left, pause",
    [
        (Left(1000, 1000, 86_400), 0),
        (Left(1000, 51, 86_400), 0),
        (Left(1000, 50, 86_400), 1728),
        (Left(1000, 10, 3600), 360),
        (Left(4000, 200, 4000), 20),
        (Left(1000, 0, 1234), 1234),
        (Left(1000, 3, 1234, shards=4), 1234),
        (Left(1000, 40, 4000, shards=4), 400),
    ],
)
def test_what_discord_has_left_is_spread_over_the_rest_of_the_day(left: Left, pause: float) -> None:
    assert pause_by_discord(left) == pytest.approx(pause)


def test_what_discord_says_is_read_or_not_at_all() -> None:
    said = {
        "shards": 2,
        "session_start_limit": {"total": 1000, "remaining": 7, "reset_after": 5000, "max_concurrency": 1},
    }
    assert read_left(said) == Left(1000, 7, 5.0, 2)
    assert read_left({}) is None
    assert read_left({"session_start_limit": {"total": 1}}) is None


def test_a_process_that_starts_again_and_again_never_uses_up_a_day(hands: Hands) -> None:
    """Every start begins a session at once and dies; a week of it."""
    began: list[int] = []
    while hands.passed < 7 * 86_400:
        hands.passed += 1.0 + pause_by_ours(began, hands.now(), 1)
        began.append(hands.now())
    worst = max(sum(at <= other < at + 86_400_000 for other in began) for at in began[::10])
    assert worst < 700, "of a thousand"
    assert sum(at < began[0] + 3_600_000 for at in began) < 100
    assert began[40] - began[0] < 60_000, "a few starts are nobody's fault"


# ------------------------------------------------------------------------------------------------- what we use of the library's inside


def test_the_librarys_inside_is_as_we_know_it() -> None:
    """discord.py offers no way to resume a session that another process left; whoever raises its version looks here."""
    import discord
    from discord.gateway import DiscordWebSocket
    from discord.shard import Shard

    assert list(inspect.signature(discord.AutoShardedClient.launch_shard).parameters) == [
        "self", "gateway", "shard_id", "initial",
    ]  # fmt: skip
    assert {"gateway", "shard_id", "session", "sequence", "resume", "initial"} <= set(
        inspect.signature(DiscordWebSocket.from_client).parameters
    )
    assert list(inspect.signature(Shard.__init__).parameters) == ["self", "ws", "client", "queue_put"]
    source = inspect.getsource(discord.AutoShardedClient)
    for name, spelt in ((SHARDS, "self.__shards = {}"), (QUEUE, "self.__queue = asyncio.PriorityQueue()")):
        assert name.startswith("_AutoShardedClient__")
        assert spelt in source
    for owner, name, spelt in (
        (Shard, CANCEL, "self._task.cancel()"),
        (DiscordWebSocket, CODE, "self._close_code = code"),
        (DiscordWebSocket, NEW_SOCKET, "client._connection._update_references(ws)"),
    ):
        assert name in inspect.getsource(owner)
        assert spelt in inspect.getsource(owner)
    for name in ("session_id", "sequence", "gateway", "open"):
        assert (
            name in DiscordWebSocket.__annotations__
            or f"self.{name}" in inspect.getsource(DiscordWebSocket)
            or hasattr(DiscordWebSocket, name)
        )
    assert callable(discord.Client.before_identify_hook)
