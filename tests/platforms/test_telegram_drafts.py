"""The keyboard that changes an order before it is made: what it shows, what its buttons mean later, and what is ordered by it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.commands import clips
from bot.commands.marks import Marks
from bot.engine.words import Bookshelf
from bot.platforms.telegram.answering import Answering
from bot.platforms.telegram.drafts import Chosen, Drafts
from bot.platforms.telegram.speaking import Speaking
from bot.platforms.telegram.wire import Person, Picture, Pressed, Said, Spot, Target
from bot.platforms.telegram.wishes import Wish
from core.capabilities import Adjust, Applied
from core.errors import BadOption, Gone, NotAllowed, NotFound, ReelayError
from core.money import Period, Price, Scope
from tests.lab.generator import InstantGenerator, LabSettings
from tests.lab.stage import Stage, stage
from tests.lab.telegram.entities import formatted
from tests.lab.telegram.markup import inline
from tests.lab.virtual_time import VirtualClock, run

SHELF = Bookshelf()
ANN, BOB = Person(7, "Ann", "en"), Person(8, "Bob", "en")
ROOM = Spot(-100, is_private=False)
FREE = LabSettings(name="lab", price=0, unpaid=True)


class Metered(InstantGenerator):
    """Five credits a second, double in 1080p, which it makes in clips of 8 seconds only; nothing upright; 12 seconds too."""

    per_second = 5

    def __init__(self, name: str = "dear") -> None:
        super().__init__(LabSettings(name=name, seconds=(4, 6, 8, 12)))
        rule = Adjust("resolution", "1080p", "seconds", 8)
        self.capabilities = replace(
            self.capabilities,
            title="Dear & Co",
            aspects=("16:9", "1:1"),
            adjusts=(rule,),
            models=("dear-1", "dear-2"),
            negative_prompt=False,
        )

    def estimate(self, applied: Applied) -> Price:
        return Price(self.per_second * applied.seconds * (2 if applied.resolution == "1080p" else 1))


@dataclass
class Talk:
    """What was said to a person, and how it was changed: stands for Telegram behind ``Answering`` and ``Speaking``."""

    shown: list[tuple[str, InlineKeyboardMarkup | None]] = field(default_factory=list)
    fails: bool = False

    async def say(self, html: str, keys: InlineKeyboardMarkup | None = None) -> None:
        self.shown.append((html, keys))

    async def edit(self, chat_id: int, message_id: int, html: str, keys: InlineKeyboardMarkup | None = None) -> None:
        assert (chat_id, message_id) == (ROOM.chat_id, 55)
        if self.fails:
            raise Gone("message to edit not found")
        self.shown.append((html, keys))

    @property
    def text(self) -> str:
        """As it is read; only bold and italic words stand out in it."""
        text, entities = formatted(self.shown[-1][0], "HTML", None)
        assert {each["type"] for each in entities} <= {"bold", "italic"}
        return text

    @property
    def buttons(self) -> list[list[str]]:
        return [[each.text for each in row] for row in self._rows()]

    def button(self, label: str) -> InlineKeyboardButton:
        return next(each for row in self._rows() for each in row if each.text.removeprefix("✓ ") == label)

    def _rows(self) -> list[list[InlineKeyboardButton]]:
        keys = self.shown[-1][1]
        if keys is None:
            return []
        inline(keys.to_dict())  # Telegram would take it
        return [list(row) for row in keys.inline_keyboard]


@dataclass
class Desk:
    """Drafts on a stage, with one person's account."""

    on: Stage
    drafts: Drafts
    marks: Marks
    talk: Talk
    account_id: str | None = None
    is_operator: bool = False

    def wish(self, person: Person = ANN, language: str = "en") -> Wish:
        answer = cast("Answering", self.talk)
        return Wish(person, ROOM, SHELF.words(language), answer, (), self.account_id, self.is_operator, message_id=54)

    async def offer(
        self, said: Said, fields: Mapping[str, Any] | None = None, pictures: int | None = None, *, ends: bool = False
    ) -> None:
        """As ``Making`` does: with the fields that it read."""
        found = dict(self.drafts._written(said).fields) if fields is None else dict(fields)
        count = len(said.pictures) if pictures is None else pictures
        await self.drafts.offer(self.wish(said.person), said, found, pictures=count, ends=ends)

    async def press(self, label: str, original: Said | None, person: Person = ANN) -> Chosen | None:
        data = str(self.talk.button(label).callback_data)
        pressed = Pressed("1", "q", person, data, ROOM, Target(55, is_ours=True), original)
        found = self.marks.read_button(data)
        assert found is not None
        assert self.drafts.owns(found[0])
        return await self.drafts.press(self.wish(person), pressed, *found)

    def restarted(self, *generators: InstantGenerator) -> None:
        """With other generators from now on."""
        self.on.parts.providers = {each.name: each for each in generators}
        vars(self.on.engine.intake).pop("_choices", None)


def said(text: str, person: Person = ANN, **more: Any) -> Said:
    return Said("1", 54, person, ROOM, 0, text, "video", **more)


def play(folder: Path, scene: Callable[[Desk], Coroutine[Any, Any, None]], *more: InstantGenerator) -> None:
    async def on_stage(clock: VirtualClock) -> None:
        async with AsyncExitStack() as stack:
            others = {each.name: each for each in more or (Metered(),)}
            on = await stack.enter_async_context(stage(folder, clock, lab=FREE, more=others))
            marks, talk = Marks(b"k" * 32), Talk()
            drafts = Drafts(on.engine, marks, cast("Speaking", talk))
            await scene(Desk(on, drafts, marks, talk, await on.store.open_account("chat", "ann")))

    run(on_stage)


# ---------------------------------------------------------------------------------------------------------------------- what is shown


def test_a_draft_shows_what_was_written_and_what_it_costs(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        await desk.offer(said("a <b>fox</b> for @everybody --6s --model dear --price"))
        assert desk.talk.text.splitlines() == [
            "a <b>fox</\u2060b> for @\u2060everybody",
            "6 s · 16:9 · 720p · Dear & Co",
            "30 credits",
            "Nothing is ordered yet.",
        ]
        assert desk.talk.buttons == [
            ["✓ 16:9", "1:1"],
            ["4 s", "✓ 6 s", "8 s", "12 s"],
            ["✓ 720p", "1080p"],
            ["Lab lab · Free"],
            ["✓ Dear & Co · 30 credits"],
            ["Make it · 30 credits"],
        ]

    play(tmp_path, scene)


def test_a_choice_redraws_it_and_the_last_button_orders_it(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        wish = said("a fox --6s --seed 3 --price")
        await desk.offer(wish)
        assert desk.talk.buttons[-1] == ["Make it · Free"]
        assert await desk.press("Dear & Co · 30 credits", wish) is None
        assert await desk.press("1080p", wish) is None
        assert "1080p needs 8 on Dear & Co, so I changed that." in desk.talk.text
        assert "8 s · 16:9 · 1080p · Dear & Co" in desk.talk.text
        assert await desk.press("720p", wish) is None
        assert await desk.press("12 s", wish) is None
        assert desk.talk.buttons[1] == ["4 s", "6 s", "8 s", "✓ 12 s"]
        chosen = await desk.press("Make it · 60 credits", wish)
        assert chosen == Chosen({"duration": 12, "resolution": "720p", "provider": "dear"}, None)
        job = await desk.on.order("a fox", **{"duration": 6, "seed": 3, **chosen.fields})
        assert (job.price, job.applied.provider, job.applied.seconds, job.applied.seed) == (60, "dear", 12, 3)

    play(tmp_path, scene)


def test_the_order_leaves_the_draft_alone(tmp_path: Path) -> None:
    """What is refused can be asked for again; and a draft that is gone by now keeps nobody from ordering."""

    async def scene(desk: Desk) -> None:
        wish = said("a fox --price")
        await desk.offer(wish)
        desk.talk.fails = True
        assert await desk.press("Make it · Free", wish) == Chosen({}, None)
        assert len(desk.talk.shown) == 1
        with pytest.raises(Gone):
            await desk.press("4 s", wish)

    play(tmp_path, scene)


def test_a_value_that_only_one_makes_falls_back_with_the_generator(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        wish = said("a fox --model dear --price")
        await desk.offer(wish)
        await desk.press("1:1", wish)
        await desk.press("12 s", wish)
        assert "12 s · 1:1 · 720p · Dear & Co" in desk.talk.text
        await desk.press("Lab lab · Free", wish)
        assert "8 s · 16:9 · 720p · Lab lab" in desk.talk.text
        assert desk.talk.buttons[:2] == [["✓ 16:9", "9:16"], ["4 s", "6 s", "✓ 8 s"]]

    play(tmp_path, scene)


def test_what_is_impossible_says_why_and_cannot_be_ordered(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        wish = said('a fox --9:16 --no "fog" --model dear --price')
        await desk.offer(wish)
        assert "for Dear & Co; you wrote fog." in desk.talk.text
        assert desk.talk.buttons[-2:] == [["Lab lab · Free"], ["✓ Dear & Co"]], "no price for it, and nothing to order"
        await desk.press("Lab lab · Free", wish)
        assert desk.talk.buttons[-1] == ["Make it · Free"]
        assert "8 s · 9:16 · 720p · Lab lab" in desk.talk.text

    play(tmp_path, scene)


def test_a_value_that_nobody_makes_can_be_mended_at_the_buttons(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        wish = said("a fox --aspect 5:5 --model nobody --price")
        await desk.offer(wish)
        assert "you wrote 5:5" in desk.talk.text
        await desk.press("9:16", wish)
        assert "you wrote nobody" in desk.talk.text
        await desk.press("Lab lab · Free", wish)
        assert desk.talk.buttons[-1] == ["Make it · Free"]

    play(tmp_path, scene)


@pytest.mark.parametrize("text", ["--price", "a fox --seed -3 --price"])
def test_what_no_button_mends_is_refused(tmp_path: Path, text: str) -> None:
    async def scene(desk: Desk) -> None:
        with pytest.raises(BadOption):
            await desk.offer(said(text))
        assert desk.talk.shown == []

    play(tmp_path, scene)


def test_the_persons_settings_and_what_is_left_are_in_it(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        assert desk.account_id is not None
        await desk.on.store.set_settings(desk.account_id, {"provider": "dear", "duration": 4, "resolution": "1080p"})
        await desk.on.store.set_limit(Scope.PERSON, desk.account_id, Period.DAY, 100)
        await desk.on.store.grant(desk.account_id, 7, "")
        wish = said("a fox --price")
        await desk.offer(wish)
        assert "8 s · 16:9 · 1080p · Dear & Co" in desk.talk.text
        assert "80 credits · 107 left today" in desk.talk.text
        await desk.press("Lab lab · Free", wish)
        assert desk.talk.text.splitlines()[1:3] == ["4 s · 16:9 · 1080p · Lab lab", "Free"]

    play(tmp_path, scene)


def test_a_lone_choice_is_no_row(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        desk.restarted(InstantGenerator(replace(FREE, seconds=(8,))))
        await desk.offer(said("a fox --price"))
        assert desk.talk.buttons == [["✓ 16:9", "9:16"], ["✓ 720p", "1080p"], ["Make it · Free"]]

    play(tmp_path, scene)


def test_at_most_eight_generators_are_shown_with_the_one_that_is_chosen(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        await desk.offer(said("a fox --model g10 --price"))
        generators = [row[0] for row in desk.talk.buttons if len(row) == 1][:-1]
        assert len(generators) == 8
        assert generators[-1] == "✓ Lab g10 · 40 credits"

    play(tmp_path, scene, *(InstantGenerator(LabSettings(name=f"g{n}")) for n in range(12)))


def test_many_values_stand_in_several_rows_and_none_is_without_a_place(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        await desk.offer(said("a fox --model long --price"))
        rows = [row for row in desk.talk.buttons if row[0].endswith(" s")]
        assert [len(row) for row in rows] == [5, 5, 5, 5, 5, 5, 5, 1]
        assert rows[-1] == ["36 s"]

    play(tmp_path, scene, InstantGenerator(LabSettings(name="long", seconds=tuple(range(1, 61)))))


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_it_is_said_in_every_language(tmp_path: Path, language: str) -> None:
    async def scene(desk: Desk) -> None:
        wish = desk.wish(language=language)
        await desk.drafts.offer(wish, said("a fox"), {"prompt": "a fox", "provider": "dear"}, pictures=0)
        assert "?" not in desk.talk.text
        assert "." not in desk.talk.text.splitlines()[1]

    play(tmp_path, scene)


# ------------------------------------------------------------------------------------------------------------- when buttons are pressed


def test_only_whoever_asked_may_press(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        wish = said("a fox --price")
        await desk.offer(wish)
        for label in ("4 s", "Make it · Free"):
            with pytest.raises(NotAllowed) as refused:
                await desk.press(label, wish, BOB)
            assert refused.value.message_id == "error.not_yours"
        assert len(desk.talk.shown) == 1

    play(tmp_path, scene)


def test_a_message_that_is_gone_cannot_be_ordered(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        await desk.offer(said("a fox --price"))
        for label in ("4 s", "Make it · Free"):
            with pytest.raises(NotFound) as refused:
                await desk.press(label, None)
            assert refused.value.message_id == "error.message_gone"

    play(tmp_path, scene)


def test_other_generators_make_an_old_draft_useless(tmp_path: Path) -> None:
    """A place in the list must not become another generator's."""

    async def scene(desk: Desk) -> None:
        wish = said("a fox --model dear --price")
        await desk.offer(wish)
        desk.restarted(Metered(), InstantGenerator(FREE))
        for label in ("4 s", "Lab lab · Free", "Make it · 40 credits"):
            with pytest.raises(NotFound) as refused:
                await desk.press(label, wish)
            assert refused.value.message_id == "error.draft_stale"

    play(tmp_path, scene)


def test_nothing_is_ordered_at_another_price_or_elsewhere_than_shown(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        wish = said("a fox --price")
        await desk.offer(wish)
        free = len(desk.talk.shown)
        assert desk.account_id is not None
        await desk.on.store.set_settings(desk.account_id, {"resolution": "1080p"})
        with pytest.raises(NotFound) as refused:
            await desk.press("Make it · Free", wish)
        assert refused.value.message_id == "error.draft_stale"
        assert len(desk.talk.shown) == free
        await desk.press("Dear & Co · 40 credits", wish)
        await desk.press("720p", wish)
        dear = desk.on.parts.providers["dear"]
        assert isinstance(dear, Metered)
        dear.per_second = 6
        with pytest.raises(NotFound):
            await desk.press("Make it · 40 credits", wish)
        await desk.press("8 s", wish)  # a choice shows the new price
        assert await desk.press("Make it · 48 credits", wish) is not None

    play(tmp_path, scene)


def test_a_named_model_goes_with_its_generator(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        wish = said("a fox --model dear-2 --price")
        await desk.offer(wish)
        await desk.press("Dear & Co · 40 credits", wish)
        assert await desk.press("Make it · 40 credits", wish) == Chosen({"provider": "dear"}, None)
        await desk.press("Lab lab · Free", wish)
        chosen = await desk.press("Make it · Free", wish)
        assert chosen == Chosen({"provider": "lab", "model": None}, None)
        job = await desk.on.order("a fox", **{"model": "dear-2", **chosen.fields})
        assert (job.applied.provider, job.applied.model) == ("lab", "lab-1")

    play(tmp_path, scene)


PICTURE = Picture("f", "photo.jpg", "image/jpeg", 100)
PARTS: list[tuple[str, Said, dict[str, Any], int]] = [
    ("what it answers", said("", target=Target(3, is_ours=False, text="a fox")), {"prompt": "a fox"}, 0),
    ("the picture that it answers", said("a fox", target=Target(3, False, pictures=(PICTURE,))), {"prompt": "a fox"}, 1),
    ("a clip's last picture", said("a fox", target=Target(3, True, has_video=True)), {"prompt": "a fox", "parent_id": "x"}, 1),
    ("an album", said("a fox", pictures=(PICTURE, PICTURE), album="9"), {"prompt": "a fox"}, 2),
    ("a chat", said("a fox", person=replace(ANN, chat_id=-100)), {"prompt": "a fox"}, 0),
]  # fmt: skip


@pytest.mark.parametrize("name, message, fields, pictures", PARTS, ids=[name for name, *_ in PARTS])
def test_what_could_not_be_ordered_whole_has_no_buttons(
    tmp_path: Path, name: str, message: Said, fields: dict[str, Any], pictures: int
) -> None:
    """Telegram tells with a press the message that was answered, and not what that message answered."""
    del name

    async def scene(desk: Desk) -> None:
        await desk.offer(message, fields, pictures)
        assert desk.talk.buttons == []
        assert desk.talk.text.splitlines()[1:3] == ["8 s · 16:9 · 720p · Lab lab", "Free"]
        assert "Send it once more without asking for the price" in desk.talk.text

    play(tmp_path, scene)


def test_a_picture_of_its_own_is_ordered_with_it(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        wish = said("--price", pictures=(PICTURE,))
        await desk.offer(wish)
        assert desk.talk.text.startswith("A picture, set in motion\n")
        assert await desk.press("Make it · Free", wish) == Chosen({}, None)

    play(tmp_path, scene)


def test_a_picture_with_which_it_ends_is_told_from_one_with_which_it_begins(tmp_path: Path) -> None:
    """A generator that cannot end with one says so, and another one can be chosen."""

    async def scene(desk: Desk) -> None:
        wish = said("a fox --ends --model lab --price", pictures=(PICTURE,))
        await desk.offer(wish, pictures=1, ends=True)
        assert "Lab lab cannot end a clip with a picture of yours" in desk.talk.text
        assert ["✓ Lab lab"] in desk.talk.buttons
        await desk.press("Lab ender · 40 credits", wish)
        assert "8 s · 16:9 · 720p · Lab ender" in desk.talk.text
        assert await desk.press("Make it · 40 credits", wish) == Chosen({"provider": "ender"}, None)

    play(tmp_path, scene, InstantGenerator(LabSettings(name="ender", last_frame=True)))


def test_a_line_that_is_to_be_said_is_read_as_one(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        wish = replace(said("Hello you! --price"), command="talk")
        await desk.offer(wish)
        assert "8 s · 16:9 · 720p · Lab talker" in desk.talk.text
        assert await desk.press("Make it · 40 credits", wish) == Chosen({}, None)

    play(tmp_path, scene, InstantGenerator(LabSettings(name="talker", speech=True)))


# -------------------------------------------------------------------------------------------------------------- a clip, once more


def test_a_clip_is_made_again_with_other_settings(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        job = await desk.on.order("a fox", duration=6, provider="dear", model="dear-2")
        row = await desk.on.store.view(job.id)
        await desk.drafts.tune(desk.wish(), row)
        assert desk.talk.text.splitlines()[:3] == ["a fox", "6 s · 16:9 · 720p · Dear & Co", "30 credits"]
        await desk.press("4 s", None)
        await desk.press("Lab lab · Free", None)
        chosen = await desk.press("Make it · Free", None)
        assert chosen == Chosen({"duration": 4, "provider": "lab", "model": None}, job.id)
        again = await desk.on.order(**{**clips.again_fields(row), **chosen.fields})
        assert (again.applied.provider, again.applied.seconds, again.wanted.prompt) == ("lab", 4, "a fox")
        assert again.origin_id == job.id

    play(tmp_path, scene)


def test_a_clip_that_is_erased_or_anothers_is_not_made_again(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        job = await desk.on.order("a fox")
        await desk.drafts.tune(desk.wish(), await desk.on.store.view(job.id))
        mine, desk.account_id = desk.account_id, await desk.on.store.open_account("chat", "bob")
        desk.is_operator = True  # who may do much with others' clips, but not order in their name
        with pytest.raises(NotAllowed):
            await desk.press("Make it · Free", None)
        desk.account_id = mine
        await clips.take_away(desk.on.engine, job.id)
        with pytest.raises(ReelayError) as refused:
            await desk.press("Make it · Free", None)
        assert isinstance(refused.value, NotFound)

    play(tmp_path, scene)
