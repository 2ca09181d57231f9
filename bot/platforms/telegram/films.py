"""Films: ordering one from a message, and what the buttons of its card and of its scenes do. Everything of it is its owner's alone."""

from __future__ import annotations

import logging
import re
from typing import Any, Final

from telegram import InlineKeyboardButton, Message

from bot.commands import films
from bot.commands.films import Step, price_change, read_priced, read_step
from bot.commands.marks import Marks
from bot.engine.engine import Engine
from bot.platforms.telegram import questions
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.making import Making, album_key
from bot.platforms.telegram.orders import actor_of, attachment_of, place_of, song_of
from bot.platforms.telegram.panes import Pane, Panes
from bot.platforms.telegram.reading import read_words
from bot.platforms.telegram.render import PANE, escape, plain, rows
from bot.platforms.telegram.speaking import Speaking
from bot.platforms.telegram.uploads import DiskFile
from bot.platforms.telegram.vocabulary import FILM
from bot.platforms.telegram.wire import Pressed, Said
from bot.platforms.telegram.wishes import Wish
from core.errors import BadOption, Conflict, NotFound, PlatformError, RequestError
from core.jobs import Actor, JobKind
from core.states import JobState
from storage.films import FilmRow
from storage.views import JobRow

FORM: Final = re.compile(r"(s\d{1,6}_[a-z]+(?:_\d{1,9})?)_([0-9a-z]{26})", re.ASCII)
"""Behind the address of a question about a scene: the step (``commands.films``) and the film."""
APPROVE, RETRY, REPAINT = "approve", "retry_scenes", "repaint"
PICTURE_NAME: Final = "character.png"
CAPTION_CHARACTERS: Final = 300

log = logging.getLogger("reelay.telegram")


class Films:
    """See above."""

    def __init__(
        self,
        engine: Engine,
        marks: Marks,
        making: Making,
        panes: Panes,
        client: Client,
        speaking: Speaking,
        song_bytes: int | None,
    ) -> None:
        """``song_bytes``: of the largest file that Telegram hands to us; None where it hands out all of them."""
        self._engine, self._marks, self._making, self._panes = engine, marks, making, panes
        self._client, self._speaking, self._song_bytes = client, speaking, song_bytes

    # ------------------------------------------------------------------------------------------------------------------- ordering

    async def make(self, wish: Wish, said: Said) -> None:
        """Order the film that a message asks for; what it answers brings the words, the character's picture or the song.

        Raises RequestError kinds.
        """
        await self._making.check_topic(said.spot)
        if said.has_other and said.sound is None:
            raise BadOption("song_file", "", "", message_id="error.not_for_a_film")
        written = read_words(self._engine, said.text, FILM)
        target, fields, text = said.target, dict(written.fields), written.text
        pictures = said.pictures or (() if target is None else target.pictures)
        if len(pictures) > 1:
            raise BadOption("image_file", len(pictures), "one picture", message_id="error.one_character_picture")
        song = song_of(said.sound or (None if target is None else target.sound), self._song_bytes)
        if not text and target is not None and not target.is_ours:
            text, others = self._making.words_of(target.text, FILM)
            fields = {**others, **fields}
        if not text:
            raise BadOption("idea", "", "what the film is about", message_id="error.film_without_idea")
        job = await self._making.order(
            wish,
            said.spot,
            {**fields, "idea": text},
            attachment_of(pictures),
            private=written.private,
            reply_to=said.message_id,
            key=album_key(said),
            kind=JobKind.FILM,
            song=song,
        )
        if job is None:
            raise Conflict("another order was made of it", message_id="error.album_late")

    async def again(self, wish: Wish, row: JobRow) -> None:
        """Plan the same film once more, where its card stands. Raises RequestError kinds."""
        spot, private = await self._making.beside(wish, row)
        film = await self._engine.films.film(row.job.id)
        fields, picture, song = await films.again(self._engine, film)
        await self._making.order(wish, spot, fields, picture, private=private, kind=JobKind.FILM, song=song)

    # -------------------------------------------------------------------------------------------------------------------- buttons

    def owns(self, verb: str) -> bool:
        """Whether ``verb`` is a button of a film."""
        base = read_priced(verb)[0]
        return (
            base in (APPROVE, RETRY, REPAINT, "scenes")
            or PANE.fullmatch(verb) is not None
            or read_step(verb) is not None
        )

    async def press(self, wish: Wish, pressed: Pressed, verb: str, film_id: str) -> None:
        """Carry out a button. Raises RequestError kinds; a price that has changed is told, and the buttons show the new one."""
        film = await films.the_film(self._engine, wish.acting, film_id)
        base, agreed, _ = read_priced(verb)
        step = read_step(verb)
        try:
            if base == APPROVE:
                await films.approve(self._engine, wish.acting, self._actor(wish, pressed), film_id, agreed)
                await wish.answer.toast(wish.words.say("state.accepted"))
            elif base == RETRY:
                await films.retry_scenes(self._engine, wish.acting, self._actor(wish, pressed), film_id, agreed)
                await wish.answer.toast(wish.words.say("state.accepted"))
            elif step is not None:
                await self._step(wish, pressed, film, step)
            elif verb == "character":
                await self._picture(wish, pressed, film)
            elif verb == REPAINT:
                await self._engine.films.repaint(film_id, self._actor(wish, pressed))
                await wish.answer.toast(wish.words.say("telegram.painting"))
            else:
                await self._turn(pressed, verb, film_id, wish)
        except RequestError as error:
            if price_change(error) is not None or error.message_id == "error.film_changed":
                await self._redraw(pressed, film_id, wish)
            raise

    async def _step(self, wish: Wish, pressed: Pressed, film: FilmRow, step: Step) -> None:
        if step.asks:
            await self._ask(wish, film, step)
            return
        fresh = await films.take_step(self._engine, wish.acting, self._actor(wish, pressed), film.job.id, step)
        if step.name in ("retry", "on"):
            await wish.answer.toast(wish.words.say("state.accepted"))
        elif step.name == "anew":
            await wish.answer.toast(wish.words.say("telegram.rewriting"))
        is_there = any(each.number == step.number for each in fresh.plan.scenes)
        pane = Pane(film.job.id, step.number if is_there else None)
        if fresh.job.state is film.job.state:
            await self._show(pressed, film.job.id, pane, wish)

    async def _turn(self, pressed: Pressed, verb: str, film_id: str, wish: Wish) -> None:
        word, _, number = verb.partition("_")
        if verb == "to_card":
            pane = None
        elif word == "scene":
            pane = Pane(film_id, int(number))
        else:
            pane = Pane(film_id, None, int(number or 0))
        await self._show(pressed, film_id, pane, wish)

    async def _redraw(self, pressed: Pressed, film_id: str, wish: Wish) -> None:
        """Show what is there now, in the pane that is open."""
        if pressed.spot is None or pressed.target is None:
            return
        pane = self._panes.pane(pressed.spot.chat_id, pressed.target.message_id)
        try:
            await self._show(pressed, film_id, pane, wish)
        except NotFound:
            self._panes.close(pressed.spot.chat_id, pressed.target.message_id)

    async def _show(self, pressed: Pressed, film_id: str, pane: Pane | None, wish: Wish) -> None:
        if pressed.spot is None or pressed.target is None:
            raise NotFound("the card is out of reach", message_id="error.message_gone")
        chat_id, target = pressed.spot.chat_id, pressed.target
        is_clip = target.has_video or any(  # of an old message Telegram does not tell what it is
            each.kind == "media" and each.message == str(target.message_id)
            for each in await self._engine.parts.store.receipts_of_job(film_id)
        )
        try:
            await self._panes.show(film_id, chat_id, target.message_id, pane, wish.words, is_clip=is_clip)
        except PlatformError as error:  # what was to be done is done; its lane shows it as soon as there is room
            log.info("a pane was not drawn", extra={"film": film_id, "code": error.code})

    def _actor(self, wish: Wish, pressed: Pressed) -> Actor:
        return actor_of(wish.person, pressed.spot, is_admin=wish.is_operator)

    # ------------------------------------------------------------------------------------------------------------------ questions

    async def _ask(self, wish: Wish, film: FilmRow, step: Step) -> None:
        """Ask for the words of a scene; ``form`` reads the answer."""
        words = wish.words
        if step.number:
            scene = film.plan.scene(step.number)
            place, text = 1 + film.plan.scenes.index(scene), scene.description
        else:
            place, text = 0, ""
        if step.name == "add":
            question, text = words.say("telegram.scene_add"), ""
        elif step.name == "edit":
            question = words.say("telegram.scene_edit", place=place)
        elif step.price:
            question = words.say("telegram.scene_reword", place=place, credits=step.price)
        else:
            question = words.say("telegram.scene_reword_free", place=place)
        await questions.put(
            wish, f"{step.verb}_{film.job.id}", question, text, hint=text or words.say("telegram.scene_hint")
        )

    async def form(self, wish: Wish, said: Said) -> bool:
        """Whether ``said`` answers a question about a scene; then it is carried out. Raises RequestError kinds."""
        links = said.target.links if said.target is not None and said.target.is_ours else ()
        found = next((each for each in map(questions.start_of, links) if FORM.fullmatch(each)), None)
        if found is None or said.target is None:
            return False
        step, film_id = self._asked(found)
        before = await films.the_film(self._engine, wish.acting, film_id)
        if step.name == "add" and (same := _added(before, step, said.text)) is not None:  # it came a second time
            await self._told(wish, said, "telegram.scene_added", same)
            return True
        actor = actor_of(wish.person, said.spot, is_admin=wish.is_operator)
        film = await films.take_step(self._engine, wish.acting, actor, film_id, step, said.text)
        known = {each.number for each in before.plan.scenes}
        number = next((each.number for each in film.plan.scenes if each.number not in known), step.number)
        place = 1 + film.plan.scenes.index(film.plan.scene(number))
        done = {"add": "telegram.scene_added", "edit": "telegram.scene_changed"}.get(step.name, "telegram.scene_tried")
        await self._told(wish, said, done, place)
        return True

    async def _told(self, wish: Wish, said: Said, message_id: str, place: int) -> None:
        """The question has been answered, and goes."""
        await wish.answer.say(escape(wish.words.say(message_id, place=place)))
        if said.target is not None:
            try:
                await self._speaking.remove(said.spot.chat_id, said.target.message_id)
            except PlatformError:
                return  # it stays, and can be answered once more

    @staticmethod
    def _asked(payload: str) -> tuple[Step, str]:
        found = FORM.fullmatch(payload)
        step = None if found is None else read_step(found[1])
        if found is None or step is None or not step.asks:
            raise NotFound("no such question", message_id="error.film_changed")
        return step, found[2]

    def is_question(self, payload: str) -> bool:
        """Whether this stands behind the address of a question about a scene."""
        return FORM.fullmatch(payload.strip()) is not None

    async def ask_again(self, wish: Wish, payload: str) -> None:
        """Somebody followed the address of a question. Raises NotFound, NotAllowed."""
        step, film_id = self._asked(payload.strip())
        await self._ask(wish, await films.the_film(self._engine, wish.acting, film_id), step)

    # -------------------------------------------------------------------------------------------------------------- the character

    async def _picture(self, wish: Wish, pressed: Pressed, film: FilmRow) -> None:
        """Send the picture that the scenes share, as an answer to the card."""
        plan, words = film.plan, wish.words
        if any(call.kind is JobKind.PICTURE and not call.ended for call in film.calls):
            await wish.answer.toast(words.say("telegram.painting"), is_alert=True)
            return
        if plan.picture_key is None or pressed.spot is None or pressed.target is None:
            await wish.answer.toast(words.say("telegram.no_picture"), is_alert=True)
            return
        buttons = []
        if film.job.state is JobState.AWAITING and plan.character and not plan.own_picture:
            data = self._marks.button(REPAINT, film.job.id)
            buttons = [InlineKeyboardButton(f"🎨 {words.say('telegram.repaint')}", callback_data=data)]
        caption, keys = escape(plan.character[:CAPTION_CHARACTERS]), rows(buttons)
        place = place_of(wish.person, pressed.spot, words.language, reply_to=pressed.target.message_id)
        async with self._engine.parts.clips.checkout(plan.picture_key) as path:

            async def post(chat_id: int, where: dict[str, Any], mode: str | None) -> Message:
                return await self._client.send_photo(
                    chat_id,
                    DiskFile(path, PICTURE_NAME),
                    caption=caption if mode else plain(caption),
                    parse_mode=mode,
                    reply_markup=keys,
                    **where,
                )

            await self._speaking.post(place, post)


def _added(film: FilmRow, step: Step, text: str) -> int | None:
    """The place of the scene that an answer has added already."""
    scenes = film.plan.scenes
    if not scenes:
        return None
    at = len(scenes) - 1 if not step.number else 1 + scenes.index(film.plan.scene(step.number))
    return at + 1 if at < len(scenes) and scenes[at].description == text.strip() else None
