"""grammY, a client that shares no line with python-telegram-bot, lives in the simulator as well."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.npm_program import Running, installed
from tests.lab.telegram import Telegram, picture
from tests.lab.waiting import until

COVER = {"COVER": base64.b64encode(picture(640, 360)).decode()}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(Path(__file__).parent / "telegram_grammy", tmp_path_factory.mktemp("grammy"))


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as found:
        yield found


def test_a_second_client_does_it_all(program: Path, telegram: Telegram) -> None:
    ada = telegram.add_person("ada")
    running = Running(program, telegram.api_url, telegram.token, environ=COVER)
    try:
        until(lambda: running.of("ready") or running.process.poll() is not None, what="ready")
        assert running.of("ready") == [{"what": "ready", "name": "reelay_bot"}]
        ada.start("demo")
        until(ada.received)
        assert (ada.received()[0].text, ada.received()[0].asks) == ("hello demo", True)

        telegram.clock.advance(60)
        mine = ada.photo(picture(800, 450), "a lighthouse")
        until(lambda: running.of("done") or running.of("error"))
        assert running.of("error") == []
        card = ada.received()[-1]
        assert card.clip is not None
        assert mine.picture is not None
        assert (card.text, card.labels, card.reply_to) == ("a lighthouse", ["Again"], mine.id)
        assert (card.clip.size, card.clip.measures) == (5012, (64, 36, 4))
        assert card.clip.cover is not None
        assert [each.text for each in ada.history(card)] == [f"0 % of {mine.picture.size}", "50 %", "a lighthouse"]
        assert ada.history(card)[0].seen.button("Copy").copies == "a lighthouse"
        assert running.of("done")[0]["covers"] == 3
        press = ada.press(card, "Again")
        until(lambda: press.answered)
        assert press.text == "once more"

        group = telegram.add_group("Cinema", ada)
        asked = ada.inline(running.of("done")[0]["file"], group)
        until(lambda: asked.results)
        assert asked.send().clip is not None
        ada.edit(ada.say("one", ada.direct()), "two")
        moved = telegram.migrate(group)
        until(lambda: len(running.of("refused")) == 3)
        until(lambda: running.of("chosen"))
        until(lambda: running.of("edited"))
        ada.block()
        until(lambda: [line["status"] for line in running.of("member")] == ["member", "kicked"])
        assert running.of("old")[0]["more"] == {"migrate_to_chat_id": moved.id}
        assert [line["text"].removeprefix("Bad Request: ") for line in running.of("refused")] == [
            "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
            "message is too long",
            "message text is empty",
        ]
        assert running.of("error") == []
        assert telegram.malformed() == []
    finally:
        complaints = running.stop()
    assert complaints == ""


def test_it_is_told_that_its_token_is_wrong(program: Path, telegram: Telegram) -> None:
    running = Running(program, telegram.api_url, "123456:wrong", environ=COVER)
    until(lambda: running.of("refused"))
    running.stop()
    assert running.of("refused") == [{"what": "refused", "code": 401}]
    assert running.process.returncode == 3
