"""The strict chat and the real process: commands come in, cards are edited, clips arrive, whatever is killed in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.intake import ACKNOWLEDGE_MS
from tests.journeys.conftest import Maker
from tests.lab.chat import Chat, ChatServer, Message
from tests.lab.checker import CANARY, check
from tests.lab.clock import SharedShift
from tests.lab.vendor import Script, Vendor
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey

ENVIRON = {"REELAY_DAILY_CREDITS": "unlimited", "REELAY_GLOBAL_DAILY_CREDITS": "unlimited"}


def cards(chat: Chat) -> list[Message]:
    return [message for message in chat.shown() if "it is ready" not in message.text]


def test_a_command_in_a_chat_becomes_its_clip(make: Maker, vendor: Vendor) -> None:
    vendor.on("said-aloud", Script(seconds=1.0))
    with ChatServer() as server:
        reelay = make(
            environ={**ENVIRON, "LAB_CHAT": server.url}, generators=[{"name": "lab", "url": vendor.url}]
        ).start()
        server.chat.say("ann", f"{CANARY} said-aloud one")
        server.chat.say("ann", f"{CANARY} said-aloud two", picture=photo())
        server.chat.say("bob", "nonsense", duration=5)
        until(lambda: sum(message.clip is not None for message in cards(server.chat)) == 2, 60, "two clips")
        reelay.wait_quiet()
        texts = [message.text for message in cards(server.chat)]
        assert len(texts) == 3
        assert any("“duration” must be 4, 6 or 8; you wrote 5." in text for text in texts)
        assert server.chat.rate_limited() == []
        assert reelay.stop() == 0
        assert check(reelay.data, None, reelay.text) == []


@pytest.mark.parametrize("point", ["received", "accepted", "sending", "sent", "delivered"])
def test_a_kill_shows_one_message_and_one_clip(make: Maker, vendor: Vendor, tmp_path: Path, point: str) -> None:
    """The same message is edited again after the restart; nobody sees two."""
    clock = SharedShift(tmp_path / "clock")
    vendor.on(f"killed-{point}", Script(seconds=0.2))
    with ChatServer() as server:
        environ = {**ENVIRON, "LAB_CHAT": server.url, "LAB_CLOCK": str(tmp_path / "clock")}
        reelay = make(environ=environ, generators=[{"name": "lab", "url": vendor.url}])
        reelay.start(kill={point: 1})
        server.chat.say("ann", f"{CANARY} killed-{point}")
        reelay.wait_killed()
        reelay.restart()
        clock.set(ACKNOWLEDGE_MS)  # an answer that died with the process is waited for as long
        until(lambda: sum(message.clip is not None for message in cards(server.chat)) == 1, 60, "the clip")
        reelay.wait_quiet()
        assert len(cards(server.chat)) == 1, [message.text for message in cards(server.chat)]
        assert len(vendor.of(f"killed-{point}")) == 1
        assert reelay.stop() == 0
        assert check(reelay.data, None, reelay.text) == []


@pytest.mark.parametrize("point", ["sent", "delivered", "notifying", "notified"])
def test_a_kill_around_the_notice_neither_loses_nor_repeats_it(
    make: Maker, vendor: Vendor, tmp_path: Path, point: str
) -> None:
    """A job of more than a minute ends with one short reply, wherever between the clip and that reply the process is killed."""
    word, clock = f"told-{point}", SharedShift(tmp_path / "clock")
    vendor.on(word, Script(seconds=None))
    with ChatServer() as server:
        reelay = make(
            environ={**ENVIRON, "LAB_CHAT": server.url, "LAB_CLOCK": str(tmp_path / "clock")},
            generators=[{"name": "lab", "url": vendor.url, "maximum_seconds": 600.0}],
        )
        reelay.start(kill={point: 1})
        server.chat.say("ann", f"{CANARY} {word}")
        until(lambda: vendor.of(word), what="the submit")
        clock.set(90_000)
        vendor.finish(word)
        reelay.wait_killed()
        reelay.restart()
        until(lambda: sum(message.clip is not None for message in cards(server.chat)) == 1, 60, "the clip")
        reelay.wait_quiet()
        assert len(cards(server.chat)) == 1, [message.text for message in cards(server.chat)]
        told = [message.text for message in server.chat.shown() if "it is ready" in message.text]
        assert len(told) == 1, told
        assert reelay.rows("SELECT state, tries FROM deliveries WHERE kind = 'notify'") == [
            {"state": "sent", "tries": 1}
        ]
        assert reelay.stop() == 0
        assert check(reelay.data, None, reelay.text) == []
