"""From a command to a job in two durable steps: receive the raw text, then accept, price and hold."""

from __future__ import annotations

import hashlib
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from bot.engine.beginnings import Beginning, Beginnings
from bot.engine.film_orders import NOTHING, FilmOrders
from bot.engine.parts import Parts
from bot.engine.templates import Templates
from core.attachments import Attachment
from core.capabilities import Applied, Change, choices_of, fit
from core.errors import BadOption, ReelayError, RequestError, Unsupported
from core.fields import read_flag, read_whole
from core.jobs import MOST_VARIATIONS, Actor, InboxRow, Job, JobKind, Order, Place, Receipt, sibling_key
from core.ports import Provider
from core.requests import Choices, Wanted, parse_label, parse_wanted
from core.routing import Kind, is_made_for, kind_of, preference
from providers.registry import ALIASES

log = logging.getLogger("reelay.intake")
SEEDS: Final = 2**31
STALE_MS: Final = 15 * 60_000
"""A command that waited longer than this for a restart is not carried out any more: nobody expects it."""
PERSONAL: Final = {
    "aspect_ratio": "aspect_ratio",
    "resolution": "resolution",
    "duration": "seconds",
    "provider": "provider",
    "generate_audio": "audio",
}
"""Settings of an account that stand in for fields which were not given, and the attribute each becomes."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """Who is in a clip, by a picture of their own. A stand-in draws from words, so it is told those from which a picture was painted."""

    description: str
    """Those words; empty for a picture that nobody painted here."""
    look: int
    """The same for all clips with the same picture."""


class Offer:
    """What would be made of a wish: the generator, the applied values, what had to change, and the price."""

    def __init__(self, provider: Provider, wanted: Wanted, applied: Applied, changed: list[Change]) -> None:
        """``price`` follows from the generator's list, or from the flat price of all clips."""
        self.provider, self.wanted, self.applied, self.changed = provider, wanted, applied, tuple(changed)
        self.session_id: str | None = None
        self.origin_id: str | None = None
        self.goes_on: Attachment | None = None
        """Where the clip begins, when it goes on from another one."""


class Intake:
    """Takes commands from every surface; the same words and the same money on all of them."""

    def __init__(self, parts: Parts, on_job: Callable[[Job], None], flat_price: int | None) -> None:
        """``on_job`` is told of each new job after its commit; ``flat_price`` in credits wins over the price lists."""
        self._parts, self._on_job, self.flat_price = parts, on_job, flat_price
        self._beginnings = Beginnings(parts)
        self.films = FilmOrders(parts, self)
        self.templates = Templates(parts)
        self.paused_for_disk = False
        self._seeds = random.Random()  # noqa: S311 - a seed is shown on the card, it is no secret

    async def take(
        self,
        platform: str,
        update_id: str,
        payload: Mapping[str, Any],
        received: Callable[[], Awaitable[None]] | None = None,
    ) -> tuple[Job, bool]:
        """Make the command durable, then its job; returns (job, is new).

        ``payload``: actor, place, fields and optionally kind, attachment, song, receipt, dedupe_key, more_inbox_ids. ``received`` is
        awaited between the two steps: from there on the command may be acknowledged. Raises RequestError kinds; a command that was refused
        before is refused again with the same words.
        """
        row = await self._parts.store.receive(platform, update_id, payload)
        self._parts.reach("received")
        if received is not None:
            await received()
        if row.state == "refused" and row.failure is not None:
            raise _refused(row.failure)
        if row.state == "accepted" and row.job_id is not None:
            return await self._parts.store.job(row.job_id), False
        return await self.accept(row)

    async def accept(self, row: InboxRow, *, ends_refused: bool = True) -> tuple[Job, bool]:
        """The second step; also run at start for whatever was received and not yet understood.

        Without ``ends_refused`` a refused command stays pending: the caller tells its person first and ends it then, so that no crash
        keeps the "no" from them.
        """
        payload = row.payload
        try:
            order = await self._order(payload, row)
            job, is_new = await self._parts.store.accept(
                order,
                most_waiting=self._parts.caps.waiting_per_person,
                most_running=self._parts.caps.running_per_person,
                disk_is_low=self.paused_for_disk,
            )
        except ReelayError as error:
            # Whoever is told "no" must not get a job later on, so also a fault of ours ends this command where it still can.
            if ends_refused:
                failure = {"code": error.code, "message_id": error.message_id, "values": error.values}
                await self._parts.store.refuse(row.id, failure, _more(payload))
            self._parts.reach("refused")
            raise
        self._parts.reach("accepted")
        if is_new:
            log.info("accepted", extra={"job": job.id, "provider": job.applied.provider, "price": job.price})
            self._on_job(job)
        return job, is_new

    async def accept_leftovers(self) -> int:
        """Accept what a crash left received; returns how many jobs came of it."""
        made = 0
        for _ in range(100):  # 100 rows each; more than any intake can have left behind
            rows = await self._parts.store.pending_inbox(100)
            if not rows:
                break
            for row in rows:
                if self._parts.clock.now() - row.received_at > STALE_MS:
                    gone = {"code": "TIMEOUT", "message_id": "error.too_late", "values": {}}
                    await self._parts.store.refuse(row.id, gone)
                    continue
                try:
                    await self.accept(row)
                    made += 1
                except ReelayError as error:
                    log.info("a command from before the restart was refused", extra={"code": error.code})
                except Exception as error:  # noqa: BLE001 - one row that nobody can read must not keep the others waiting
                    log.error("a command from before the restart is unreadable", extra={"error": type(error).__name__})
                    broken = {"code": "INTERNAL", "message_id": "error.internal", "values": {}}
                    await self._parts.store.refuse(row.id, broken)
        return made

    async def offer(
        self,
        fields: Mapping[str, Any],
        *,
        with_picture: bool,
        pictures: int = 1,
        last_frame: bool = False,
        settings: Mapping[str, Any] | None = None,
        account_id: str | None = None,
    ) -> tuple[Offer, int]:
        """Return what a command with these fields would make, and its price in credits; nothing is held or kept.

        ``with_picture``: ``pictures`` of its own would come with it; ``last_frame``: and one with which the clip ends. Raises what the
        command would raise for its fields.
        """
        parse_label(fields.get("idempotency_key"), "idempotency_key")
        attached = pictures if with_picture else 0
        offer = await self._read(fields, settings or {}, account_id, attached=attached, last_frame=last_frame)
        return offer, self.price(offer)

    async def _read(
        self,
        fields: Mapping[str, Any],
        settings: Mapping[str, Any],
        account_id: str | None,
        *,
        attached: int,
        last_frame: bool = False,
        recurring: Recurring | None = None,
        language: str = "en",
    ) -> Offer:
        """Every field of an order, for the order and for its estimate. ``attached``: its own pictures, apart from a last one;
        ``recurring``: what the only one shows. Raises RequestError kinds.
        """
        _count(fields)
        fields = await self.templates.applied(fields, account_id, language)
        begins = await self._beginnings.find(fields, account_id, attached=attached > 0 or last_frame)
        offer = self._fit(fields, settings, begins, pictures=attached, last_frame=last_frame, recurring=recurring)
        offer.session_id = parse_label(fields.get("session_id"), "session_id")
        offer.origin_id = parse_label(fields.get("parent_id"), "parent_id") or begins.origin_id
        return offer

    @cached_property
    def _choices(self) -> Choices:
        """Every value that some configured generator can do; the generators are fixed while the process runs."""
        providers = self._parts.providers
        aliases = [alias for alias, names in ALIASES.items() if any(name in providers for name in names)]
        return choices_of((p.capabilities for p in providers.values()), aliases)

    def _fit(
        self,
        fields: Mapping[str, Any],
        settings: Mapping[str, Any],
        begins: Beginning,
        *,
        pictures: int,
        last_frame: bool,
        recurring: Recurring | None = None,
    ) -> Offer:
        providers = self._parts.providers
        fields, unsaid = begins.fields(fields, providers)
        wanted = self.wanted(
            fields,
            settings,
            unsaid,
            pictures=pictures or begins.pictures,
            last_frame=last_frame or begins.ends_with_picture,
        )
        provider = self.provider(wanted)
        can = provider.capabilities.of_model(wanted.model)
        natively = begins.goes_on_natively(can)
        if natively:
            wanted = replace(wanted, pictures=0)
        in_words = recurring is not None and can.stand_in and bool(recurring.description)
        takes_it = recurring is not None and can.reference_images > 0
        if in_words or takes_it:
            wanted = replace(wanted, pictures=0)
        seed = self.new_seed()
        applied, changed = fit(wanted, provider.capabilities, seed=seed, goes_on=natively, with_reference=takes_it)
        if recurring is not None and (in_words or takes_it):
            applied = replace(applied, character=recurring.description, look=recurring.look)
        offer = Offer(provider, wanted, begins.applied(applied, can), changed)
        offer.goes_on = begins.attachment(can)
        return offer

    def new_seed(self) -> int:
        """A seed where the person gave none."""
        return self._seeds.randrange(SEEDS)

    def wanted(
        self,
        fields: Mapping[str, Any],
        settings: Mapping[str, Any],
        unsaid: frozenset[str] = frozenset(),
        *,
        pictures: int = 0,
        last_frame: bool = False,
    ) -> Wanted:
        """A wish as its fields say it, and where they do not, as the person has set it. ``unsaid``: fields that are none of theirs.

        Raises BadOption.
        """
        providers = self._parts.providers
        personal = {key: settings[key] for key in PERSONAL if key in settings and fields.get(key) in (None, "")}
        if personal.get("provider") not in providers:
            personal.pop("provider", None)
        wanted = parse_wanted(
            {**fields, **personal},
            self._choices,
            pictures=pictures,
            last_frame=last_frame,
        )
        if personal or unsaid:
            wanted = replace(wanted, explicit=wanted.explicit - {PERSONAL[key] for key in personal} - unsaid)
        return wanted

    def provider(self, wanted: Wanted) -> Provider:
        """The named one; else the default one, or the best of those that make this kind of clip where it makes none of that kind."""
        providers = self._parts.providers
        name = wanted.provider or self._parts.default_provider
        found = next((providers[real] for real in (name, *ALIASES.get(name, ())) if real in providers), None)
        if found is None:
            raise Unsupported(
                "no such generator",
                values={"field": "provider", "wrote": name, "legal": " or ".join(providers), "generator": "Reelay"},
            )
        kind = kind_of(wanted)
        if "provider" in wanted.explicit or wanted.model is not None or is_made_for(kind, found.capabilities):
            return found
        if kind is Kind.REFERENCES and is_made_for(Kind.PICTURE, found.capabilities):
            return found  # it uses the first picture and says so: another one is never taken for the others' sake
        able = preference(kind, (each.capabilities for each in providers.values()), found.name)
        return next((providers[can.name] for can in able if is_made_for(kind, can)), found)

    def price(self, offer: Offer) -> int:
        """What a clip costs in credits: the flat price of all clips, else as its generator reckons."""
        return self.flat_price if self.flat_price is not None else offer.provider.estimate(offer.applied).credits

    async def _order(self, payload: Mapping[str, Any], row: InboxRow) -> Order:
        kind = JobKind(payload.get("kind", JobKind.CLIP))
        base = self._base(payload, row)
        if kind is JobKind.FILM:
            return await self.films.order(payload, base, row.settings, row.account_id)
        if kind is not JobKind.CLIP:
            return await self.films.other(kind, payload["fields"], base, row.account_id)
        return await self._clip(payload["fields"], base, row)

    def _base(self, payload: Mapping[str, Any], row: InboxRow) -> Order:
        """What every order has."""
        fields: Mapping[str, Any] = payload["fields"]
        actor = Actor(**{**payload["actor"], "roles": tuple(payload["actor"].get("roles", ()))})
        receipt = payload.get("receipt")
        return Order(
            actor=actor,
            place=Place.from_json(payload["place"]),
            wanted=Wanted(),
            applied=NOTHING,
            changed=(),
            price=0,
            dedupe_key=parse_label(payload.get("dedupe_key"), "idempotency_key") or row.update_id,
            dedupe_hash=_hash(fields, payload.get("picture_sha256"), JobKind(payload.get("kind", JobKind.CLIP))),
            attachment=None if payload.get("attachment") is None else Attachment.from_json(payload["attachment"]),
            inbox_id=row.id,
            more_inbox_ids=_more(payload),
            receipt=None if receipt is None else Receipt.from_json(receipt),
            answers=bool(payload.get("answers")),
            unit=payload.get("unit"),
        )

    async def _clip(self, fields: Mapping[str, Any], base: Order, row: InboxRow) -> Order:
        attached, last_frame = _counted(base.attachment)
        recurring = None
        if base.attachment is not None and base.attachment.recurs:
            sha256 = str(row.payload.get("picture_sha256"))
            recurring = Recurring(await self._parts.films.portrayed(row.account_id, sha256), int(sha256[:7], 16))
        offer = await self._read(
            fields,
            row.settings,
            row.account_id,
            attached=attached,
            last_frame=last_frame,
            recurring=recurring,
            language=base.place.language,
        )
        order = replace(
            base,
            wanted=offer.wanted,
            applied=offer.applied,
            changed=offer.changed,
            price=self.price(offer),
            provider_named=offer.wanted.provider is not None and "provider" in offer.wanted.explicit,
            session_id=offer.session_id,
            origin_id=offer.origin_id,
            attachment=base.attachment or offer.goes_on,
            flat_price=self.flat_price is not None,
        )
        # A generator that goes on from the clip itself gives both in one anyway.
        if read_flag(fields.get("join"), "join") and offer.goes_on is not None:
            return self.films.joined(order, str(fields["extend_of"]))
        return replace(order, siblings=self._variations(order, _count(fields)))

    def _variations(self, order: Order, count: int) -> tuple[Order, ...]:
        """The further ones of ``count`` clips of one wish, each with a seed of its own."""
        given = order.wanted.seed
        return tuple(
            replace(
                order,
                applied=replace(order.applied, seed=self.new_seed() if given is None else (given + number) % SEEDS),
                wanted=order.wanted if given is None else replace(order.wanted, seed=(given + number) % SEEDS),
                dedupe_key=sibling_key(order.dedupe_key, number),
                inbox_id=None,
                more_inbox_ids=(),
                receipt=None,
                answers=False,
            )
            for number in range(1, count)
        )


def _count(fields: Mapping[str, Any]) -> int:
    """How many clips are wanted. Raises BadOption, also for a join of nothing or of several."""
    count = read_whole(fields.get("variations"), "variations", 1, MOST_VARIATIONS, 1)
    if read_flag(fields.get("join"), "join"):
        if fields.get("extend_of") in (None, ""):
            raise BadOption("join", fields["join"], "true with extend_of, else false")
        if count > 1:
            raise BadOption("variations", fields["variations"], "1 with join")
    return count


def _counted(attachment: Attachment | None) -> tuple[int, bool]:
    """(pictures apart from a last one, whether the clip is to end with one)."""
    if attachment is None:
        return 0, False
    last = attachment.pictures[-1].is_last
    return len(attachment.pictures) - int(last), last


def _more(payload: Mapping[str, Any]) -> tuple[int, ...]:
    """Further rows of the inbox in which the command came."""
    return tuple(payload.get("more_inbox_ids", ()))


def _hash(fields: Mapping[str, Any], picture: str | None, kind: JobKind) -> str:
    """What makes two requests the same one: every field but the key itself, the picture's bytes, and what is ordered."""
    said = {name: value for name, value in sorted(fields.items()) if name != "idempotency_key"}
    whole = (
        [said, picture] if kind is JobKind.CLIP else [said, picture, kind.value]
    )  # clips as before there were others
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


def _refused(failure: Mapping[str, Any]) -> ReelayError:
    error = RequestError("refused before", message_id=failure["message_id"], values=dict(failure["values"]))
    vars(error)["code"] = failure["code"]
    return error
