"""Discord as a platform: messages that are sent, edited and become the clip, and what to do when the way is closed.

The way of an edit: the interaction's token while it lives, then the bot itself where it is a member and the answer is public. The way of
a new message: the channel, then a direct message; of a private job, a direct message only. What fails everywhere waits for ``resend``.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from bot.engine.words import Bookshelf
from bot.platforms.discord.api import OLD_MESSAGE, DiscordApi, NoAnswer, Refusal, Upload
from bot.platforms.discord.attachments import Attachments
from bot.platforms.discord.identity import TOKEN_SECONDS, Marks, Token
from bot.platforms.discord.pace import FIRST_PAUSE, Pace
from bot.platforms.discord.portraits import NO_PORTRAIT, Portrait, Portraits
from bot.platforms.discord.render import EPHEMERAL, NOBODY, PORTRAIT_NAME, message
from core.attachments import Attachment
from core.cards import Card
from core.errors import Forbidden, Gone, PlatformBusy, PlatformError, TooLarge, Unreachable, WasDone
from core.jobs import Place, Receipt
from core.ports import ClipFile, Clock, PlatformLimits

LIMITS: Final = PlatformLimits(
    upload_bytes=10 << 20,
    text=4000,
    caption=4000,
    seconds_between_edits=3.0,
    refresh_seconds=5.0,
    buttons=10,
    message_becomes_clip=True,
    idempotent_send=True,
)
"""10 MiB: the default since 2025-01 (Discord, "Uploading Files"). A new message carries a nonce that Discord drops repeats by."""
CLIP_NAME: Final = "clip.mp4"
NONCE_MOST: Final = 25
GONE: Final = frozenset({10003, 10004, 10008, 10015, 10062})
"""Channel, guild, message, webhook answer, interaction: unknown."""
TOKEN_ENDED: Final = frozenset({10015, 10062, 50027})
TOO_LARGE: Final = 40005
NOT_YET: Final = 10015
EDIT_PATIENCE: Final = 1.0
UPLOAD_PATIENCE: Final = 60.0
"""Seconds to wait for room in a channel's bucket."""
ORIGINAL: Final = "@original"
"""Stands for the message that answers an interaction until its id is known."""
NOT_YET_SECONDS: Final = 0.7
"""An edit may reach Discord before the acknowledgement is registered there (discord-api-docs#6851)."""

log = logging.getLogger("reelay.discord")


class Receiving(Protocol):
    """What receives: the gateway, or nothing where only the HTTP endpoint does."""

    async def run(self) -> None:
        """Receive until cancelled."""


class DiscordPlatform:
    """Implements ``core.ports.Platform``."""

    name = "discord"
    limits = LIMITS

    def __init__(
        self,
        api: DiscordApi,
        marks: Marks,
        shelf: Bookshelf,
        clock: Clock,
        attachments: Attachments,
        portraits: Portraits | None = None,
    ) -> None:
        """``receiving`` is joined later: its desk needs this platform. ``portraits``: pictures of who recurs in films, to be shown."""
        self._api, self._marks, self._shelf, self._clock = api, marks, shelf, clock
        self._attachments = attachments
        self._portraits = portraits
        self._pace = Pace(clock)
        self.receiving: Receiving | None = None

    async def run(self) -> None:
        """Receive until cancelled."""
        if self.receiving is not None:
            await self.receiving.run()

    # ------------------------------------------------------------------------------------------------------------- the port

    async def send(self, place: Place, card: Card) -> Receipt:
        """Post the card as a message of its own."""
        async with self._portrait(None, place, card) as portrait:
            body = self._body(place, card, portrait=portrait)
            receipt = await self._post(place, body, _nonce("c", card), portrait.files)
        self._keep(receipt, card, portrait)
        return receipt

    async def edit(self, receipt: Receipt, card: Card) -> Receipt:
        """Change the message. Raises Gone when somebody deleted it, Forbidden when we may not touch it any more, and PlatformBusy with the
        fact ``left_out`` when nothing was asked because the change is not worth an edit yet.

        An answer that never came to be, because its acknowledgement was too late, is replaced by a message of its own. One that is out of
        the bot's reach stays as it is until its job has ended; how it ended is told by direct message.
        """
        # A message that became the clip keeps its file: without a list of attachments all stay (Discord, "Edit Message").
        place = receipt.place
        rest = self._pace.rest(receipt.message, card, strained=self._api.budget.is_strained)
        if rest > 0:
            raise PlatformBusy("not worth an edit yet", retry_after=rest, left_out=True)
        async with self._portrait(receipt, place, card) as portrait:
            return await self._edit(receipt, card, portrait)

    async def _edit(self, receipt: Receipt, card: Card, portrait: Portrait) -> Receipt:
        place = receipt.place
        body = self._body(place, card, CLIP_NAME if receipt.kind == "media" else None, portrait)
        try:
            edited = self._fresh(await self._change(receipt, body, portrait.files))
            self._keep(edited, card, portrait)
            if card.final:
                self._pace.forget(edited.message)
            else:
                self._pace.shown(edited.message, card)
            return edited
        except PlatformBusy as error:
            if error.facts.get("discord") != OLD_MESSAGE:
                raise
            # The lane comes back soon, for the job may have ended by then; what need not be told yet is left out above.
            self._pace.refused(receipt.message, error.retry_after)
            wait = min(error.retry_after or FIRST_PAUSE, FIRST_PAUSE)
            raise PlatformBusy(str(error), retry_after=wait, discord=OLD_MESSAGE) from error
        except Gone:
            if receipt.message != ORIGINAL:
                raise
        except Forbidden:
            if self.reaches(place) or receipt.kind == "media":  # the clip is there, and its file is in no other message
                raise
        if not self.reaches(place) and not card.final:
            return replace(receipt, credential=None, can_edit_until=None)
        if portrait.is_shown and not portrait.files:  # it stands in the message that is not reached
            body = self._body(place, card)
        return await self._post(place, body, _nonce("e", card), portrait.files)

    def room(self, place: Place, receipt: Receipt | None, card: Card, *, is_notice: bool = False) -> float:
        """Always: Discord tells itself when to wait, and by its nonces nothing is in doubt then."""
        del place, receipt, card, is_notice
        return 0.0

    async def deliver(self, place: Place, receipt: Receipt | None, clip: ClipFile, card: Card) -> Receipt:
        """The message becomes the clip, or a new message brings it."""
        file = Upload(clip.path, CLIP_NAME, clip.clip.mime, clip.bytes)
        body = self._body(place, card, clip_name=CLIP_NAME)
        body["attachments"] = [{"id": 0, "filename": CLIP_NAME, "description": card.headline[:1024]}]
        try:
            if receipt is None:
                return await self._post(place, body, clip.nonce, (file,))
            became = replace(self._fresh(await self._change(receipt, body, (file,))), kind="media")
            self._pace.forget(became.message)
            return became
        except PlatformBusy as error:
            if receipt is None or error.facts.get("discord") != OLD_MESSAGE:
                raise
            if not self.reaches(place):
                wait = self._pace.refused(receipt.message, error.retry_after)
                raise PlatformBusy(str(error), retry_after=wait, discord=OLD_MESSAGE) from error
            # A clip does not wait for an old message that nobody may change: what stands there goes, or it would render for ever.
            with contextlib.suppress(PlatformError):
                await self.delete(receipt)
            self._pace.forget(receipt.message)
            raise Gone("too old a message to become the clip", discord=OLD_MESSAGE) from error
        except TooLarge as error:
            if error.limit is not None or clip.bytes <= LIMITS.upload_bytes:
                raise
            # What an interaction promised holds for its token alone; the bot's own ways take less, and do not say how much.
            raise TooLarge(str(error), limit=LIMITS.upload_bytes, **error.facts) from error
        except Forbidden:
            if receipt is not None and self.reaches(place):
                # Perhaps no file may be put there: what stands there must not go on telling that it renders.
                with contextlib.suppress(PlatformError):
                    await self._patch(receipt, self._body(place, card), ())
            raise

    async def notify(self, place: Place, receipt: Receipt | None, card: Card) -> None:
        """One short reply that mentions whoever asked, and nobody else."""
        if self._api.budget.is_strained:
            raise PlatformBusy("too much was refused lately", retry_after=60.0)
        user = place.details.get("user")
        text = self._shelf.words(place.language).notice(card, f"<@{user}>")
        body: dict[str, Any] = {"content": text, "allowed_mentions": {"parse": [], "users": [user]}}
        if place.visibility == "public" and place.details.get("member"):
            if receipt is not None:
                body["message_reference"] = {"message_id": receipt.message, "fail_if_not_exists": False}
            await self._create(place.chat, body, _nonce("n", card), ())
            return
        token = self._token(receipt)
        if token is not None:
            path = f"/webhooks/{token.application_id}/{token.token}"
            flags = EPHEMERAL if place.visibility == "only_owner" else 0
            try:
                await self._call("POST", path, {**body, "flags": flags}, as_bot=False)
            except Unreachable as error:
                if (
                    error.was_done is WasDone.UNKNOWN
                ):  # here no nonce keeps a second one away, and two bells are worse than none
                    raise Unreachable(str(error), was_done=WasDone.YES) from error
                raise

    async def delete(self, receipt: Receipt) -> None:
        """Remove the message; one that is gone already is fine. Raises Forbidden when nothing of ours reaches it."""
        token = self._token(receipt)
        if token is not None:
            try:
                await self._call("DELETE", _original(token), as_bot=False)
            except (Forbidden, Gone) as error:
                if isinstance(error, Gone) and error.facts.get("discord") not in TOKEN_ENDED:
                    return
                log.info("an interaction token ended early", extra={"code": error.facts.get("discord")})
            else:
                return
        if not self.reaches(receipt.place) or receipt.message == ORIGINAL:
            raise Forbidden("nothing of ours reaches this message any more")
        with contextlib.suppress(Gone):
            await self._call("DELETE", f"/channels/{receipt.place.chat}/messages/{receipt.message}")

    def open(self, place: Place, attachment: Attachment) -> AsyncIterator[bytes]:
        """Stream a picture from Discord's own hosts; an expired link is asked for anew where the message can be read."""
        del place
        return self._attachments.open(attachment)

    # --------------------------------------------------------------------------------------------------------------- receipts

    def receipt(self, place: Place, message_id: str, token: Token) -> Receipt:
        """The receipt of a message that answers an interaction."""
        until = self._clock.now() + TOKEN_SECONDS * 1000
        return Receipt(place, message_id, can_edit_until=until, credential=self._marks.seal(token))

    def _token(self, receipt: Receipt | None) -> Token | None:
        """The interaction's token while it lives."""
        if receipt is None or receipt.can_edit_until is None or self._clock.now() >= receipt.can_edit_until:
            return None
        return self._marks.unseal(receipt.credential)

    def _fresh(self, receipt: Receipt) -> Receipt:
        """The receipt without a token that has ended, so that it is not kept longer than it is worth."""
        if receipt.credential is not None and self._token(receipt) is None:
            return replace(receipt, credential=None, can_edit_until=None)
        return receipt

    @staticmethod
    def reaches(place: Place) -> bool:
        """Whether the bot itself can edit and post there, also when an interaction's token has ended."""
        return place.visibility == "public" and bool(place.details.get("member"))

    # ------------------------------------------------------------------------------------------------------------------ calls

    def _body(
        self, place: Place, card: Card, clip_name: str | None = None, portrait: Portrait = NO_PORTRAIT
    ) -> dict[str, Any]:
        words = self._shelf.words(place.language)
        body = message(
            card, words, self._marks, self._clock.now(), place, clip_name=clip_name, portrait=portrait.is_shown
        )
        if portrait.files:
            body["attachments"] = [{"id": 0, "filename": PORTRAIT_NAME}]
        return body

    @contextlib.asynccontextmanager
    async def _portrait(self, receipt: Receipt | None, place: Place, card: Card) -> AsyncIterator[Portrait]:
        """What the message shows of who recurs: their own picture stands there by its address, and a film has become itself."""
        is_film = receipt is not None and receipt.kind == "media"
        if self._portraits is None or card.picture is None or is_film or place.details.get("picture_url"):
            yield NO_PORTRAIT
            return
        known = None if receipt is None else receipt.message
        async with self._portraits.of(known, card.picture, may_send=card.final) as portrait:
            yield portrait

    def _keep(self, receipt: Receipt, card: Card, portrait: Portrait) -> None:
        if self._portraits is not None and portrait.files and card.picture is not None:
            self._portraits.shown(receipt.message, card.picture)

    async def _patch(self, receipt: Receipt, body: dict[str, Any], files: Sequence[Upload]) -> Receipt:
        """Change the message by its token, else by the bot; returns the receipt with the message's id, which the token does not need."""
        token, place = self._token(receipt), receipt.place
        if token is not None:
            try:
                answer = await self._edit_original(token, body, files)
            except Refusal as refusal:
                if refusal.code not in TOKEN_ENDED and refusal.status != 401:
                    raise as_error(refusal) from refusal
                log.info("an interaction token ended early", extra={"code": refusal.code})
            else:
                return replace(receipt, message=_id_of(answer, receipt.message))
        if not self.reaches(place):
            raise Forbidden("nothing of ours reaches this message any more")
        if receipt.message == ORIGINAL:
            raise Gone("the answer never came to be")
        # What waits for room in the channel's bucket keeps others from their place in the lanes: a clip may, an edit comes again.
        patience = UPLOAD_PATIENCE if files else EDIT_PATIENCE
        await self._call("PATCH", f"/channels/{place.chat}/messages/{receipt.message}", body, files, patience=patience)
        return receipt

    async def _change(self, receipt: Receipt, body: dict[str, Any], files: Sequence[Upload]) -> Receipt:
        """``_patch``; where its outcome is in doubt, a deadline's included, nobody knows any more what the message shows."""
        try:
            return await self._patch(receipt, body, files)
        except BaseException as error:
            if getattr(error, "was_done", WasDone.UNKNOWN) is WasDone.UNKNOWN:
                self._pace.unsure(receipt.message)
            raise

    async def _edit_original(self, token: Token, body: dict[str, Any], files: Sequence[Upload]) -> Any:
        for is_last in (False, True):
            try:
                return await self._try("PATCH", _original(token), body, files, as_bot=False)
            except Refusal as refusal:
                if is_last or refusal.code != NOT_YET:
                    raise
                await self._clock.sleep(NOT_YET_SECONDS)
        return None

    async def _post(self, place: Place, body: dict[str, Any], nonce: str, files: Sequence[Upload] = ()) -> Receipt:
        if self.reaches(place):
            try:
                return Receipt(place, await self._create(place.chat, body, nonce, files))
            except (Gone, Forbidden) as error:
                if place.details.get("dm"):
                    raise
                log.info("a channel is closed to us", extra={"code": error.facts.get("discord")})
        return await self._post_directly(place, body, nonce, files)

    async def _post_directly(self, place: Place, body: dict[str, Any], nonce: str, files: Sequence[Upload]) -> Receipt:
        """By direct message. Raises Forbidden where the person takes none from us."""
        user = place.details.get("user")
        if user is None:
            raise Forbidden("there is nobody to write to")
        channel = await self._call("POST", "/users/@me/channels", {"recipient_id": user})
        kept = {name: value for name, value in place.details.items() if name not in ("guild", "chat_subject")}
        there = replace(place, chat=str(channel["id"]), details={**kept, "member": True, "dm": True})
        there = replace(there, visibility="public", thread=None, upload_limit=None)
        return Receipt(there, await self._create(there.chat, body, nonce, files))

    async def _create(self, channel: str, body: dict[str, Any], nonce: str, files: Sequence[Upload]) -> str:
        sent = {"allowed_mentions": dict(NOBODY), **body, "nonce": nonce[-NONCE_MOST:], "enforce_nonce": True}
        answer = await self._call("POST", f"/channels/{channel}/messages", sent, files)
        return str(answer["id"])

    async def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        files: Sequence[Upload] = (),
        *,
        as_bot: bool = True,
        patience: float | None = None,
    ) -> Any:
        try:
            return await self._try(method, path, body, files, as_bot=as_bot, patience=patience)
        except Refusal as refusal:
            if (
                as_bot and refusal.status == 401
            ):  # the bot's own token: until the operator has put it right, nothing is decided
                raise Unreachable("the bot's token is refused", discord=refusal.code) from refusal
            raise as_error(refusal) from refusal

    async def _try(
        self,
        method: str,
        path: str,
        body: Any,
        files: Sequence[Upload],
        *,
        as_bot: bool,
        patience: float | None = None,
    ) -> Any:
        try:
            return await self._api.call(method, path, body, files=files, as_bot=as_bot, patience=patience)
        except NoAnswer as error:
            raise Unreachable(str(error), was_done=error.was_done) from error


def _nonce(kind: str, card: Card) -> str:
    """Of a message of its kind about this job: its first letter must not be cut off, or Discord takes two kinds for one message."""
    return f"{kind}{card.job_id[-(NONCE_MOST - 1) :]}"


def _id_of(answer: Any, known: str) -> str:
    """The id of the message that an edit returned."""
    found = answer.get("id") if isinstance(answer, dict) else None
    return str(found) if found else known


def _original(token: Token) -> str:
    return f"/webhooks/{token.application_id}/{token.token}/messages/@original"


def as_error(refusal: Refusal) -> PlatformError:
    """What a refusal means to the engine; Discord refused before it did anything."""
    no, code = WasDone.NO, refusal.code
    if refusal.status == 429:
        return PlatformBusy("too fast", was_done=no, retry_after=refusal.retry_after, discord=code)
    if refusal.status == 413 or code == TOO_LARGE:
        return TooLarge("more than this place takes", was_done=no, discord=code)
    if code in GONE or refusal.status == 404:
        return Gone("not there any more", was_done=no, discord=code)
    if refusal.status == 400:
        log.error("Discord did not understand us", extra={"code": code})
    return Forbidden(f"refused ({refusal})", was_done=no, discord=code)
