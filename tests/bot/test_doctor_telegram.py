"""The doctor asks Telegram about the bot, says what keeps it from working, takes no update away and shows no token."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import doctor
from bot.probe import Finding
from bot.settings import Settings, read_settings
from tests.bot.operator_world import ROOT
from tests.lab.telegram import Telegram
from tests.lab.waiting import until

pytestmark = pytest.mark.blocks("the doctor is a program of its own: nothing else runs on its loop")

PUBLIC = "https://clips.example"


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as here:
        yield here


def settings_of(telegram: Telegram, **more: str) -> Settings:
    return read_settings({"TELEGRAM_TOKEN": telegram.token, "TELEGRAM_API_URL": telegram.api_url, **more}, None)


async def look(settings: Settings, *, running: bool = False) -> list[Finding]:
    found = await doctor._telegram(settings, running=running)
    assert all(each.advice for each in found if each.mark != "ok"), found
    assert {each.part for each in found} <= {"telegram"}
    assert settings.telegram_token is None or settings.telegram_token.get_secret_value() not in str(found)
    return found


def marked(found: list[Finding], mark: str) -> list[str]:
    return [each.text for each in found if each.mark == mark]


def call(telegram: Telegram, method: str, **params: Any) -> Any:
    request = urllib.request.Request(
        f"{telegram.api_url}/bot{telegram.token}/{method}",
        json.dumps(params).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())["result"]


async def test_without_a_token_nothing_is_asked() -> None:
    assert await look(read_settings({}, None)) == []


def test_the_library_stays_away_until_it_is_needed() -> None:
    code = "import sys, bot.doctor; sys.exit('telegram' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0


async def test_a_bot_as_botfather_makes_it(telegram: Telegram) -> None:
    ada = telegram.add_person("ada")
    ada.start()
    found = await look(settings_of(telegram), running=True)
    name = f"@{telegram.bot.username}"
    assert [each.mark for each in found] == ["ok"] * len(found)
    texts = [each.text for each in found]
    assert f"Telegram takes the token of {name} (id {telegram.bot.id})" in texts
    assert f"privacy mode is on: in groups it sees commands such as /video{name}, and replies to it" in texts
    assert "updates are polled: no webhook is configured" in texts
    assert [each["operation"] for each in telegram.journal.requests()] == ["getMe", "getWebhookInfo"]
    assert len(telegram.queue.waiting) == 1, "what somebody wrote is still there for whoever polls"


async def test_what_was_changed_at_botfather_is_said(telegram: Telegram) -> None:
    telegram.bot.sees_all, telegram.bot.inline = True, False
    found = await look(settings_of(telegram))
    assert [text.split(":")[0] for text in marked(found, "note")] == ["privacy mode is off"]
    assert "inline mode is off (@BotFather, /setinline, switches it on)" in marked(found, "ok")
    telegram.bot.inline = True
    assert any(text.startswith("inline mode is on") for text in marked(await look(settings_of(telegram)), "ok"))


async def test_a_token_that_telegram_does_not_know(telegram: Telegram) -> None:
    settings = settings_of(telegram)
    telegram.revoke_token()
    assert marked(await look(settings), "fault") == ["Telegram refuses TELEGRAM_TOKEN"]


async def test_a_telegram_that_is_not_there(telegram: Telegram) -> None:
    settings, host = settings_of(telegram), telegram.api_url.removeprefix("http://")
    telegram.stop()
    (text,) = marked(await look(settings), "fault")
    assert text == f"{host} does not answer as Telegram does (aiohttp.ClientConnectorError)"


async def test_a_page_of_somebody_in_between_and_a_long_wait(telegram: Telegram) -> None:
    telegram.on("getMe").times(1).garble()
    assert "does not answer as Telegram does" in marked(await look(settings_of(telegram)), "fault")[0]
    telegram.on("getMe").times(1).rate_limit(7728)
    assert marked(await look(settings_of(telegram)), "note") == ["Telegram asks us to wait for 7728 s"]


@pytest.mark.parametrize(
    "public, why",
    [
        (None, "REELAY_PUBLIC_URL is not set"),
        ("https://clips.example:8080", "and REELAY_PUBLIC_URL is https://clips.example:8080"),
        ("http://clips.example", "and REELAY_PUBLIC_URL is http://clips.example"),
    ],
)
async def test_a_webhook_that_could_never_come_is_explained(telegram: Telegram, public: str | None, why: str) -> None:
    more = {} if public is None else {"REELAY_PUBLIC_URL": public}
    (text,) = marked(await look(settings_of(telegram, TELEGRAM_WEBHOOK_SECRET="secret-of-mine", **more)), "note")
    assert text.startswith("updates are polled although TELEGRAM_WEBHOOK_SECRET is set: ")
    assert text.endswith(why)


async def test_the_webhook_and_what_telegram_says_of_it(telegram: Telegram) -> None:
    settings = settings_of(telegram, TELEGRAM_WEBHOOK_SECRET="secret-of-mine", REELAY_PUBLIC_URL=PUBLIC)
    found = await look(settings)
    assert marked(found, "note") == []
    assert f"updates come by webhook to {PUBLIC}/hooks/telegram" in marked(found, "ok")
    assert marked(await look(settings, running=True), "note") == ["Telegram knows no webhook"]
    telegram.hooks.proxies[PUBLIC] = telegram.api_url  # which answers 404 there
    call(telegram, "setWebhook", url=f"{PUBLIC}/hooks/telegram", secret_token="secret-of-mine")
    assert "Telegram reaches the webhook; updates that wait: 0" in marked(await look(settings, running=True), "ok")
    telegram.add_person("ada").start()
    until(lambda: "last_error_message" in call(telegram, "getWebhookInfo"), what="a delivery that fails")
    (text,) = marked(await look(settings, running=True), "fault")
    assert text.startswith("the last delivery that failed was 0 min ago: Wrong response from the webhook: 404")
    assert text.endswith("; updates that wait: 1")
    assert marked(await look(settings), "note") == [text], "nobody takes them while Reelay is stopped"
    assert "secret-of-mine" not in str(found)


async def test_a_webhook_of_somebody_else_and_no_word_of_its_path(telegram: Telegram) -> None:
    call(telegram, "setWebhook", url=f"https://other.example/{telegram.token}")
    assert marked(await look(settings_of(telegram)), "note") == [
        "a webhook is set at other.example: while it stands, Telegram lets nobody poll"
    ]
    settings = settings_of(telegram, TELEGRAM_WEBHOOK_SECRET="secret-of-mine", REELAY_PUBLIC_URL=PUBLIC)
    assert marked(await look(settings, running=True), "note") == ["Telegram knows other.example in its place"]


async def test_a_complaint_that_repeats_an_address_is_shown_without_it(telegram: Telegram) -> None:
    settings = settings_of(telegram, TELEGRAM_WEBHOOK_SECRET="secret-of-mine", REELAY_PUBLIC_URL=PUBLIC)
    call(telegram, "setWebhook", url=f"{PUBLIC}/hooks/telegram")
    words = f"Wrong at {PUBLIC}/bot{telegram.token} " + "so long " * 40
    telegram.queue.hook.last_error = (int(telegram.clock()), words)
    (text,) = marked(await look(settings), "note")
    assert "Wrong at … so long" in text
    assert "/bot" not in text
    assert len(text) < 220


async def test_the_settings_of_a_local_server(telegram: Telegram, tmp_path: Path) -> None:
    own = read_settings({"TELEGRAM_TOKEN": "1:x", "TELEGRAM_LOCAL_SERVER": "yes"}, None)
    from bot.app import telegram_address
    from bot.platforms.telegram.checkup import _local

    (alone,) = _local(telegram_address(own, "1:x"))
    assert alone.mark == "fault"
    assert "TELEGRAM_API_URL is Telegram's own server" in alone.text
    local = {"TELEGRAM_LOCAL_SERVER": "yes"}
    assert "TELEGRAM_LOCAL_FOLDER is not set" in marked(await look(settings_of(telegram, **local)), "note")[0]
    local["TELEGRAM_LOCAL_FOLDER"] = str(tmp_path / "bot-api")
    (text,) = marked(await look(settings_of(telegram, **local)), "fault")
    assert text.startswith(f"TELEGRAM_LOCAL_FOLDER {tmp_path}/bot-api cannot be read")
    (tmp_path / "bot-api").mkdir()
    found = await look(settings_of(telegram, **local))
    assert f"files of the local server are read from {tmp_path}/bot-api" in marked(found, "ok")
    assert marked(found, "fault") == []
