"""Whose language a card speaks, whose buttons are believed, and that a wish is durable before it is answered; without Discord."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.commands.pages import pages
from bot.engine.words import Bookshelf
from bot.platforms.discord.answering import ANSWER_SECONDS, FIRST_PATIENCE
from bot.platforms.discord.buttons import Buttons, room
from bot.platforms.discord.identity import Marks
from bot.platforms.discord.orders import ANSWER_MS, Orders, card_language
from bot.platforms.discord.receiving import REFUSED_CAUSE, Receiving
from bot.platforms.discord.render import TEXT_MOST, escape
from bot.platforms.discord.wire import Interaction, Target, read_interaction
from core.errors import NotFound
from core.jobs import Place, Receipt
from tests.core.examples import clip, job

SHELF = Bookshelf()
MARKS = Marks(b"1" * 32, b"2" * 32)


@pytest.mark.parametrize(
    "guild, guild_locale, own, private, spoken",
    [
        ("1", "de", "fr", False, "de"),
        ("1", "es-419", "fr", False, "es"),
        ("1", "en-US", "fr", False, "fr"),
        ("1", "en-GB", "fr", False, "en"),
        ("1", "ja", "fr", False, "fr"),
        ("1", None, "fr", False, "fr"),
        ("1", "de", "fr", True, "fr"),
        (None, None, "fr", False, "fr"),
        (None, "de", "fr", False, "fr"),
    ],
    ids=[
        "chosen",
        "a region",
        "never chosen",
        "British",
        "no catalogue",
        "untold",
        "private",
        "direct",
        "direct, told",
    ],
)
def test_a_card_that_all_see_speaks_the_guilds_language(
    guild: str | None, guild_locale: str | None, own: str, private: bool, spoken: str
) -> None:
    i = Interaction(id="1", token="t", guild_id=guild, guild_locale=guild_locale)
    assert card_language(i, SHELF, own, private=private) == spoken


def test_every_language_is_on_the_shelf_before_anybody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Bookshelf()
    monkeypatch.setattr("bot.engine.words.Words", lambda _: pytest.fail("the disk was read"))
    assert [shelf.words(language).language for language in ("de", "en-US", "es-419", "fr", "ja", None)] == [
        "de", "en", "es", "fr", "en", "en",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------------------------- buttons


def shown(*custom_ids: str) -> Target:
    """The target of a message menu, as Discord sends it."""
    buttons = [{"type": 2, "custom_id": each} for each in custom_ids]
    box = {"type": 17, "components": [{"type": 10, "content": "x"}, {"type": 1, "components": buttons}]}
    data = {
        "name": "Report",
        "type": 3,
        "target_id": "5",
        "resolved": {"messages": {"5": {"id": "5", "components": [box]}}},
    }
    raw = {"id": "1", "token": "t", "application_id": "9", "type": 2, "user": {"id": "7"}, "data": data}
    found = read_interaction(raw).target
    assert found is not None
    return found


@pytest.mark.parametrize(
    "custom_ids, job_id",
    [
        ([MARKS.button("again", "a1")], "a1"),
        (["other", MARKS.button("again", "a1")], "a1"),
        (["v1:again:a1:aaaaaaaaaa"], None),
        (["v1:again:a1:"], None),
        ([MARKS.button("again", "a1").replace("a1", "b2")], None),
        ([Marks(b"3" * 32, b"2" * 32).button("again", "a1")], None),
        ([MARKS.button("example", "3")], None),
        ([MARKS.button("forget_now", "me")], None),
        (["v1:again:\ud800:x"], None),
        ([], None),
    ],
)
def test_only_a_signed_button_tells_whose_clip_it_is(custom_ids: list[str], job_id: str | None) -> None:
    nothing = cast("Any", None)
    buttons = Buttons(nothing, nothing, MARKS, nothing, nothing, nothing)
    assert buttons.clip_of(shown(*custom_ids)) == job_id
    assert buttons.clip_of(None) is None


@pytest.mark.parametrize("text", ["*" * 5000, "a" + "*" * 5000, "\\" * 3001, "a" * 9000, "a" * 3999 + "*a" * 300])
def test_no_page_ends_between_a_backslash_and_its_sign(text: str) -> None:
    found = pages(["first", escape(text), "last"], room)
    assert "".join(found).replace("\n", "") == f"first{escape(text)}last"
    for page in found:
        assert len(page) <= TEXT_MOST
        assert (len(page) - len(page.rstrip("\\"))) % 2 == 0


# -------------------------------------------------------------------------------------------------------------------------- resend


class Hall:
    """A store, an engine and a Discord that write down what happens, in order."""

    def __init__(self, *, takes: bool = True, hides: bool = False) -> None:
        self.said: list[str] = []
        self.takes, self.is_private, self.message_id, self.token = takes, hides, "77" if takes else None, None
        self.due_at, self.answered_with = 0, cast("Receipt", None)
        self.parts = SimpleNamespace(store=self, clock=SimpleNamespace(now=lambda: 1000))
        self.lanes = SimpleNamespace(touch=lambda _: self.said.append("touched"))

    async def add_delivery(self, job_id: str, clip_id: str, place: Place, receipt: Receipt, due_at: int) -> int:
        await asyncio.sleep(0)
        self.said.append("durable")
        self.due_at = due_at
        return 5

    async def delivery_answered(self, delivery: int, receipt: Receipt) -> None:
        assert delivery == 5
        self.said.append("due")
        self.answered_with = receipt

    async def defer(self, *, private: bool) -> bool:
        self.said.append("answered")
        return self.takes

    def receipt(self, place: Place, message: str, token: object) -> Receipt:
        return Receipt(place, message)


@pytest.mark.parametrize("takes", [True, False], ids=["taken", "too late"])
@pytest.mark.parametrize("hides", [True, False], ids=["made private", "as wished"])
async def test_a_resend_is_durable_before_it_is_answered_and_goes_on_whatever_the_answer(
    takes: bool, hides: bool
) -> None:
    hall = Hall(takes=takes, hides=hides)
    i = Interaction(
        id="1", token="t", user_id="7", channel_id="room", guild_id="1", guild_locale="de", bot_is_member=True
    )
    row = SimpleNamespace(job=job(), clip=clip())
    orders = Orders(cast("Any", hall), cast("Any", hall), SHELF)
    await orders.resend(i, cast("Any", hall), SHELF.words("fr"), cast("Any", row))
    assert hall.said == ["durable", "answered", "due", "touched"]
    assert hall.due_at == 1000 + ANSWER_MS, "nobody may bring it before the answer that it becomes"
    assert hall.answered_with.message == ("77" if takes else "@original")
    assert hall.answered_with.place.language == "de"
    assert hall.answered_with.place.visibility == ("only_owner" if hides else "public")


async def test_a_resend_waits_longer_for_its_answer_than_the_answer_may_take() -> None:
    assert ANSWER_MS > 1000 * (FIRST_PATIENCE + ANSWER_SECONDS)


async def test_a_resend_whose_clip_is_erased_meanwhile_does_not_go_on_thinking() -> None:
    class Erased(Hall):
        async def delivery_answered(self, delivery: int, receipt: Receipt) -> None:
            raise NotFound("erased", message_id="error.clip_gone")

    hall = Erased()
    i = Interaction(id="1", token="t", user_id="7", channel_id="room", guild_id="1", bot_is_member=True)
    row = SimpleNamespace(job=job(), clip=clip())
    orders = Orders(cast("Any", hall), cast("Any", hall), SHELF)
    with pytest.raises(NotFound) as caught:  # the desk tells it in place of the answer
        await orders.resend(i, cast("Any", hall), SHELF.words("en"), cast("Any", row))
    assert caught.value.message_id == "error.clip_gone"
    assert hall.said == ["durable", "answered"], "no lane is woken for it"


# ----------------------------------------------------------------------------------------------------------------------- refusals


async def test_the_operator_is_told_while_discord_refuses_too_much() -> None:
    told: list[tuple[str, str]] = []
    strains = iter([False, True, True, False])

    class Over(Exception):
        pass

    class Alerts:
        async def raise_once(self, cause: str, text: str) -> None:
            told.append(("raised", cause))

        async def clear(self, cause: str) -> None:
            told.append(("cleared", cause))

    class Clock:
        async def sleep(self, seconds: float) -> None:
            budget.is_strained = next(strains, None)
            if budget.is_strained is None:
                raise Over

    budget = SimpleNamespace(is_strained=next(strains))
    nothing = cast("Any", None)
    api = cast("Any", SimpleNamespace(budget=budget))
    receiving = Receiving(
        api, nothing, nothing, nothing, cast("Any", Alerts()), cast("Any", Clock()), (), nothing, nothing
    )
    with pytest.raises(Over):
        await receiving._watch_refusals()
    assert told == [(what, REFUSED_CAUSE) for what in ("cleared", "raised", "cleared")], "each change once"
