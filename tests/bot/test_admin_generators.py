"""The operator's verbs for generators on a real store, from the desk, the command line and both chats."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.app import App, Extras, open_app
from bot.commands import account
from bot.commands.admin_generators import lines
from bot.commands.making import order
from bot.engine.words import Words
from bot.platforms.discord import admin as discord
from bot.platforms.telegram import admin as telegram
from bot.settings import read_settings
from core.errors import BadOption
from core.health import Call, Health
from core.jobs import Actor, Job, Place
from core.ports import Connect
from tests.bot.operator_world import typed
from tests.bot.test_admin_desk import do, trail
from tests.lab.generator import InstantGenerator, LabSettings

pytestmark = pytest.mark.blocks("folder, lock and keys are opened before anything else runs on the loop")
NAMES = ("first", "second")


async def opened(folder: Path) -> App:
    settings = read_settings({"REELAY_DATA_DIR": str(folder)}, None)

    def connector(name: str) -> Any:
        def connect(_settings: Any, world: Connect) -> InstantGenerator:
            return InstantGenerator(LabSettings(name=name, unpaid=True, price=0), world)

        return name, connect

    return await open_app(settings, Extras(providers=[connector(name) for name in NAMES]))


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """Two generators and the built-in one, everything open and nothing running."""
    app = await opened(tmp_path / "data")
    yield app
    await app.close()


async def clip(app: App, **fields: Any) -> Job:
    job, _ = await order(app.engine, Actor("web", "ann"), Place("web", chat="ann"), {"prompt": "a heron", **fields})
    return job


async def listed(app: App) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in (await do(app, "providers"))["generators"]}


async def breaks(app: App, name: str) -> None:
    """Three jobs in a row go wrong with a generator."""
    now = app.clock.now()

    def work(health: Health) -> Health:
        for job in "abc":
            health = health.after_bad(Call.SUBMIT, job, "UNCLEAR", now)
        return health

    await app.store.change_health(name, work)


async def test_how_each_generator_is(app: App) -> None:
    waiting = await clip(app)
    await breaks(app, "second")
    await do(app, "pause", name="local", reason="tired")
    found = await do(app, "providers")
    assert (found["default"], found["configured"], found["chosen"]) == ("first", "first", None)
    rows = await listed(app)
    assert list(rows) == ["first", "second", "local"], "in the order in which they are asked"
    assert [(row["state"], row["why"]) for row in rows.values()] == [
        ("ok", ""),
        ("unhealthy", "UNCLEAR"),
        ("paused", "tired"),
    ]
    assert (rows["first"]["title"], rows["first"]["models"], rows["first"]["waiting"]) == ("Lab first", ["first-1"], 1)
    assert rows["second"]["until"] is not None
    assert rows["local"]["until"] is None
    await app.engine.scheduler._admit()
    assert (await listed(app))["first"]["running"] == 1
    assert waiting.applied.provider == "first"
    assert await trail(app) == [("pause", {"names": ["local"], "reason": "tired"})], "looking leaves no line"
    assert list((await do(app, "providers", name="second"))["generators"][0])[:2] == ["name", "title"]
    with pytest.raises(BadOption, match="first, second, local"):
        await do(app, "providers", name="veo")


async def test_what_it_cost_today_and_how_the_last_attempts_went(app: App) -> None:
    await clip(app)
    await app.engine.start()
    try:
        for _ in range(200):
            if (await listed(app))["first"]["outcomes"]:
                break
            await app.clock.sleep(0.05)
    finally:
        await app.engine.stop(5.0)
    row = (await listed(app))["first"]
    assert row["outcomes"] == {"won": 1}
    assert (row["cost_today"], row["charged_today"], row["running"], row["waiting"]) == (0, 0, 0, 0)


async def test_the_default_is_chosen_at_once_audited_and_kept(app: App, tmp_path: Path) -> None:
    assert (await clip(app)).applied.provider == "first"
    assert (await do(app, "default", name="second"))["default"] == "second"
    assert (await do(app, "default", name="second"))["default"] == "second"
    assert (await clip(app)).applied.provider == "second"
    assert (await clip(app, provider="first")).applied.provider == "first"
    assert (await listed(app))["second"]["default"]
    assert (await account.generators(app.engine, Words("en")))["default"] == "second"
    await app.close()
    again = await opened(tmp_path / "data")
    try:
        found = await again.desk.do("providers", {}, actor="x")
        assert (found["default"], found["chosen"]) == ("second", "second")
        await again.engine.runner.health.look(fresh=True)
        assert (await clip(again)).applied.provider == "second"
        assert (await again.desk.do("default", {"name": "unset"}, actor="x"))["default"] == "first"
        assert (await clip(again)).applied.provider == "first"
        with pytest.raises(BadOption, match="first, second, local, unset"):
            await again.desk.do("default", {"name": "veo"}, actor="x")
        verbs = [(line["verb"], line["details"]) for line in (await again.desk.do("audit", {}, actor="x"))["audit"]]
        assert verbs == [("default", {"name": "unset"}), ("default", {"name": "second"})], "no change, no line"
    finally:
        await again.close()


async def test_resuming_forgets_what_stands_against_a_generator(app: App) -> None:
    await breaks(app, "first")
    await app.engine.runner.health.look(fresh=True)
    assert [each["cause"] for each in (await do(app, "alerts"))["alerts"]] == ["unhealthy first"]
    await app.engine.scheduler._admit()
    job = await clip(app, provider="first")
    await app.engine.scheduler._admit()
    assert (await app.store.job(job.id)).state.value == "queued"
    assert (await do(app, "resume", name="first"))["resumed"] == ["first"]
    assert (await do(app, "alerts"))["alerts"] == []
    assert (await listed(app))["first"]["state"] == "ok"
    assert (await do(app, "resume", name="first"))["resumed"] == []


async def test_the_page_is_told_how_generators_are(app: App) -> None:
    await breaks(app, "first")
    await do(app, "pause", name="second")
    told = {each["name"]: each for each in (await account.generators(app.engine, Words("en")))["generators"]}
    assert {name: each["health"] for name, each in told.items()} == {
        "first": "unavailable",
        "second": "paused",
        "local": "ok",
    }
    assert told["first"]["health_text"] == "Not available right now"
    assert told["first"]["health_until"].endswith("Z")
    assert (told["second"]["health_until"], told["local"]["health_text"]) == (None, None)


# ---- in chats


async def on_telegram(app: App, *words: str) -> str:
    verbs = telegram.AdminVerbs(app.engine, app.desk, cast(Any, None), cast(Any, None))
    wish = SimpleNamespace(words=Words("en"), is_operator=True, person=SimpleNamespace(external_id="42"))
    return await verbs._provider(telegram.Order(cast(Any, wish), cast(Any, None), "provider", words))


async def on_discord(app: App, **options: Any) -> str:
    verbs = discord.AdminVerbs(app.engine, app.desk)
    said: list[str] = []

    class Answer:
        async def say(self, text: str) -> None:
            said.append(text)

    i = SimpleNamespace(user_id="42", guild_id="1", channel_id="2", options=options, manages_guild=False)
    await verbs.do("provider", cast(Any, i), cast(Any, Answer()), Words("en"), is_operator=True)
    return said[0]


async def test_in_chats_the_generators_are_listed(app: App) -> None:
    await breaks(app, "second")
    wanted = [
        "★ Lab first (first): well · running 0, waiting 0 · 0 credits today",
        "Lab second (second): Not available right now (UNCLEAR) · running 0, waiting 0 · 0 credits today",
    ]
    assert lines(await do(app, "providers"), Words("en"))[:2] == wanted
    assert (await on_telegram(app)).splitlines()[:2] == wanted
    assert "Lab second" in await on_discord(app)
    assert "Lab first" not in await on_discord(app, name="second")


async def test_in_chats_they_are_paused_and_the_default_is_chosen(app: App) -> None:
    assert "second" in await on_telegram(app, "SECOND", "default")
    assert app.parts.default_provider == "second"
    assert "first" in await on_telegram(app, "unset")
    assert "second" in await on_discord(app, name="second", default=True)
    assert app.parts.default_provider == "second"
    assert "first" in await on_discord(app, default=False)
    assert app.parts.default_provider == "first"
    await on_telegram(app, "first", "off")
    assert (await listed(app))["first"]["state"] == "paused"
    await on_discord(app, name="first", on=True)
    assert (await listed(app))["first"]["state"] == "ok"
    with pytest.raises(BadOption):
        await on_telegram(app, "first")
    for options in ({"on": True}, {"name": "first", "on": True, "default": True}, {"default": True}):
        with pytest.raises(BadOption):
            await on_discord(app, **options)
    assert [verb for verb, _ in _done(await app.desk.do("audit", {}, actor="x"))] == [
        "resume",
        "pause",
        *["default"] * 4,
    ]


def _done(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(line["verb"], line["actor"]) for line in found["audit"]]


# ---- on the command line


def test_on_the_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for words in (("provider",), ("provider", "list")):
        said = typed(folder, "admin", *words)
        assert (said.code, said.err) == (0, "")
        assert "Built-in generator" in said.out
    assert typed(folder, "admin", "provider", "--json").json["generators"][0]["state"] == "ok"
    paused = typed(folder, "admin", "provider", "pause", "local", "--reason", "tired", "--json").json
    assert paused["pauses"][0]["reason"] == "tired"
    assert "tired" in typed(folder, "admin", "provider").out
    assert typed(folder, "admin", "provider", "resume", "local").out == "Resumed: local\n"
    assert typed(folder, "admin", "provider", "default", "local").code == 0
    assert "was chosen as the default generator" in typed(folder, "admin", "provider").out
    assert "by the settings" in typed(folder, "admin", "provider", "default", "unset").out
    refused = typed(folder, "admin", "provider", "default", "veo")
    assert (refused.code, "local, unset" in refused.err) == (1, True)
