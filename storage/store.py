"""The store on SQLite: each method is one transaction, given to the writer as one plain function.

What a method does is written in its room (``intake``, ``jobs``, ``quota`` …); here is only the list, the clock and the defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.health import Health
from core.jobs import Actor, Attempt, CardRow, Clip, Delivery, InboxRow, Job, Order, Place, Receipt
from core.money import Period, Scope
from core.ports import Clock
from core.states import DeliveryState
from core.steps import AdmissionCaps, DefaultLimits, Step
from storage import (
    audit,
    chats,
    health,
    house,
    intake,
    jobs,
    kept_files,
    late,
    library,
    messages,
    moving,
    people,
    privacy,
    quota,
    templates,
    updates,
    views,
)
from storage.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
TIDY_ROWS = 200
"""Jobs, or rows of a kind, that one round of tidying removes: a few thousandths of a second."""
TIDY_ROUNDS = 5000
Tombstone = Callable[[str, str], str]
"""(platform, external id) → the keyed hash under which a forgotten person is still counted this month."""


class SqliteStore:
    """Everything durable but the files. Raises the errors of ``core.errors``; never holds a transaction over an await."""

    def __init__(self, database: Database, clock: Clock, defaults: DefaultLimits, tombstone: Tombstone) -> None:
        """``defaults``: configured limits where an operator set none."""
        self.database = database
        self._clock, self.defaults, self._tombstone = clock, defaults, tombstone
        self.now = clock.now
        self.channel_rules = chats.KeptRules(self._rules_of)

    # ------------------------------------------------------------------------------------------------------------------ intake

    async def receive(self, platform: str, update_id: str, payload: Mapping[str, Any]) -> InboxRow:
        """Keep a raw command durably; the same (platform, update id) again returns the first row."""
        now = self._clock.now()
        return await self.database.write(lambda c: intake.receive(c, platform, update_id, payload, now))

    async def accept(
        self, order: Order, *, most_waiting: int, most_running: int = 0, disk_is_low: bool = False
    ) -> tuple[Job, bool]:
        """Make hold, job and card in one transaction; returns (job, is new). Raises RequestError kinds, changing nothing."""
        now, actor = self._clock.now(), order.actor
        tombstone = self._tombstone(actor.platform, actor.external_id)
        return await self.database.write(
            lambda c: intake.accept(
                c,
                order,
                tombstone=tombstone,
                most_waiting=most_waiting,
                most_running=most_running,
                disk_is_low=disk_is_low,
                defaults=self.defaults,
                now=now,
            )
        )

    async def refuse(self, inbox_id: int, failure: Mapping[str, Any], more: Sequence[int] = ()) -> None:
        """Remember why a command was refused, which came in the rows of ``more``, too."""
        await self.database.write(lambda c: intake.refuse(c, inbox_id, failure, more))

    async def pending_inbox(self, most: int = 100) -> list[InboxRow]:
        """Commands that were received and not yet understood; no raw updates."""
        return await self.database.read(lambda c: intake.pending(c, most))

    async def keep_updates(self, platform: str, updates_: Sequence[updates.Update]) -> list[InboxRow]:
        """Keep (update id, payload) of raw updates in one transaction; returns those that are new."""
        now = self._clock.now()
        return await self.database.write(lambda c: updates.keep(c, platform, updates_, now), weight=16)

    async def raw_updates(self, platform: str, most: int = 500, after: int = 0) -> list[InboxRow]:
        """Raw updates that nobody has seen to, oldest first; ``after``: the row with which the last page ended."""
        return await self.database.read(lambda c: updates.unread(c, platform, most, after))

    async def handled(self, inbox_ids: Sequence[int]) -> None:
        """Raw updates that made no job are seen to; their text is erased."""
        await self.database.write(lambda c: updates.handled(c, inbox_ids))

    # -------------------------------------------------------------------------------------------------------------------- jobs

    async def job(self, job_id: str) -> Job:
        """The job's row. Raises NotFound."""
        return await self.database.read(lambda c: jobs.read(c, job_id))

    async def attempt(self, attempt_id: str) -> Attempt:
        """The attempt's row. Raises NotFound."""
        return await self.database.read(lambda c: jobs.attempt(c, attempt_id))

    async def apply(self, step: Step) -> Job:
        """Apply one step under compare-and-set. Raises StaleVersion, IllegalMove, NotFound."""
        now = self._clock.now()
        return await self.database.write(lambda c: jobs.apply(c, step, now))

    async def admit(self, caps: AdmissionCaps) -> list[tuple[Job, Attempt]]:
        """Move the fairest queued jobs to ``submitting``, each with its intent row."""
        now = self._clock.now()
        return await self.database.write(lambda c: jobs.admit(c, caps, now), weight=16)

    async def due(self, most: int, without: Collection[str] = ()) -> jobs.Due:
        """Jobs to look at now, when the next one after them is due, and whether a queue waits."""
        now = self._clock.now()
        return await self.database.read(lambda c: jobs.due(c, now, most, without))

    async def stuck(
        self, provider: str, since: int, after: tuple[float, int], most: int
    ) -> list[tuple[Job, tuple[float, int]]]:
        """Queued jobs that may go to another generator, with their places in the line."""
        return await self.database.read(lambda c: jobs.stuck(c, provider, since, after, most))

    async def is_untaken(self, job_id: str, but: str | None = None) -> bool:
        """Whether certainly no generator has taken anything of a job, ``but`` for one attempt."""
        return await self.database.read(lambda c: jobs.is_untaken(c, job_id, but))

    async def wake_without(self, providers: Collection[str]) -> int:
        """Make live jobs whose generator is none of ``providers`` due now; returns how many."""
        now = self._clock.now()
        return await self.database.write(lambda c: jobs.wake_without(c, providers, now))

    async def providers_in_use(self) -> set[str]:
        """The generators of live jobs."""
        return await self.database.read(jobs.providers_in_use)

    async def wish(self, job_id: str, what: str) -> Job:
        """Record that the person wants to cancel or stop waiting."""
        now = self._clock.now()
        return await self.database.write(lambda c: jobs.wish(c, job_id, what, now))

    async def look_soon(self, job_id: str) -> None:
        """Make a live job due now."""
        now = self._clock.now()
        await self.database.write(lambda c: jobs.look_soon(c, job_id, now))

    async def job_of_attempt(self, attempt_id: str) -> str | None:
        """The job an attempt belongs to."""
        return await self.database.read(lambda c: jobs.job_of_attempt(c, attempt_id))

    async def watch(self, attempt_id: str) -> late.Watch | None:
        """The watch over an attempt whose job was given up; None when it is not watched."""
        return await self.database.read(lambda c: late.watch(c, attempt_id))

    async def watch_found(self, attempt_id: str, ticket: Mapping[str, Any]) -> None:
        """Keep the ticket of a watched attempt whose submit's answer had been lost."""
        now = self._clock.now()
        await self.database.write(lambda c: late.found(c, attempt_id, ticket, now))

    async def look_later(self, attempt_id: str, at: int, tries: int) -> None:
        """Look at a watched attempt again at ``at`` (UTC ms)."""
        await self.database.write(lambda c: late.look_later(c, attempt_id, at, tries))

    async def end_watch(self, attempt_id: str) -> None:
        """Watch an attempt no longer."""
        await self.database.write(lambda c: late.end(c, attempt_id))

    async def join_late_clip(self, attempt_id: str, clip: Clip, true_cost: int) -> Job:
        """Give a clip that came late to its failed job. Raises NotFound when the job was deleted meanwhile."""
        now = self._clock.now()
        return await self.database.write(lambda c: late.join(c, attempt_id, clip, true_cost, now))

    # -------------------------------------------------------------------------------------------------------------------- views

    async def view(self, job_id: str, account_id: str | None = None) -> views.JobRow:
        """A job with its clip and place in the line; of one account only when given. Raises NotFound."""
        return await self.database.read(lambda c: views.one(c, job_id, account_id))

    async def history(self, account_id: str, **filters: Any) -> list[views.JobRow]:
        """The account's jobs, newest first; filters as ``views.history``."""
        return await self.database.read(lambda c: views.history(c, account_id, **filters))

    async def variations(self, job_id: str) -> list[str]:
        """The job and the further clips that were ordered with it."""
        return await self.database.read(lambda c: views.variations(c, job_id))

    async def gone_since(self, account_id: str, after: int, most: int = 200) -> list[str]:
        """Jobs that were deleted after ``after`` (UTC ms), for a page that was away meanwhile."""
        return await self.database.read(lambda c: views.gone_since(c, account_id, after, most))

    async def usual_seconds(self, provider: str, model: str, seconds: int, resolution: str) -> float | None:
        """Median time of recent attempts; None when never seen."""
        return await self.database.read(lambda c: views.usual_seconds(c, provider, model, seconds, resolution))

    async def account(self, account_id: str, subject: str | None = None) -> views.AccountView:
        """Allowances, grants, counts and settings of an account. Raises NotFound."""
        now = self._clock.now()
        return await self.database.read(
            lambda c: views.account(c, account_id, subject or account_id, self.defaults, now)
        )

    # ------------------------------------------------------------------------------------------------------------ cards, deliveries

    async def cards_of_job(self, job_id: str) -> list[CardRow]:
        """The job's open cards."""
        return await self.database.read(lambda c: messages.cards_of_job(c, job_id))

    async def open_cards(self, after: int, most: int) -> list[tuple[int, str]]:
        """(card, job) of open cards, by id."""
        return await self.database.read(lambda c: messages.open_cards(c, after, most))

    async def card_shown(
        self, card_id: int, *, receipt: Receipt | None, digest: str, next_edit_at: int, final: int | None = None
    ) -> bool:
        """Record what a card shows. ``final``: the version of the job of which these are the last news; returns whether they still are."""
        return await self.database.write(
            lambda c: messages.shown(c, card_id, receipt=receipt, digest=digest, next_edit_at=next_edit_at, final=final)
        )

    async def card_failed(self, card_id: int, next_edit_at: int, *, closed: bool) -> None:
        """Record that an edit did not go through."""
        await self.database.write(lambda c: messages.card_failed(c, card_id, next_edit_at, closed=closed))

    async def card_lost(self, card_id: int) -> None:
        """Somebody deleted the card's message."""
        await self.database.write(lambda c: messages.card_lost(c, card_id))

    async def drop_credentials(self) -> int:
        """Erase the credentials of messages that can no longer be edited; returns how many."""
        now = self._clock.now()
        return await self.database.write(lambda c: messages.drop_credentials(c, now), weight=16)

    async def acknowledged(self, job_id: str, receipt: Receipt) -> None:
        """Record the message that answered the command."""
        await self.database.write(lambda c: messages.acknowledged(c, job_id, receipt))

    async def renewed(self, job_id: str, receipt: Receipt) -> None:
        """Record another way to the message that shows a job."""
        await self.database.write(lambda c: messages.renewed(c, job_id, receipt))

    async def cards_to_refresh(self, platforms: Mapping[str, float], most: int) -> list[str]:
        """Jobs whose running cards have shown the same for a platform's refresh seconds."""
        now = self._clock.now()
        return await self.database.read(lambda c: messages.to_refresh(c, platforms, now, most))

    async def reopen_cards(self, job_id: str) -> None:
        """Open a job's cards for one more edit."""
        await self.database.write(lambda c: messages.reopen_cards(c, job_id))

    async def due_deliveries(self, most: int, without: Collection[str] = ()) -> tuple[list[Delivery], int | None]:
        """Deliveries and notices to try now, but for the platforms of ``without``; and when the next one after them is due."""
        now = self._clock.now()
        return await self.database.read(lambda c: messages.due_deliveries(c, now, most, without))

    async def move_delivery(self, delivery_id: int, to: DeliveryState, **columns: Any) -> Delivery:
        """Move a delivery or a notice; columns and notify_after_ms, untried: see ``messages.move_delivery``."""
        now = self._clock.now()
        return await self.database.write(lambda c: messages.move_delivery(c, delivery_id, to, now=now, **columns))

    async def receipts_of_job(self, job_id: str) -> list[Receipt]:
        """Every message that shows or showed the job."""
        return await self.database.read(lambda c: messages.receipts_of_job(c, job_id))

    async def deliveries_of_job(self, job_id: str) -> list[Delivery]:
        """Every delivery of a job."""
        return await self.database.read(lambda c: messages.deliveries_of_job(c, job_id))

    async def lane_work(self, job_id: str) -> messages.LaneWork:
        """The job's open cards, deliveries and notices, read at one moment."""
        return await self.database.read(lambda c: messages.work_of_job(c, job_id))

    async def postpone_delivery(self, delivery_id: int, due_at: int, error_code: str) -> None:
        """Look at a pending delivery or notice later: nothing was tried."""
        await self.database.write(lambda c: messages.postpone(c, delivery_id, due_at, error_code))

    async def add_delivery(
        self,
        job_id: str,
        clip_id: str,
        place: Place,
        receipt: Receipt | None = None,
        due_at: int | None = None,
        handled: Sequence[int] = (),
    ) -> int:
        """Order one more delivery (``resend``), to be looked at when ``due_at`` has come; returns its id.

        ``handled``: rows of raw updates that asked for it, and are done by it.
        """
        now = self._clock.now()

        def work(connection: Any) -> int:
            updates.handled(connection, handled)
            return messages.add_delivery(connection, job_id, clip_id, place, now, receipt, due_at)

        return await self.database.write(work)

    async def delivery_answered(self, delivery_id: int, receipt: Receipt) -> None:
        """The message that this delivery is to become stands: it is due now."""
        now = self._clock.now()
        await self.database.write(lambda c: messages.delivery_answered(c, delivery_id, receipt, now))

    # ---------------------------------------------------------------------------------------------------------------------- files

    async def clip(self, clip_id: str) -> Clip:
        """A kept clip. Raises NotFound."""
        return await self.database.read(lambda c: library.clip(c, clip_id))

    async def own_clip(self, clip_id: str, account_id: str) -> Clip:
        """The account's own clip; somebody else's is NotFound."""
        return await self.database.read(lambda c: library.own_clip(c, clip_id, account_id))

    async def set_favourite(self, account_id: str, clip_id: str, *, on: bool) -> None:
        """Star or unstar. Raises NotFound."""
        now = self._clock.now()
        await self.database.write(lambda c: library.set_favourite(c, account_id, clip_id, on=on, now=now))

    async def remember_file(self, platform: str, owner: str, clip_id: str, variant: str, file_id: str) -> None:
        """Keep a platform's handle for a clip (``original`` or ``smaller``), which only its bot ``owner`` can use."""
        await self.database.write(lambda c: kept_files.remember(c, platform, owner, clip_id, variant, file_id))

    async def known_file(self, platform: str, owner: str, clip_id: str, variant: str) -> str | None:
        """Such a handle, or None."""
        return await self.database.read(lambda c: kept_files.known(c, platform, owner, clip_id, variant))

    async def forget_file(self, platform: str, owner: str, clip_id: str, variant: str) -> None:
        """A handle is good no longer."""
        await self.database.write(lambda c: kept_files.forget(c, platform, owner, clip_id, variant))

    async def shared_clips(
        self, platform: str, owner: str, account_id: str, words: str, most: int, before: str | None = None
    ) -> list[tuple[views.JobRow, str]]:
        """The account's clips whose handle is known and whose prompt has all ``words``, newest first."""
        return await self.database.read(
            lambda c: kept_files.shared(c, platform, owner, account_id, words=words, most=most, before=before)
        )

    async def delete_job(self, job_id: str) -> list[str]:
        """Erase an ended job but its money; returns keys of files to delete."""
        now = self._clock.now()
        return await self.database.write(lambda c: library.delete_job(c, job_id, now))

    async def expire_files(self, before: int, most: int = 100) -> list[str]:
        """Erase rows of files past retention; returns keys of files to delete."""
        return await self.database.write(lambda c: library.expired(c, before, most), weight=8)

    async def expire_jobs(self, before: int, most: int = 100) -> tuple[int, list[str]]:
        """Erase the words of old jobs; returns (jobs, keys of files to delete)."""
        now = self._clock.now()
        return await self.database.write(lambda c: library.expired_jobs(c, before, most, now), weight=16)

    async def attempts_in_use(self) -> set[str]:
        """Attempts whose result somebody may still fetch."""
        return await self.database.read(late.attempts_in_use)

    async def keys_in_use(self) -> set[str]:
        """Keys that rows speak of."""
        return await self.database.read(library.keys_in_use)

    # --------------------------------------------------------------------------------------------------------------------- people

    async def open_account(self, platform: str, external_id: str) -> str:
        """The account of whom a platform calls ``external_id``, made now when never seen."""
        now, tombstone = self._clock.now(), self._tombstone(platform, external_id)
        return (await self.database.write(lambda c: people.open_account(c, platform, external_id, tombstone, now)))[1]

    async def find_account(self, platform: str, external_id: str) -> str | None:
        """The account, or None when never seen."""
        known = await self.database.read(lambda c: people.account_of(c, platform, external_id))
        return None if known is None else known[1]

    async def is_named(self, platform: str, external_id: str) -> bool:
        """Whether anything that is kept names them, also without an account."""
        return await self.database.read(lambda c: privacy.is_named(c, platform, external_id))

    async def is_account(self, account_id: str) -> bool:
        """Whether the account exists and was not forgotten."""
        sql = "SELECT 1 FROM accounts WHERE id = ? AND forgotten_at IS NULL"
        return await self.database.read(lambda c: c.execute(sql, (account_id,)).fetchone() is not None)

    async def actor_of(self, account_id: str) -> Actor | None:
        """The first identity of an account as an actor, or None."""
        known = await self.database.read(lambda c: privacy.identities(c, account_id))
        return Actor(known[0][1], known[0][2]) if known else None

    async def set_settings(self, account_id: str, changes: dict[str, Any]) -> None:
        """Set the account's settings; None forgets a key."""
        await self.database.write(lambda c: people.set_settings(c, account_id, changes))

    async def set_blocked(self, account_id: str, *, blocked: bool) -> None:
        """Block or unblock. Raises NotFound."""
        at = self._clock.now() if blocked else None
        await self.database.write(lambda c: people.set_blocked(c, account_id, at))

    async def add_token(self, token_hash: str, kind: str, account_id: str, expires_at: int | None) -> None:
        """Keep the hash of a token."""
        now = self._clock.now()
        await self.database.write(lambda c: people.add_token(c, token_hash, kind, account_id, expires_at, now))

    async def account_of_token(self, token_hash: str) -> str | None:
        """The account of a live API token."""
        now = self._clock.now()
        return await self.database.read(lambda c: people.account_of_token(c, token_hash, "api", now))

    async def use_signin(self, token_hash: str) -> str | None:
        """The account of a sign-in link, which is used up by this."""
        now = self._clock.now()
        return await self.database.write(lambda c: people.use_signin(c, token_hash, now))

    async def live_jobs(self, account_id: str) -> list[str]:
        """Ids of the account's jobs that have not ended."""
        return await self.database.read(lambda c: privacy.live_jobs(c, account_id))

    async def forget(self, account_id: str) -> tuple[list[str], int, int]:
        """Erase everything of an account but its ledger lines; returns (keys of files, jobs, clips). Jobs must have ended."""
        now = self._clock.now()
        known = await self.database.read(lambda c: privacy.identities(c, account_id))
        tombstones = {identity: self._tombstone(platform, external) for identity, platform, external in known}
        return await self.database.write(lambda c: privacy.forget(c, account_id, tombstones, now), weight=64)

    async def traces_left(self) -> dict[str, int]:
        """Whom ``forget`` erased, and when, without that the database file was rewritten since."""
        return await self.database.read(privacy.traces_left)

    async def traces_erased(self, of: dict[str, int]) -> None:
        """The file was rewritten after ``traces_left`` returned this."""
        await self.database.write(lambda c: privacy.traces_erased(c, of))

    async def export(self, account_id: str) -> dict[str, Any]:
        """Everything that is kept about an account, in plain JSON."""
        return await self.database.read_long(lambda c: privacy.export(c, account_id))

    # ---------------------------------------------------------------------------------------------------------------------- money

    async def grant(self, account_id: str, credits: int, note: str) -> int:
        """Give credits that outlast every window; returns the balance."""
        now = self._clock.now()
        return await self.database.write(lambda c: quota.grant(c, account_id, credits, note, now))

    async def set_limit(
        self, scope: Scope, subject: str, period: Period, amount: int | None, *, unset: bool = False
    ) -> None:
        """Set an operator's own limit; None means unlimited."""
        await self.database.write(lambda c: quota.set_limit(c, scope, subject, period, amount, unset=unset))

    async def allowances(self, subjects: Sequence[tuple[Scope, str]]) -> list[Any]:
        """Current allowances of the subjects."""
        now = self._clock.now()
        return await self.database.read(lambda c: quota.allowances(c, subjects, self.defaults, now))

    async def audit_sums(self) -> list[str]:
        """Differences between cached sums and the ledger; none when exact."""
        return await self.database.read_long(audit.audit_sums)

    # ------------------------------------------------------------------------------------------------------------------- templates

    async def templates(self, account_id: str) -> dict[str, str]:
        """Somebody's own templates, by name."""
        return await self.database.read(lambda c: templates.own(c, account_id))

    async def save_template(self, account_id: str, name: str, text: str) -> None:
        """Keep a template under a name. Raises Conflict when there are too many."""
        now = self._clock.now()
        await self.database.write(lambda c: templates.save(c, account_id, name, text, now))

    async def drop_template(self, account_id: str, name: str) -> None:
        """Forget one. Raises NotFound."""
        await self.database.write(lambda c: templates.drop(c, account_id, name))

    # ----------------------------------------------------------------------------------------------------------------------- chats

    async def chat_allowed(self, platform: str, guild: str, channels: Sequence[str]) -> bool:
        """Whether clips may be made in the first of ``channels``."""
        return chats.is_allowed(await self.channel_rules.of(platform, guild), channels)

    async def _rules_of(self, platform: str, guild: str) -> chats.Rules:
        return await self.database.read(lambda c: chats.rules_of(c, platform, guild))

    async def posted(
        self, chat: str, most: int, before: str | None = None, *, with_nsfw: bool = False
    ) -> list[views.JobRow]:
        """Clips that were made publicly in a chat, newest first."""
        return await self.database.read(lambda c: chats.posted(c, chat, most, before, with_nsfw=with_nsfw))

    async def remember(self, platform: str, name: str, value: str) -> None:
        """Keep a note of a platform adapter's own."""
        await self.database.write(lambda c: chats.remember(c, platform, name, value))

    async def remembered(self, platform: str, name: str) -> str | None:
        """Such a note, or None."""
        return await self.database.read(lambda c: chats.remembered(c, platform, name))

    async def chat_moved(self, platform: str, old: str, new: str) -> None:
        """A chat has another id from now on: its places, allowances, limits and rules follow, its messages are lost."""
        now, move = self._clock.now(), moving.Move(platform, old, new)
        found = await self.database.read_long(lambda c: moving.find(c, move, now))
        await self.database.write(lambda c: moving.move_chat(c, move, now, found), weight=64)
        for guild in (old, new):
            self.channel_rules.forget(platform, guild)

    async def chat_figures(self, chat: str) -> tuple[int, int]:
        """(clips posted in a chat, credits charged for them)."""
        return await self.database.read(lambda c: chats.figures(c, chat))

    # ----------------------------------------------------------------------------------------------------------- health of generators

    async def look(self) -> health.Look:
        """How every generator stands, and the operator's choice of the default one."""
        now = self._clock.now()
        return await self.database.read(lambda c: health.look(c, now))

    async def change_health(self, provider: str, work: Callable[[Health], Health]) -> tuple[Health, Health]:
        """Change a generator's health by a pure function; returns it before and after."""
        return await self.database.write(lambda c: health.change(c, provider, work))

    async def limit(self, provider: str, seconds: float | None, code: str, spread: float) -> int:
        """Note a generator's rate limit, which pauses it for everybody; returns until when."""
        now = self._clock.now()
        return await self.database.write(lambda c: health.limit(c, provider, seconds, code, now, spread))

    async def figures_of(self, providers: Collection[str]) -> dict[str, health.Figures]:
        """What an operator is shown of generators: what runs and waits, recent outcomes, today's cost."""
        now = self._clock.now()
        return await self.database.read_long(lambda c: health.figures(c, providers, now))

    # ------------------------------------------------------------------------------------------------------------------- operation

    async def pause(self, provider: str, until: int | None, reason: str) -> None:
        """Pause a generator, or intake with ``*``."""
        now = self._clock.now()
        await self.database.write(lambda c: house.pause(c, provider, until, reason, now))

    async def resume(self, provider: str) -> bool:
        """End a pause; whether there was one."""
        return await self.database.write(lambda c: house.resume(c, provider))

    async def pauses(self) -> list[house.Pause]:
        """Pauses that hold now."""
        now = self._clock.now()
        return await self.database.read(lambda c: house.pauses(c, now))

    async def raise_alert(self, cause: str, text: str) -> bool:
        """Record an alert; True the first time."""
        now = self._clock.now()
        return await self.database.write(lambda c: house.raise_alert(c, cause, text, now))

    async def clear_alert(self, cause: str) -> bool:
        """The cause is gone."""
        return await self.database.write(lambda c: house.clear_alert(c, cause))

    async def alerts(self) -> list[tuple[str, int, str]]:
        """(cause, since, text) of what is wrong now."""
        return await self.database.read(house.alerts)

    async def audit(self, actor: str, verb: str, details: dict[str, Any]) -> None:
        """Write down what an operator did."""
        now = self._clock.now()
        await self.database.write(lambda c: house.audit(c, actor, verb, details, now))

    async def counts(self) -> dict[str, dict[str, int]]:
        """Figures for the metrics."""
        return await self.database.read(house.counts)

    async def tidy(self, *, keep_ms: int, month_start: int) -> int:
        """Remove old rows that nothing needs; returns how many. Ends with last month's tombstones.

        In rounds of a few rows, each a transaction of its own: whoever orders meanwhile waits for one of them at most.
        """
        day, now, removed, after = 86_400_000, self._clock.now(), 0, 0
        for _ in range(TIDY_ROUNDS):

            def work(connection: Any, after: int = after) -> house.Tidied:
                return house.tidy(
                    connection,
                    inbox_before=now - 7 * day,
                    events_before=now - keep_ms,
                    tokens_before=now - day,
                    most=TIDY_ROWS,
                    after_inbox_id=after,
                )

            done = await self.database.write(work, weight=64)
            removed, after = removed + done.removed, done.inbox_id
            if not done.more:
                break
        return removed + await self.database.write(lambda c: privacy.drop_tombstones(c, month_start), weight=64)
