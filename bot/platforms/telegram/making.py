"""The verbs that make a clip: from what somebody wrote, with its options, its pictures and what it answers, to an order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.commands import clips
from bot.commands.marks import Marks
from bot.engine.engine import Engine
from bot.platforms.telegram.drafts import Drafts
from bot.platforms.telegram.orders import Orders, actor_of, attachment_of, ending, place_of
from bot.platforms.telegram.questions import start_of
from bot.platforms.telegram.reading import read_words, worded
from bot.platforms.telegram.render import job_of_button
from bot.platforms.telegram.vocabulary import CLIP, Vocabulary
from bot.platforms.telegram.wire import Said, Spot, Target
from bot.platforms.telegram.wishes import Clips, Wish
from core.attachments import Attachment
from core.errors import BadOption, Conflict, NotAllowed, NotFound
from core.jobs import Job, JobKind, Place
from storage.views import JobRow

FORMS: Final = re.compile(r"(remix|extend)_([0-9a-z]{10,40})", re.ASCII)
"""What stands behind the address of a question of ours: which form it is, and about which job."""
GENERAL_TOPIC: Final = "general"


class Making:
    """See above."""

    def __init__(self, engine: Engine, orders: Orders, mine: Clips, marks: Marks, drafts: Drafts) -> None:
        """``drafts`` shows the price of what was not ordered yet."""
        self._engine, self._orders, self._clips, self._marks, self._drafts = engine, orders, mine, marks, drafts

    async def make(
        self, wish: Wish, said: Said, verb: str, changes: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> None:
        """Order what a message asks for; ``changes``: fields that were chosen at buttons. Raises RequestError kinds.

        ``key``: what is ordered once, however often it is asked for.
        """
        await self.check_topic(said.spot)
        written = read_words(self._engine, said.text)
        fields: dict[str, Any] = {**written.fields, **(changes or {})}
        text = written.text
        attachment = None
        if verb == "extend":
            row = await self._meant(wish, said.target)
            fields |= clips.extend_fields(row, text)
        else:
            attachment, parent = await self.pictures(wish, said)
            if parent is not None:
                fields["parent_id"] = parent
            if not text and attachment is None and said.target is not None and not said.target.is_ours:
                text, others = self.words_of(said.target.text)
                fields = {**others, **fields}
            fields = worded(verb, fields, text)
        if verb == "animate" and attachment is None:
            raise NotFound("nothing to animate", message_id="error.no_picture_there")
        if written.ends:
            attachment = ending(attachment)
        is_asked = written.asks or said.is_forwarded  # what was passed on was perhaps not meant as an order
        if is_asked and changes is None:
            await self._drafts.offer(wish, said, fields, pictures=_count(attachment), ends=written.ends)
            return
        job = await self.order(
            wish,
            said.spot,
            fields,
            attachment,
            private=written.private,
            reply_to=said.message_id,
            key=key or album_key(said),
        )
        if job is None and (key is not None or said.command is not None or said.text):
            late = "error.draft_stale" if key is not None else "error.album_late"
            raise Conflict("another order was made of it", message_id=late)

    def words_of(self, text: str, vocabulary: Vocabulary = CLIP) -> tuple[str, dict[str, Any]]:
        """Somebody's message as an order would read it, without its command; one whose options nobody understands is words."""
        if text.startswith("/"):
            text = text.partition(" ")[2]
        try:
            written = read_words(self._engine, text, vocabulary)
        except BadOption:
            return text, {}
        return written.text, written.fields

    async def order(
        self,
        wish: Wish,
        spot: Spot,
        fields: Mapping[str, Any],
        attachment: Attachment | None = None,
        *,
        private: bool = False,
        reply_to: int | None = None,
        key: str | None = None,
        kind: JobKind = JobKind.CLIP,
        song: Attachment | None = None,
    ) -> Job | None:
        """Make the job. None where one was made already for ``key``, with other fields. Raises RequestError kinds."""
        actor = actor_of(wish.person, spot, is_admin=wish.is_operator)
        place = place_of(wish.person, spot, wish.words.language, reply_to=reply_to, private=private)
        is_hidden = private and not spot.is_private
        if is_hidden and (wish.person.chat_id is not None or not await wish.answer.is_reachable()):
            raise NotAllowed("no chat", message_id="error.start_me_first", values={"bot": wish.answer.bot_name})
        try:
            return await self._orders.take(
                wish.rows, actor, place, fields, attachment=attachment, dedupe_key=key, kind=kind, song=song
            )
        except Conflict as error:
            if key is not None and error.message_id == "error.key_reused":
                return None
            raise

    async def again(self, wish: Wish, row: JobRow, fields: Mapping[str, Any], *, key: str | None = None) -> None:
        """Order from a card's button: where the card stands, and as private as it was. Raises RequestError kinds."""
        spot, private = await self.beside(wish, row)
        if await self.order(wish, spot, fields, private=private, key=key) is None:
            raise Conflict("another order was made of it", message_id="error.draft_stale")

    async def beside(self, wish: Wish, row: JobRow) -> tuple[Spot, bool]:
        """(where its button was pressed, whether only they see it) for what is ordered from a card. Raises NotAllowed."""
        private = wish.spot is not None and not wish.spot.is_private and row.job.place.visibility == "only_owner"
        card = spot_of(row.job.place)
        spot = wish.spot or card
        if spot.thread is None and spot.chat_id == card.chat_id:  # of an old message Telegram does not tell the topic
            spot = card
        await self.check_topic(spot)
        return spot, private

    async def form(self, wish: Wish, said: Said) -> bool:
        """Whether ``said`` answers a question of ours; then it is carried out. Raises RequestError kinds."""
        found = next(
            (form for form in map(form_of, said.target.links if said.target else ()) if form is not None), None
        )
        if found is None:
            return False
        verb, job_id = found
        await self.check_topic(said.spot)
        row = await self._clips.of(wish, job_id)
        written = read_words(self._engine, said.text)
        attachment = attachment_of(said.pictures)
        if verb == "extend":
            fields = {**written.fields, **clips.extend_fields(row, written.text)}
        else:
            fields = {**clips.again_fields(row), **written.fields}
            if written.text:
                fields["prompt"] = written.text
            if attachment is not None or wish.account_id != row.job.account_id:
                fields.pop(
                    "reuse_image_of", None
                )  # a moderator remixes at their own cost, without the other person's picture
        if written.ends:
            attachment = ending(attachment)
        if written.asks:
            await self._drafts.offer(wish, said, fields, pictures=_count(attachment), ends=written.ends)
            return True
        was_private = row.job.place.visibility == "only_owner" and not said.spot.is_private
        await self.order(
            wish,
            said.spot,
            fields,
            attachment,
            private=written.private or was_private,
            reply_to=said.message_id,
            key=album_key(said),
        )
        return True

    async def check_topic(self, spot: Spot) -> None:
        """Raise NotAllowed where the group's administrators do not want clips."""
        if spot.is_private:
            return
        topic = GENERAL_TOPIC if spot.thread is None else str(spot.thread)
        if not await self._engine.parts.store.chat_allowed("telegram", str(spot.chat_id), [topic]):
            raise NotAllowed("not in this topic", message_id="error.not_in_topic")

    async def pictures(self, wish: Wish, said: Said) -> tuple[Attachment | None, str | None]:
        """The pictures of an order: its own, those of what it answers, or the last one of a clip; and that clip's job.

        Raises BadPicture, and NotFound for a film that is not ours.
        """
        if said.pictures:
            return attachment_of(said.pictures), None
        target = said.target
        if target is None:
            return None, None
        if target.pictures:
            return attachment_of(target.pictures), None
        job_id = self.job_of(target)
        if job_id is not None and target.has_video:
            chat = said.spot.chat
            return await clips.last_frame(self._engine, wish.acting, job_id, chat), job_id
        if target.has_video:
            raise NotFound("a film of somebody else's", message_id="error.no_clip_there")
        return None, None

    def job_of(self, target: Target | None) -> str | None:
        """The job of a card or a clip of ours."""
        for mark in () if target is None else target.marks:
            job_id = job_of_button(self._marks.read_button(mark))
            if job_id is not None:
                return job_id
        return None

    async def _meant(self, wish: Wish, target: Target | None) -> JobRow:
        """The clip that is answered, else the person's newest. Raises NotFound, NotAllowed."""
        job_id = self.job_of(target)
        if job_id is not None:
            return await self._clips.of(wish, job_id, only_owner=True)
        if target is not None and (target.has_video or target.pictures):
            raise NotFound("a film of somebody else's", message_id="error.no_clip_there")
        rows = (
            []
            if wish.account_id is None
            else await self._engine.parts.store.history(wish.account_id, limit=1, only="completed")
        )
        if not rows:
            raise NotFound("no clip yet", message_id="error.no_clip_there")
        return rows[0]


def _count(attachment: Attachment | None) -> int:
    return 0 if attachment is None else len(attachment.pictures)


def album_key(said: Said) -> str | None:
    """A late part of an album, whose clip is made already, is no order of its own."""
    return None if said.album is None else f"album:{said.spot.chat_id}:{said.album}"


def form_of(address: str) -> tuple[str, str] | None:
    """(form, job id) of an address behind a question of ours."""
    found = FORMS.fullmatch(start_of(address))
    return None if found is None else (found[1], found[2])


def spot_of(place: Place) -> Spot:
    """Where a card stands."""
    chat_id = int(place.chat)
    return Spot(chat_id, chat_id > 0, None if place.thread is None else int(place.thread))
