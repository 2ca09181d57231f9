"""Drafts: a keyboard under what is not ordered yet, to change shape, length, resolution and generator and see the price.

Nothing is kept of a draft: all of it stands in its buttons, and what is to be made in the message that it answers or in the row of a
clip. So it works after any restart, and whatever has changed meanwhile is noticed when a button is pressed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.commands import clips
from bot.commands.marks import Marks
from bot.engine.engine import Engine
from bot.engine.intake import Offer
from bot.engine.words import Words
from bot.platforms.telegram.picks import DIGITS, FIELDS, Picked, Subject, lists, read_subject, stale, stamp_of
from bot.platforms.telegram.reading import choices_now, read_words, worded
from bot.platforms.telegram.render import escape
from bot.platforms.telegram.speaking import Speaking
from bot.platforms.telegram.wire import Pressed, Said
from bot.platforms.telegram.wishes import Wish
from core.capabilities import Capabilities
from core.cards import Message, shorten
from core.errors import BadOption, NotAllowed, NotFound, RequestError, Unsupported
from core.fields import read_whole
from core.jobs import MOST_VARIATIONS
from core.money import Period
from core.requests import Choices
from providers.registry import real_name
from storage.views import JobRow

PICK, MAKE = "pick", "make"
"""The verbs of a draft's buttons: a choice, and the order. Four letters: with the longest ids a button's data is 64 bytes."""
A_ROW: Final = 5
MOST_GENERATORS: Final = 8
CHECK: Final = "✓"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be ordered from a draft."""

    fields: dict[str, Any]
    """What was chosen, over what was written; a ``model`` of None: the one that was named is not the chosen generator's."""
    job_id: str | None
    """The clip that is made again; None: what the message asks for that the draft answers."""


@dataclass(frozen=True, slots=True)
class _Base:
    """What is to be made, before anything was chosen."""

    fields: Mapping[str, Any]
    pictures: int
    """Of its own, a last one among them."""
    provider: str | None
    """Whose ``model`` is among the fields."""
    ends: bool = False
    """Whether the clip ends with the last of its pictures."""

    def with_(self, picked: Picked) -> dict[str, Any]:
        return {**self.fields, **self.changes(picked)}

    def changes(self, picked: Picked) -> dict[str, Any]:
        found = {name: getattr(picked, name) for name in FIELDS if getattr(picked, name) is not None}
        if "provider" in found and found["provider"] != self.provider and "model" in self.fields:
            found["model"] = None
        return found


class Drafts:
    """See above."""

    def __init__(self, engine: Engine, marks: Marks, speaking: Speaking) -> None:
        """``speaking`` redraws a draft in its place."""
        self._engine, self._marks, self._speaking = engine, marks, speaking

    def owns(self, verb: str) -> bool:
        """Whether ``verb`` is a button of a draft."""
        return verb in (PICK, MAKE)

    @property
    def _choices(self) -> Choices:
        return choices_now(self._engine)

    # ------------------------------------------------------------------------------------------------------------- what is wished

    async def offer(
        self, wish: Wish, said: Said, fields: Mapping[str, Any], *, pictures: int, ends: bool = False
    ) -> None:
        """Post the draft of an order, as a reply to the message that asks for it. Raises RequestError kinds.

        Without buttons where they could not order the same: a message is told again without what it answers and without the rest of
        its album, and whoever writes as a chat presses as somebody else.
        """
        alone = said.person.chat_id is None and said.album is None and len(said.pictures) == pictures
        is_whole = alone and dict(fields) == self._written(replace(said, target=None)).fields
        base = _Base(fields, pictures, self._model_of(fields), ends)
        subject = Subject(Picked(), said.person.id, None, stamp_of(self._choices)) if is_whole else None
        await wish.answer.say(*await self._drawn(wish, base, subject))

    async def tune(self, wish: Wish, row: JobRow) -> None:
        """Post the draft of a clip that is to be made again. Raises RequestError kinds."""
        subject = Subject(Picked(), wish.person.id, row.job.id, stamp_of(self._choices))
        await wish.answer.say(*await self._drawn(wish, _again(row), subject))

    async def press(self, wish: Wish, pressed: Pressed, verb: str, subject: str) -> Chosen | None:
        """A choice redraws the draft; "make it" returns what to order. That the draft orders once is for whoever orders to see to.

        Raises NotAllowed for others, NotFound for what is gone or is not what the draft shows, and what forbids the order.
        """
        choices = self._choices
        found = read_subject(subject, choices)
        if pressed.person.id != found.owner:
            raise NotAllowed("another person's draft", message_id="error.not_yours")
        if pressed.spot is None or pressed.target is None:
            raise NotFound("the draft is out of reach", message_id="error.message_gone")
        if found.job_id is not None:
            base = _again(await clips.the_clip(self._engine, wish.acting, found.job_id, only_owner=True))
        elif pressed.original is not None:
            base = self._written(pressed.original)
        else:
            raise NotFound("the message is gone", message_id="error.message_gone")
        shown = _shown(*await self._offer(wish, base, found.picked)) if verb == MAKE else ()
        if found.stamp != stamp_of(choices, *shown):
            raise stale()
        if verb == MAKE:
            return Chosen(base.changes(found.picked), found.job_id)
        html, keys = await self._drawn(wish, base, found)
        await self._speaking.edit(pressed.spot.chat_id, pressed.target.message_id, html, keys)
        return None

    def _written(self, said: Said) -> _Base:
        """What a message asks for by itself, as ``Making.make`` reads it. Raises BadOption."""
        written = read_words(self._engine, said.text)
        fields = worded(said.command, written.fields, written.text)
        pictures = len(said.pictures)
        return _Base(fields, pictures, self._model_of(fields), written.ends and pictures > 0)

    def _model_of(self, fields: Mapping[str, Any]) -> str | None:
        return real_name(str(fields.get("provider")), self._engine.parts.providers)

    # ------------------------------------------------------------------------------------------------------------- what is shown

    async def _settings(self, wish: Wish) -> Mapping[str, Any]:
        if wish.account_id is None:
            return {}
        return (await self._engine.parts.store.account(wish.account_id)).settings

    async def _offer(self, wish: Wish, base: _Base, picked: Picked) -> tuple[Offer, int]:
        first = base.pictures - base.ends
        clips_wanted = read_whole(base.fields.get("variations"), "variations", 1, MOST_VARIATIONS, 1)
        offer, price = await self._engine.intake.offer(
            base.with_(picked),
            with_picture=first > 0,
            pictures=first,
            last_frame=base.ends,
            settings=await self._settings(wish),
            account_id=wish.account_id,
        )
        return offer, price * clips_wanted

    async def _drawn(self, wish: Wish, base: _Base, subject: Subject | None) -> tuple[str, InlineKeyboardMarkup | None]:
        """The draft's HTML and its buttons; ``subject`` None: without any. Raises RequestError for what no choice can mend."""
        words, picked = wish.words, Picked() if subject is None else subject.picked
        offer = refusal = None
        price = 0
        try:
            offer, price = await self._offer(wish, base, picked)
        except (Unsupported, BadOption) as error:
            if isinstance(error, BadOption) and error.field not in FIELDS:
                raise
            refusal = words.text(Message(error.message_id, error.values), self._engine.parts.clock.now())
        headline = shorten(str(base.fields.get("prompt") or base.fields.get("line") or "")) or words.say(
            "card.no_prompt"
        )
        lines = [f"<b>{escape(headline)}</b>"]
        if offer is not None:
            lines += [escape(" · ".join(_facts(offer, words))), escape(await self._price_line(wish, price))]
            lines += [escape(words.text(Message(each.message_id, each.values))) for each in offer.changed]
        if refusal is not None:
            lines.append(escape(refusal))
        lines.append(f"<i>{escape(words.say('draft.open' if subject else 'draft.by_hand'))}</i>")
        if subject is None:
            return "\n".join(lines), None
        rows = await self._rows(wish, base, subject, offer)
        if offer is not None:
            made = replace(subject, stamp=stamp_of(self._choices, *_shown(offer, price)))
            label = words.say("draft.make", price=_price(price, words))
            rows.append([self._button(label, made, MAKE)])
        return "\n".join(lines), InlineKeyboardMarkup(rows) if rows else None

    async def _price_line(self, wish: Wish, price: int) -> str:
        """The price, and what the person has left today where that is limited."""
        if price == 0 or wish.account_id is None:
            return _price(price, wish.words)
        view = await self._engine.parts.store.account(wish.account_id)
        left = next((each.left for each in view.allowances if each.period is Period.DAY), None)
        if left is None:
            return _price(price, wish.words)
        return wish.words.say("draft.price_left", credits=price, left=left + view.granted)

    async def _rows(
        self, wish: Wish, base: _Base, subject: Subject, offer: Offer | None
    ) -> list[list[InlineKeyboardButton]]:
        """What can be chosen on the generator that would make it, and the generators with their prices."""
        words, picked, providers = wish.words, subject.picked, self._engine.parts.providers
        can = (await self._generator(wish, base, picked)) if offer is None else offer.provider.capabilities
        at = offer.applied if offer is not None else None
        now: dict[str, Any] = {
            "aspect_ratio": at.aspect_ratio if at else picked.aspect_ratio,
            "duration": at.seconds if at else picked.duration,
            "resolution": at.resolution if at else picked.resolution,
        }
        values: dict[str, list[tuple[Any, str]]] = {
            "aspect_ratio": [(each, words.say("facts.aspect", aspect=each)) for each in can.aspects],
            "duration": [(each, words.say("facts.seconds", seconds=each)) for each in can.seconds],
            "resolution": [(each, words.say("facts.resolution", resolution=each)) for each in can.resolutions],
        }
        places = dict(zip(FIELDS, lists(self._choices), strict=True))
        rows: list[list[InlineKeyboardButton]] = []
        for name, legal in values.items():
            buttons = [
                self._button(_marked(label, is_it=value == now[name]), _with(subject, **{name: value}), PICK)
                for value, label in legal
                if places[name].index(value) < len(DIGITS)
            ]
            if len(buttons) > 1:
                rows += [buttons[start : start + A_ROW] for start in range(0, len(buttons), A_ROW)]
        shown = [can.name, *(name for name in providers if name != can.name)][:MOST_GENERATORS]
        for name in (each for each in providers if each in shown and len(shown) > 1):
            there = providers[name].capabilities
            picks = picked.on(there)
            label = await self._generator_label(wish, base, picks)
            rows.append([self._button(_marked(label, is_it=name == can.name), replace(subject, picked=picks), PICK)])
        return rows

    async def _generator_label(self, wish: Wish, base: _Base, picks: Picked) -> str:
        """Title and price; the title alone where it cannot make this clip: pressed, it says why."""
        title = self._engine.parts.providers[str(picks.provider)].capabilities.title
        try:
            _, price = await self._offer(wish, base, picks)
        except RequestError:
            return title
        return f"{title} · {_price(price, wish.words)}"

    async def _generator(self, wish: Wish, base: _Base, picked: Picked) -> Capabilities:
        """Whose choices are shown while nothing can be made of the wish."""
        parts = self._engine.parts
        named = (base.with_(picked).get("provider"), (await self._settings(wish)).get("provider"))
        real = next((found for each in named if (found := real_name(str(each), parts.providers))), None)
        return parts.providers[real or parts.default_provider].capabilities

    def _button(self, label: str, subject: Subject, verb: str) -> InlineKeyboardButton:
        data = self._marks.button(verb, subject.write(self._choices))
        return InlineKeyboardButton(label, callback_data=data, style="success" if verb == MAKE else None)


def _again(row: JobRow) -> _Base:
    return _Base(clips.again_fields(row), 0, row.job.applied.provider)


def _shown(offer: Offer, price: int) -> tuple[object, ...]:
    """What must still be so when it is ordered."""
    at = offer.applied
    return at.provider, at.model, at.aspect_ratio, at.seconds, at.resolution, price


def _facts(offer: Offer, words: Words) -> list[str]:
    applied = offer.applied
    return [
        words.say("facts.seconds", seconds=applied.seconds),
        words.say("facts.aspect", aspect=applied.aspect_ratio),
        words.say("facts.resolution", resolution=applied.resolution),
        words.say("facts.generator", generator=offer.provider.capabilities.title),
    ]


def _price(credits: int, words: Words) -> str:
    return words.say("money.charged", credits=credits) if credits else words.say("money.free")


def _marked(label: str, *, is_it: bool) -> str:
    return f"{CHECK} {label}" if is_it else label


def _with(subject: Subject, **values: Any) -> Subject:
    return replace(subject, picked=replace(subject.picked, **values))
