"""The operator's verbs on a real store: what they change, what they refuse, and that each change is in the audit trail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.app import App, open_app
from bot.commands.making import order
from bot.settings import read_settings
from core.errors import BadOption, Conflict, IntakePaused, NotAllowed, NotFound, QuotaExceeded, ReelayError
from core.jobs import Actor, Job, Place
from storage import house

pytestmark = pytest.mark.blocks("folder, lock and keys are opened before anything else runs on the loop")
ACTOR = "discord:42"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """Everything open, nothing running: jobs stay where they are put. Each clip costs ten credits."""
    settings = read_settings({"REELAY_DATA_DIR": str(tmp_path / "data"), "VIDEO_TOKEN_COST": "10"}, None)
    opened = await open_app(settings)
    yield opened
    await opened.close()


async def do(app: App, verb: str, **args: Any) -> dict[str, Any]:
    return await app.desk.do(verb, args, actor=ACTOR)


async def trail(app: App) -> list[tuple[str, dict[str, Any]]]:
    rows = (await do(app, "audit"))["audit"]
    assert all(row["actor"] == ACTOR and row["at"].endswith("Z") for row in rows)
    return [(row["verb"], row["details"]) for row in rows]


async def clip(app: App, name: str = "ann", chat: str | None = None, role: str | None = None) -> Job:
    actor = Actor("web", name, chat=chat, roles=() if role is None else (role,))
    job, _ = await order(app.engine, actor, Place("web", chat=name), {"prompt": "a heron at dusk"})
    return job


async def test_a_grant_pays_when_the_allowance_cannot(app: App) -> None:
    await do(app, "limit", scope="person", subject="web:ann", period="day", amount="0")
    with pytest.raises(QuotaExceeded):
        await clip(app)
    granted = await do(app, "grant", who="web:ann", credits=15, note="a present")
    assert granted["balance"] == 15
    job = await clip(app)
    assert job.hold.from_grants == 10
    with pytest.raises(QuotaExceeded):
        await clip(app)
    taken = await do(app, "grant", who=granted["account_id"], credits=-100)
    assert (taken["balance"], taken["who"]) == (0, "web:ann")
    assert (await do(app, "ledger"))["wrong"] == []
    assert [verb for verb, _ in await trail(app)] == ["grant", "grant", "limit"]


@pytest.mark.parametrize(
    "scope, subject", [("person", "web:ann"), ("chat", "a chat"), ("role", "a role"), ("everybody", "all")]
)
async def test_nothing_unlimited_and_unset_are_three_things(app: App, scope: str, subject: str) -> None:
    wanted: Mapping[str, Any] = {"scope": scope, "subject": subject, "period": "day"}

    refused_by: list[str] = []

    async def taken() -> bool:
        try:
            await clip(app, chat="a chat", role="a role")
        except QuotaExceeded as refusal:
            refused_by.append(refusal.values["scope"])
            return False
        return True

    assert (await do(app, "limit", **wanted, amount=0))["amount"] == 0
    assert not await taken()
    assert (await do(app, "limit", **wanted, amount="unlimited"))["amount"] == "unlimited"
    assert await taken()
    assert (await do(app, "limit", **wanted, amount="20"))["now"][0]["left"] == 10
    assert await taken()
    assert not await taken()
    assert (await do(app, "limit", **wanted, amount="unset"))["amount"] == "unset"
    assert await taken()
    assert (await do(app, "quota"))["limits"] == []
    assert refused_by == [scope, scope]


async def test_the_quota_is_shown_without_making_anybody_known(app: App) -> None:
    await do(app, "limit", scope="person", subject="web:anonymous", period="month", amount=7)
    shown = await do(app, "quota", scope="person", subject="web:anonymous")
    assert shown["defaults"] == {"person_day": 500, "person_month": "unlimited", "everybody_day": "unlimited"}
    assert shown["limits"] == [{"scope": "person", "subject": "web:anonymous", "period": "month", "amount": 7}]
    assert [row["limit"] for row in shown["now"]] == [500, 7]
    with pytest.raises(NotFound, match="nobody is known as web:nobody"):
        await do(app, "quota", scope="person", subject="web:nobody")
    assert await app.store.find_account("web", "nobody") is None


async def test_tokens_are_kept_as_hashes_and_end_together(app: App) -> None:
    token = (await do(app, "token", who="web:ann"))["token"]
    link = (await do(app, "token", who="web:ann", kind="signin"))["link"]
    signin = link.partition("?signin=")[2]
    account = await app.store.find_account("web", "ann")
    hashed = app.desk._premises.hash_token
    assert await app.store.account_of_token(hashed(token)) == account
    assert token not in (await dump(app)) and signin not in (await dump(app))  # noqa: PT018
    assert (await do(app, "revoke", who="web:ann"))["revoked"] == 2
    assert await app.store.account_of_token(hashed(token)) is None
    assert await app.store.use_signin(hashed(signin)) is None


async def dump(app: App) -> str:
    return await app.database.read(lambda c: "\n".join(c.iterdump()))


async def test_a_blocked_person_is_refused_until_unblocked(app: App) -> None:
    job = await clip(app)
    assert (await do(app, "block", who="web:ann"))["live_jobs"] == [job.id]
    with pytest.raises(NotAllowed):
        await clip(app)
    await do(app, "block", who="web:ann", blocked=False)
    await clip(app)
    assert [verb for verb, _ in await trail(app)] == ["unblock", "block"]


async def test_intake_and_generators_are_paused_apart(app: App) -> None:
    await do(app, "pause", name="intake", reason="moving")
    with pytest.raises(IntakePaused):
        await clip(app)
    assert (await do(app, "resume", name="intake"))["resumed"] == ["intake"]
    await clip(app)
    assert (await do(app, "pause"))["paused"] == ["local"]
    await app.engine.scheduler._admit()
    assert [row["state"] for row in (await do(app, "jobs"))["jobs"]] == ["queued"]
    assert (await do(app, "resume"))["pauses"] == []
    assert (await do(app, "resume"))["resumed"] == []


async def test_resuming_a_generator_forgets_the_alert_that_paused_it(app: App) -> None:
    await app.store.raise_alert("INSUFFICIENT_FUNDS local", "local is paused")
    await app.store.raise_alert("low disk", "nearly full")
    await do(app, "resume", name="local")
    assert [each["cause"] for each in (await do(app, "alerts"))["alerts"]] == ["low disk"]
    assert (await do(app, "alerts", clear="low disk"))["alerts"] == []
    with pytest.raises(NotFound):
        await do(app, "alerts", clear="low disk")


async def test_jobs_are_listed_without_prompts_and_cancelled_with_their_hold_given_back(app: App) -> None:
    first, second = await clip(app, "ann"), await clip(app, "bob")
    listed = (await do(app, "jobs"))["jobs"]
    assert [(row["id"], row["who"]) for row in listed] == [(second.id, "web:bob"), (first.id, "web:ann")]
    assert "heron" not in str(listed)
    assert [row["id"] for row in (await do(app, "jobs", account="web:ann", states=["live"]))["jobs"]] == [first.id]
    assert [row["id"] for row in (await do(app, "jobs", limit=1))["jobs"]] == [second.id]
    assert (await do(app, "jobs", states=["done", "failed"]))["jobs"] == []
    assert (await do(app, "cancel", job=first.id))["state"] == "cancelled"
    assert ("cancel", {"job": first.id, "state": "queued"}) in await trail(app)
    assert (await do(app, "quota", scope="person", subject="web:ann"))["now"][0]["held"] == 0
    with pytest.raises(Conflict, match="has ended already"):
        await do(app, "cancel", job=first.id)
    with pytest.raises(NotFound, match="there is no job nope"):
        await do(app, "cancel", job="nope")


async def test_a_forgotten_account_is_nobody(app: App) -> None:
    account = (await do(app, "grant", who="web:ann", credits=1))["account_id"]
    await app.store.forget(account)
    with pytest.raises(NotFound):
        await do(app, "grant", who=account, credits=1)


async def test_a_change_without_its_line_in_the_trail_is_no_change(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    await do(app, "grant", who="web:ann", credits=5)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(house, "audit", broken)
    for verb, args in (
        ("grant", {"credits": 7}),
        ("block", {}),
        ("token", {}),
        ("revoke", {}),
        ("pause", {"name": "local"}),
    ):
        with pytest.raises(ZeroDivisionError):
            await do(app, verb, who="web:ann", **args)
    monkeypatch.undo()
    view = await app.store.account(str(await app.store.find_account("web", "ann")))
    assert (view.granted, view.blocked) == (5, False)
    assert await app.store.pauses() == []
    assert len(await trail(app)) == 1


NOBODY = (
    *(None, "", 7, "ann", "web:", "web:a b", "web:a\nb", "irc:ann", "discord:ann", "telegram:-1", "web:anonymous"),
    *("A" * 32, "web:" + "x" * 65),
)
NO_AMOUNT = (None, -1, "-1", "", "all", "1e3", "１０", True, 2.0, 10**10)
DAY: Mapping[str, Any] = {"scope": "person", "subject": "web:ann", "period": "day", "amount": 1}
NONSENSE: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("dance", {}, "verb"),
    *(("block", {"who": who}, "who") for who in NOBODY),
    *(("grant", {"who": "web:ann", "credits": credits}, "credits") for credits in (None, "5", 0, 1.5, True, 10**10)),
    ("grant", {"who": "web:ann", "credits": 1, "note": "a\nb"}, "note"),
    *(("limit", {**DAY, "amount": amount}, "amount") for amount in NO_AMOUNT),
    ("limit", {**DAY, "scope": "planet"}, "scope"),
    ("limit", {**DAY, "scope": "chat", "subject": ""}, "subject"),
    ("limit", {**DAY, "scope": "everybody"}, "subject"),
    ("limit", {**DAY, "period": "week"}, "period"),
    ("token", {"who": "web:ann", "kind": "gold"}, "kind"),
    ("pause", {"name": "veo3"}, "name"),
    ("jobs", {"states": ["asleep"]}, "state"),
    ("jobs", {"states": "live"}, "state"),
    ("jobs", {"limit": 0}, "limit"),
    ("jobs", {"limit": 1001}, "limit"),
    ("backup", {"target": "relative"}, "target"),
)


async def test_nonsense_is_refused_by_the_name_of_its_field_and_changes_nothing(app: App) -> None:
    await app.store.open_account("web", "ann")  # whom a platform names may become known by being named
    before = await dump(app)
    for verb, args, field in NONSENSE:
        with pytest.raises(BadOption) as caught:
            await do(app, verb, **args)
        assert caught.value.field == field, (verb, args)
    assert await dump(app) == before


async def test_every_refusal_is_a_sentence(app: App) -> None:
    for verb, args in (
        ("cancel", {"job": "x"}),
        ("block", {"who": "0" * 32}),
        ("alerts", {"clear": "x"}),
        ("pause", {"name": "x"}),
    ):
        with pytest.raises(ReelayError) as caught:
            await do(app, verb, **args)
        assert len(str(caught.value)) > 10
