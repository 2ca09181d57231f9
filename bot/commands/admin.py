"""The operator's verbs: what each does, apart from how it was asked (socket, command line, later a chat).

Each takes plain JSON and returns plain JSON; times are ISO 8601. Every change is in the audit trail under ``actor``.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from bot.commands import clips
from bot.commands.admin_args import MOST_CREDITS, Args, Result, amount_of, one_of, text, whole
from bot.commands.admin_generators import GeneratorVerbs
from bot.engine.engine import Engine
from bot.engine.status import iso
from core.audit import Doing
from core.errors import BadOption, Conflict, NotFound
from core.money import Allowance, Period, Scope
from core.states import LIVE, JobState
from storage.operating import OperatorStore

PLATFORMS: Final = ("web", "discord", "telegram")
ANONYMOUS: Final = "web:anonymous"
"""All anonymous browsers share this allowance; it is nobody's account."""
EVERYBODY: Final = "*"
MOST_LISTED: Final = 1000
REPORTS_KEPT: Final = 5000
REPORTS_TOLD: Final = 10
"""Reported clips that are told one by one within an hour: a link is enough to report, so anybody can."""
LOOKS: Final = frozenset({"status", "quota", "jobs", "audit", "ledger", "probe", "providers"})
"""Verbs that change nothing: a monitor may ask them every minute."""
WHO: Final = "web:NAME, discord:ID, telegram:ID (a group's own is below 0) or the 32 hexadecimal digits of an account"
SUBJECTS: Final = {
    Scope.PERSON: f"{WHO}, or {ANONYMOUS} for all anonymous browsers together",
    Scope.CHAT: "the chat's name",
    Scope.ROLE: "the role's name",
}

_ACCOUNT = re.compile(r"[0-9a-f]{32}", re.ASCII)
_EXTERNAL = {
    "web": re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,63}", re.ASCII),
    "discord": re.compile(r"[0-9]{1,20}", re.ASCII),
    "telegram": re.compile(r"-?[0-9]{1,20}", re.ASCII),
}
log = logging.getLogger("reelay.admin")


class Backup(Protocol):
    """Writes a backup; awaits ``note`` before anything is written, and not at all when the target is refused."""

    async def __call__(self, target: Path, *, with_clips: bool, note: Callable[[], Awaitable[None]]) -> Result:
        """Return what is in it."""


@dataclass(frozen=True, slots=True)
class Premises:
    """What the desk must know of the process around the engine; given by ``bot/app.py``."""

    new_token: Callable[[], str]
    hash_token: Callable[[str], str]
    signin_ms: int
    page: Callable[[], str]
    """Where a person opens the page."""
    status: Callable[[], Awaitable[Result]]
    backup: Backup
    probe: Callable[[], Awaitable[Result]]


class AdminDesk:
    """Does what an operator asks. Raises RequestError and StorageError kinds whose text is a sentence for the operator."""

    def __init__(self, engine: Engine, operators: OperatorStore, premises: Premises) -> None:
        """``operators``: the store's operator side."""
        self._engine, self._operators, self._premises = engine, operators, premises
        self._store = engine.parts.store
        self._generators = GeneratorVerbs(engine, operators)
        self._reported: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._verbs: dict[str, Callable[[str, Args], Awaitable[Result]]] = {
            "status": self._status,
            "grant": self._grant,
            "quota": self._quota,
            "limit": self._limit,
            "jobs": self._jobs,
            "cancel": self._cancel,
            "token": self._token,
            "revoke": self._revoke,
            "block": self._block,
            "unblock": self._unblock,
            **self._generators.verbs,
            "audit": self._audit,
            "ledger": self._ledger,
            "alerts": self._alerts,
            "backup": self._backup,
            "probe": self._probe,
            "channel": self._channel,
            "takedown": self._takedown,
            "report": self._report,
        }

    async def do(self, verb: str, args: Args, *, actor: str) -> Result:
        """Do ``verb``; ``actor`` such as ``operator@socket`` or ``discord:123``."""
        if verb not in self._verbs:
            raise BadOption("verb", verb, "one of " + ", ".join(sorted(self._verbs)))
        result = await self._verbs[verb](actor, args)
        log.log(
            logging.DEBUG if verb in LOOKS else logging.INFO, "an operator's command", extra={"verb": verb, "by": actor}
        )
        return result

    async def known_as(self, account_id: str) -> list[str]:
        """The names of an account, such as ``discord:123``; none when there is no such account or it was forgotten."""
        return await self._operators.identities(account_id) or []

    # ------------------------------------------------------------------------------------------------------------------- people

    async def _grant(self, actor: str, args: Args) -> Result:
        credits = whole(args, "credits", -MOST_CREDITS, MOST_CREDITS)
        if credits == 0:
            raise BadOption("credits", 0, "a whole number other than 0; below 0 takes back what is unused")
        note = text(args, "note", most=200, default="")
        account, who = await self._who(args, must_exist=credits < 0)
        doing = Doing(actor, "grant", {"who": who, "account": account, "credits": credits, "note": note})
        balance = await self._operators.grant(doing, account, credits, note)
        return {"who": who, "account_id": account, "credits": credits, "balance": balance}

    async def _block(self, actor: str, args: Args) -> Result:
        account, who = await self._who(args)
        doing = Doing(actor, "block", {"who": who, "account": account})
        await self._operators.set_blocked(doing, account, blocked=True)
        live = await self._store.live_jobs(account)
        return {"who": who, "account_id": account, "blocked": True, "live_jobs": live}

    async def _unblock(self, actor: str, args: Args) -> Result:
        account, who = await self._who(args, must_exist=True)
        doing = Doing(actor, "unblock", {"who": who, "account": account})
        await self._operators.set_blocked(doing, account, blocked=False)
        return {"who": who, "account_id": account, "blocked": False}

    async def _token(self, actor: str, args: Args) -> Result:
        kind = one_of(args, "kind", ("program", "signin"), default="program")
        account, who = await self._who(args)
        token = self._premises.new_token()
        expires = self._now() + self._premises.signin_ms if kind == "signin" else None
        doing = Doing(actor, "token", {"who": who, "account": account, "kind": kind})
        await self._operators.add_token(
            doing, self._premises.hash_token(token), "signin" if kind == "signin" else "api", account, expires
        )
        secret = {"link": f"{self._premises.page()}/?signin={token}"} if kind == "signin" else {"token": token}
        return {"who": who, "account_id": account, "kind": kind, "expires_at": iso(expires), **secret}

    async def _revoke(self, actor: str, args: Args) -> Result:
        account, who = await self._who(args, must_exist=True)
        revoked = await self._operators.revoke_tokens(Doing(actor, "revoke", {"who": who, "account": account}), account)
        return {"who": who, "account_id": account, "revoked": revoked}

    async def _who(self, args: Args, *, must_exist: bool = False) -> tuple[str, str]:
        """Return (account, who it is in words). A person whom a platform names is welcome before the first visit.

        ``must_exist``: not to what only looks, takes away or undoes. There a name that nobody has is a mistyped one.
        """
        who = text(args, "who", most=100)
        if _ACCOUNT.fullmatch(who):
            known = await self._operators.identities(who)
            if known is None:
                raise NotFound(f"there is no account {who}")
            return who, known[0] if known else who
        platform, _, external = who.partition(":")
        if platform not in PLATFORMS or not _EXTERNAL[platform].fullmatch(external) or who == ANONYMOUS:
            raise BadOption("who", who, WHO)
        account = await self._store.find_account(platform, external)
        if account is None:
            if must_exist:
                raise NotFound(f"nobody is known as {who}")
            account = await self._store.open_account(platform, external)
        return account, who

    # -------------------------------------------------------------------------------------------------------------------- money

    async def _limit(self, actor: str, args: Args) -> Result:
        scope = Scope(one_of(args, "scope", [scope.value for scope in Scope]))
        period = Period(one_of(args, "period", [period.value for period in Period]))
        amount, unset = amount_of(args)
        subject = await self._subject(scope, args, must_exist=unset)
        said = "unset" if unset else "unlimited" if amount is None else amount
        details = {"scope": scope.value, "subject": subject, "period": period.value, "amount": said}
        await self._operators.set_limit(Doing(actor, "limit", details), scope, subject, period, amount, unset=unset)
        return {**details, "who": await self._name(scope, subject), "now": await self._allowances([(scope, subject)])}

    async def _quota(self, actor: str, args: Args) -> Result:
        del actor
        subjects = [(Scope.EVERYBODY, EVERYBODY)]
        granted = None
        if args.get("scope") is not None:
            scope = Scope(one_of(args, "scope", [scope.value for scope in Scope]))
            subject = await self._subject(scope, args, must_exist=True)
            subjects = [(scope, subject)]
            if scope is Scope.PERSON and subject != ANONYMOUS:
                granted = (await self._store.account(subject)).granted
        defaults = self._store.defaults
        return {
            "defaults": {
                "person_day": _credits(defaults.person_day),
                "person_month": _credits(defaults.person_month),
                "everybody_day": _credits(defaults.everybody_day),
            },
            "limits": [{**row, "amount": _credits(row["amount"])} for row in await self._operators.limits()],
            "now": await self._allowances(subjects),
            "granted": granted,
        }

    async def _allowances(self, subjects: list[tuple[Scope, str]]) -> list[Result]:
        rows = await self._store.allowances(subjects)
        return [{**_said(each), "who": await self._name(each.scope, each.subject)} for each in rows]

    async def _name(self, scope: Scope, subject: str) -> str | None:
        """As whom a person's account is known; None for whatever is no account, or has no name any more."""
        if scope is not Scope.PERSON or subject == ANONYMOUS:
            return None
        known = await self._operators.identities(subject)
        return known[0] if known else None

    async def _subject(self, scope: Scope, args: Args, *, must_exist: bool = False) -> str:
        if scope is Scope.EVERYBODY:
            if args.get("subject") not in (None, "", EVERYBODY, "all"):
                raise BadOption("subject", args["subject"], "* or all, because everybody is one")
            return EVERYBODY
        if args.get("subject") in (None, ""):
            raise BadOption("subject", "", f"given behind {scope.value}: {SUBJECTS[scope]}")
        subject = text(args, "subject", most=200)
        if scope is not Scope.PERSON:
            return subject
        return subject if subject == ANONYMOUS else (await self._who({"who": subject}, must_exist=must_exist))[0]

    async def _ledger(self, actor: str, args: Args) -> Result:
        del actor, args
        return {"wrong": await self._store.audit_sums()}

    # --------------------------------------------------------------------------------------------------------------------- jobs

    async def _jobs(self, actor: str, args: Args) -> Result:
        del actor
        known = [state.value for state in JobState]
        wanted = args.get("states") or []
        if not isinstance(wanted, list):
            raise BadOption("state", wanted, "a list")
        states: list[str] = []
        for each in wanted:
            state = one_of({"state": each}, "state", ["live", *known])
            states += sorted(state.value for state in LIVE) if state == "live" else [state]
        account = (
            None if args.get("account") is None else (await self._who({"who": args["account"]}, must_exist=True))[0]
        )
        limit = whole(args, "limit", 1, MOST_LISTED, default=50)
        rows = await self._operators.jobs(states=states, account_id=account, limit=limit)
        for row in rows:
            for name in ("created_at", "updated_at", "finished_at"):
                row[name] = iso(row[name])
        return {"jobs": rows}

    async def _cancel(self, actor: str, args: Args) -> Result:
        job_id = text(args, "job", most=64)
        try:
            before = await self._store.job(job_id)
        except NotFound:
            raise NotFound(f"there is no job {job_id}") from None
        if before.ended:
            raise Conflict(f"job {job_id} has ended already: it is {before.state}")
        await self._operators.write_down(Doing(actor, "cancel", {"job": job_id, "state": before.state.value}))
        job = await self._engine.cancel(job_id)
        return {"job": job.id, "state": job.state.value, "cancel_wish": job.cancel_wish}

    # ------------------------------------------------------------------------------------------------------------- chats, their clips

    async def _channel(self, actor: str, args: Args) -> Result:
        """Allow or deny clips in one channel of a guild; ``allow`` None takes back what was said about it."""
        platform = one_of(args, "platform", PLATFORMS)
        guild, channel = text(args, "chat", most=40), text(args, "channel", most=40)
        allowed = args.get("allow")
        if allowed is not None and not isinstance(allowed, bool):
            raise BadOption("allow", allowed, "true, false or left out")
        kind = "chat" if platform == "telegram" else "guild"
        details = {kind: f"{platform}:{kind}:{guild}", "channel": channel, "allowed": allowed}
        await self._operators.set_channel(Doing(actor, "channel", details), platform, guild, channel, allowed=allowed)
        return details

    async def _report(self, actor: str, args: Args) -> Result:
        """Somebody finds that a clip should not be here: written down with who said so, and told to the operator.

        Said again by the same person it is no news.
        """
        job_id = text(args, "job", most=64)
        row = await self._store.view(job_id)
        if (actor, job_id) in self._reported:
            return {"job": job_id}
        self._reported[actor, job_id] = None
        try:
            await self._operators.write_down(Doing(actor, "report", {"job": job_id, "account": row.job.account_id}))
        except BaseException:
            self._reported.pop((actor, job_id), None)
            raise
        while len(self._reported) > REPORTS_KEPT:
            self._reported.popitem(last=False)
        await self._engine.parts.alerts.raise_some(
            "clip reported",
            job_id,
            f"a clip was reported: reelay admin takedown {job_id} removes it, reelay admin audit names who said so",
            now=self._engine.parts.clock.now(),
            most=REPORTS_TOLD,
            more="more clips were reported than are told one by one in an hour: reelay admin audit names them",
        )
        return {"job": job_id}

    async def _takedown(self, actor: str, args: Args) -> Result:
        """Remove somebody's clip everywhere: file, links, history and, where we can, the messages that show it."""
        job_id = text(args, "job", most=64)
        row = await self._store.view(job_id)
        await self._operators.write_down(Doing(actor, "takedown", {"job": job_id, "account": row.job.account_id}))
        messages, removed = await clips.take_away(self._engine, job_id)
        return {"job": job_id, "messages": messages, "removed": removed}

    # ------------------------------------------------------------------------------------------------------------------ looking

    async def _status(self, actor: str, args: Args) -> Result:
        del actor, args
        counts = await self._store.counts()
        return {**await self._premises.status(), **counts, **await self._generators.pauses()}

    async def _audit(self, actor: str, args: Args) -> Result:
        del actor
        rows = await self._operators.audit_trail(whole(args, "limit", 1, MOST_LISTED, default=50))
        return {"audit": [{**row, "at": iso(row["at"])} for row in rows]}

    async def _alerts(self, actor: str, args: Args) -> Result:
        if args.get("clear") is not None:
            cause = text(args, "clear", most=200)
            await self._operators.clear_alert(Doing(actor, "clear alert", {"cause": cause}), cause)
        rows = await self._store.alerts()
        return {"alerts": [{"cause": cause, "since": iso(since), "text": text} for cause, since, text in rows]}

    async def _backup(self, actor: str, args: Args) -> Result:
        target = Path(text(args, "target", most=4096))
        if not target.is_absolute():
            raise BadOption("target", target, "an absolute path")
        clips = args.get("clips") is True
        doing = Doing(actor, "backup", {"target": str(target), "clips": clips})
        return await self._premises.backup(target, with_clips=clips, note=lambda: self._operators.write_down(doing))

    async def _probe(self, actor: str, args: Args) -> Result:
        del actor, args
        return await self._premises.probe()

    def _now(self) -> int:
        return self._engine.parts.clock.now()


def _credits(amount: int | None) -> int | str:
    return "unlimited" if amount is None else amount


def _said(allowance: Allowance) -> Result:
    return {
        "scope": allowance.scope.value,
        "subject": allowance.subject,
        "period": allowance.period.value,
        "limit": _credits(allowance.limit),
        "held": allowance.held,
        "spent": allowance.spent,
        "left": _credits(allowance.left),
    }
