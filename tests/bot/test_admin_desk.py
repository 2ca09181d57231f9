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
    assert shown["limits"] == [
        {"scope": "person", "subject": "web:anonymous", "period": "month", "amount": 7, "who": None}
    ]
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
    await do(app, "unblock", who="web:ann")
    await clip(app)
    assert [verb for verb, _ in await trail(app)] == ["unblock", "block"]


async def test_the_log_names_the_verb_that_was_done(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "reelay.admin")
    await do(app, "block", who="web:ann")
    await do(app, "unblock", who="web:ann")
    assert [record.__dict__["verb"] for record in caplog.records] == ["block", "unblock"]


UNDOING: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("unblock", {}),
    ("grant", {"credits": -5}),
    ("revoke", {}),
    ("limit", {"scope": "person", "subject": "web:amn", "period": "day", "amount": "unset"}),
)


@pytest.mark.parametrize("verb, args", UNDOING, ids=[verb for verb, _ in UNDOING])
async def test_what_takes_away_or_undoes_makes_nobody_known(app: App, verb: str, args: Mapping[str, Any]) -> None:
    before = await dump(app)
    with pytest.raises(NotFound, match="nobody is known as web:amn"):
        await do(app, verb, **{"who": "web:amn", **args})
    assert await dump(app) == before


async def test_what_changed_nothing_is_not_in_the_trail(app: App) -> None:
    await app.store.open_account("web", "ann")
    day = {"scope": "person", "subject": "web:ann", "period": "day"}
    for _ in range(2):
        await do(app, "resume")
        await do(app, "resume", name="intake")
        await do(app, "unblock", who="web:ann")
        await do(app, "revoke", who="web:ann")
        await do(app, "limit", **day, amount="unset")
    assert await trail(app) == []
    await do(app, "pause", name="local")
    await do(app, "block", who="web:ann")
    await do(app, "token", who="web:ann")
    await do(app, "limit", **day, amount=3)
    for _ in range(2):
        await do(app, "resume", name="local")
        await do(app, "unblock", who="web:ann")
        await do(app, "revoke", who="web:ann")
        await do(app, "limit", **day, amount="unset")
    assert [verb for verb, _ in await trail(app)] == [
        *("limit", "revoke", "unblock", "resume"), *("limit", "token", "block", "pause")
    ]  # fmt: skip


async def test_a_limit_says_whose_it_is(app: App) -> None:
    day: Mapping[str, Any] = {"scope": "person", "subject": "web:ann", "period": "day"}
    told = await do(app, "limit", **day, amount=3)
    assert (told["who"], {row["who"] for row in told["now"]}) == ("web:ann", {"web:ann"})
    await do(app, "limit", scope="chat", subject="a chat", period="day", amount=3)
    shown = await do(app, "quota", scope="person", subject=told["subject"])
    assert [(row["who"], row["subject"]) for row in shown["limits"]] == [(None, "a chat"), ("web:ann", told["subject"])]
    assert {row["who"] for row in shown["now"]} == {"web:ann"}
    await app.store.forget(told["subject"])
    assert {row["who"] for row in (await do(app, "quota"))["limits"]} == {None}


async def test_a_subject_that_is_missing_is_asked_for(app: App) -> None:
    for scope, wanted in (("person", "web:NAME"), ("chat", "the chat's name"), ("role", "the role's name")):
        with pytest.raises(BadOption, match=f"subject must be given behind {scope}: {wanted}"):
            await do(app, "quota", scope=scope)


async def test_forget_takes_the_name_and_the_notes_of_a_whole_relation_with_it(app: App, tmp_path: Path) -> None:
    name, note = "annabel.of.the.far.shore", "for her daughter's birthday film"
    who = {"who": f"web:{name}"}
    account = (await do(app, "grant", **who, credits=5, note=note))["account_id"]
    await do(app, "limit", scope="person", subject=f"web:{name}", period="day", amount=3)
    await do(app, "grant", **who, credits=-2, note=note)
    for verb in ("block", "unblock", "token", "revoke"):
        await do(app, verb, **who)

    def folder() -> bytes:
        return b"".join(path.read_bytes() for path in sorted((tmp_path / "data").rglob("*")) if path.is_file())

    assert all(text.encode() in folder() for text in (name, note))
    await app.engine.forget(account)
    assert not any(text.encode() in folder() for text in (name, note))
    done = await trail(app)
    assert [verb for verb, _ in done] == ["revoke", "token", "unblock", "block", "grant", "limit", "grant"]
    assert [details["credits"] for verb, details in done if verb == "grant"] == [-2, 5]
    assert (await do(app, "ledger"))["wrong"] == []


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
    await do(app, "token", who="web:ann")

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
    assert len(await trail(app)) == 2


NOBODY = (
    *(None, "", 7, "ann", "web:", "web:a b", "web:a\nb", "irc:ann", "discord:ann", "telegram:--1", "web:anonymous"),
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
    before = await dump(app)
    for verb, args, field in NONSENSE:
        with pytest.raises(BadOption) as caught:
            await do(app, verb, **args)
        assert caught.value.field == field, (verb, args)
    assert await dump(app) == before


async def test_only_a_backup_that_was_begun_is_in_the_trail(app: App, tmp_path: Path) -> None:
    (tmp_path / "taken.tar").write_text("mine")
    for target in (tmp_path / "taken.tar", tmp_path / "nowhere" / "b.tar", tmp_path / "b.zip", Path("relative")):
        with pytest.raises(BadOption):
            await do(app, "backup", target=str(target))
    assert await trail(app) == []
    await do(app, "backup", target=str(tmp_path / "b.tar"))
    assert [verb for verb, _ in await trail(app)] == ["backup"]


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


async def test_of_many_reported_clips_ten_are_told_one_by_one(app: App) -> None:
    jobs = [(await clip(app)).id for _ in range(12)]
    for job in jobs:
        for actor in ("web:anonymous", "discord:6"):
            await app.desk.do("report", {"job": job}, actor=actor)
    alerts = (await do(app, "alerts"))["alerts"]
    named = {each["cause"] for each in alerts if " more " not in each["cause"]}
    assert named == {f"clip reported {job}" for job in jobs[:10]}
    assert len(alerts) == 11
    assert all("prompt" not in each["text"] and "heron" not in each["text"] for each in alerts)
