"""What becomes of an edit that Discord does not take (30046), of one in doubt, and of a message that nobody reaches; without a process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot.engine.words import Bookshelf
from bot.platforms.discord.api import OLD_MESSAGE, NoAnswer, Refusal
from bot.platforms.discord.budget import Budget
from bot.platforms.discord.identity import Marks, Token
from bot.platforms.discord.pace import EPOCH_MS, FIRST_PAUSE, LONGEST_PAUSE, Pace
from bot.platforms.discord.platform import ORIGINAL, DiscordPlatform
from core.cards import Card, Message
from core.errors import Forbidden, Gone, PlatformBusy, Unreachable, WasDone
from core.jobs import AssetKind, Clip, Place, Receipt
from core.ports import ClipFile

NOON = 1_795_262_400_000
ROOM = Place("discord", "1", language="en", details={"member": True, "user": "7"})
PRIVATE = replace(ROOM, visibility="only_owner")
OLD = str((NOON - 3_700_000 - EPOCH_MS) << 22)
TOO_OFTEN = Refusal(429, OLD_MESSAGE, retry_after=5.0)
SHELF = Bookshelf()
SHELF.words("en")


class Hands:
    """A clock that the test moves."""

    passed = 0.0

    def now(self) -> int:
        return NOON + int(self.passed * 1000)

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds


class Api:
    """Discord as the adapter calls it: what is asked, and scripted refusals."""

    def __init__(self, hands: Hands) -> None:
        self.asked: list[str] = []
        self.refuses: dict[str, BaseException] = {}
        self.budget = Budget(cast("Any", hands))

    async def call(self, method: str, path: str, *_: object, **__: object) -> Any:
        self.asked.append(f"{method} {path.rsplit('/', 2)[-2]}")
        if method in self.refuses:
            raise self.refuses[method]
        return {"id": path.rsplit("/", 1)[-1] if method == "PATCH" else "99"}


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def api(hands: Hands) -> Api:
    return Api(hands)


@pytest.fixture
def platform(hands: Hands, api: Api) -> DiscordPlatform:
    return DiscordPlatform(cast("Any", api), Marks(b"b" * 32, b"t" * 32), SHELF, cast("Any", hands), cast("Any", None))


def card_at(
    bar: int,
    *,
    final: bool = False,
    state: str = "state.storing",
    changed: Any = (),
    money: Any = None,
    facts: Any = (),
) -> Card:
    return Card("j", "a", "x", Message(state), facts, money, changed, None, None, bar / 100, False, (), final)


def a_file(tmp_path: Path) -> ClipFile:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    return ClipFile(Clip("c", AssetKind.CLIP, "a", "j", "k", "video/mp4", 1, "0" * 64, 0), path, 1, True, "n")


# ---------------------------------------------------------------------------------------------------------------------------- edits


def test_after_a_refusal_a_bar_is_tried_once_in_the_longest_pause(hands: Hands) -> None:
    pace = Pace(cast("Any", hands))
    pace.shown(OLD, card_at(41))
    for _ in range(3):
        pace.refused(OLD, 1.0)
    for _ in range(3):
        hands.passed += LONGEST_PAUSE - 1
        assert pace.rest(OLD, card_at(42)) == pytest.approx(1.0)
        hands.passed += 1
        assert not pace.rest(OLD, card_at(42))
        pace.shown(OLD, card_at(42))
    assert pace.refused(OLD, 1.0) == FIRST_PAUSE, "three successes took three refusals back"


@pytest.mark.parametrize(
    "card",
    [
        card_at(42, money=Message("money.charged", {"credits": 3})),
        card_at(42, money=Message("money.held", {"credits": 4})),
        card_at(42, changed=(Message("changed.seed", {"seed": 2}),)),
        card_at(42, facts=(Message("fact.position", {}),)),
    ],
    ids=["money", "another sum", "a change", "a fact"],
)
def test_money_and_changes_are_news(hands: Hands, card: Card) -> None:
    pace = Pace(cast("Any", hands))
    pace.shown(
        OLD, card_at(41, money=Message("money.held", {"credits": 3}), facts=(Message("fact.elapsed", {"s": 1}),))
    )
    assert not pace.rest(OLD, card)
    assert pace.rest(
        OLD, card_at(42, money=Message("money.held", {"credits": 3}), facts=(Message("fact.elapsed", {"s": 2}),))
    )


async def test_an_edit_that_is_left_out_says_so_and_for_how_long(
    hands: Hands, api: Api, platform: DiscordPlatform
) -> None:
    receipt = await platform.edit(Receipt(ROOM, OLD), card_at(41))
    with pytest.raises(PlatformBusy) as caught:
        await platform.edit(receipt, card_at(42))
    assert caught.value.facts["left_out"]
    assert caught.value.retry_after is not None
    assert len(api.asked) == 1
    hands.passed += caught.value.retry_after
    await platform.edit(receipt, card_at(42))
    assert len(api.asked) == 2


@pytest.mark.parametrize(
    "failure, is_tried",
    [
        (NoAnswer("lost", was_done=WasDone.UNKNOWN), True),
        (TimeoutError(), True),
        (NoAnswer("never sent", was_done=WasDone.NO), False),
    ],
    ids=["lost", "a deadline", "never sent"],
)
async def test_nobody_knows_what_a_message_shows_after_an_edit_in_doubt(
    api: Api, platform: DiscordPlatform, failure: Exception, is_tried: bool
) -> None:
    receipt = await platform.edit(Receipt(ROOM, OLD), card_at(41))
    api.refuses["PATCH"] = failure
    with pytest.raises((Unreachable, TimeoutError)):
        await platform.edit(receipt, card_at(41, state="state.rendering"))
    api.refuses.clear()
    if is_tried:  # it may show that it renders: the card as it was is news again
        await platform.edit(receipt, card_at(41))
    else:
        with pytest.raises(PlatformBusy):
            await platform.edit(receipt, card_at(41))
    assert len(api.asked) == 2 + is_tried


async def test_an_end_is_tried_soon_however_often_an_old_message_was_refused(
    hands: Hands, api: Api, platform: DiscordPlatform
) -> None:
    receipt, waits = Receipt(ROOM, OLD), []
    api.refuses["PATCH"] = TOO_OFTEN
    for n in range(8):
        with pytest.raises(PlatformBusy) as caught:
            await platform.edit(receipt, card_at(n, state=f"state.{n}"))
        waits.append(caught.value.retry_after)
        if not caught.value.facts.get("left_out"):
            assert caught.value.retry_after == 5.0
            hands.passed += 5.0
    assert len(api.asked) == 1, "news wait for the pause"
    api.refuses["PATCH"] = Refusal(429, OLD_MESSAGE, retry_after=3000.0)
    with pytest.raises(PlatformBusy) as caught:
        await platform.edit(receipt, card_at(100, final=True))
    assert len(api.asked) == 2
    assert caught.value.retry_after == FIRST_PAUSE


# ------------------------------------------------------------------------------------------------------------------------- delivery


async def test_a_clip_does_not_wait_for_an_old_message(api: Api, platform: DiscordPlatform, tmp_path: Path) -> None:
    api.refuses["PATCH"] = TOO_OFTEN
    with pytest.raises(Gone):
        await platform.deliver(ROOM, Receipt(ROOM, OLD), a_file(tmp_path), card_at(100, final=True))
    assert api.asked == ["PATCH messages", "DELETE messages"], "what stood there does not render for ever"
    api.refuses["DELETE"] = Refusal(403, 50013)
    with pytest.raises(Gone):
        await platform.deliver(ROOM, Receipt(ROOM, OLD), a_file(tmp_path), card_at(100, final=True))


async def test_where_only_the_token_reaches_the_clip_waits_longer_each_time(
    hands: Hands, api: Api, platform: DiscordPlatform, tmp_path: Path
) -> None:
    api.refuses["PATCH"] = TOO_OFTEN
    receipt = platform.receipt(PRIVATE, OLD, Token("9", "secret"))
    for wait in (FIRST_PAUSE, 2 * FIRST_PAUSE):
        with pytest.raises(PlatformBusy) as caught:
            await platform.deliver(PRIVATE, receipt, a_file(tmp_path), card_at(100, final=True))
        assert caught.value.retry_after == wait


# -------------------------------------------------------------------------------------------------------------------------- deletion


@pytest.mark.parametrize(
    "place, message, token, refusal, is_removed, calls",
    [
        (ROOM, OLD, False, None, True, 1),
        (ROOM, OLD, False, Refusal(404, 10008), True, 1),
        (ROOM, OLD, False, Refusal(403, 50013), False, 1),
        (PRIVATE, OLD, True, None, True, 1),
        (PRIVATE, OLD, True, Refusal(404, 10008), True, 1),
        (PRIVATE, OLD, True, Refusal(404, 10015), False, 1),
        (PRIVATE, OLD, True, Refusal(401, 50027), False, 1),
        (PRIVATE, OLD, False, None, False, 0),
        (ROOM, ORIGINAL, False, None, False, 0),
    ],
    ids=["ours", "gone", "forbidden", "by token", "gone, by token", "token ended", "token bad", "private", "no id"],
)
async def test_only_what_was_removed_counts_as_removed(
    api: Api,
    platform: DiscordPlatform,
    place: Place,
    message: str,
    token: bool,
    refusal: Any,
    is_removed: bool,
    calls: int,
) -> None:
    if refusal is not None:
        api.refuses["DELETE"] = refusal
    receipt = platform.receipt(place, message, Token("9", "secret")) if token else Receipt(place, message)
    if is_removed:
        await platform.delete(receipt)
    else:
        with pytest.raises(Forbidden):
            await platform.delete(receipt)
    assert len(api.asked) == calls
