"""Crashes, closed gateways, odd events and refused tokens: one job for each command, and the same message goes on."""

from __future__ import annotations

import json
import time

import pytest

from tests.journeys.discord.conftest import House
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def bots(house: House) -> list[str]:
    """Ids of what Reelay has posted in the room."""
    return [each.id for each in house.ada.messages(house.room) if each.author == "reelay"]


@pytest.mark.parametrize("point", ["received", "accepted", "submitted", "kept", "sending", "sent", "delivered"])
def test_killed_anywhere_it_goes_on_in_the_same_message(house: House, point: str) -> None:
    house.script("whale", seconds=1.0)
    house.start(kill={point: 1})
    use = house.ada.slash("video", house.room, prompt="a whale")
    house.reelay.wait_killed()
    house.reelay.restart()
    house.wait_connected()
    until(lambda: [each for each in house.ada.messages(house.room) if each.clip], 60, "the clip")
    house.reelay.wait_quiet()
    assert len(bots(house)) == 1, "one message, whatever happened"
    assert house.jobs() == 1
    assert list(house.vendor.paid.values()) == [1]
    if use.acknowledged:
        assert use.message is not None
        assert use.message.clip is not None
    house.end()


def test_a_kill_in_the_middle_edits_the_same_message_afterwards(house: House) -> None:
    house.script("whale", seconds=None)
    house.start()
    use = house.video("a whale")
    until(lambda: "Rendering" in use.text, what="the card")
    house.reelay.kill()
    house.reelay.restart()
    house.wait_connected()
    house.vendor.finish("whale")
    seen = house.clip_of(use, 60)
    assert bots(house) == [seen.id]
    house.end()


@pytest.mark.parametrize("away", [0.0, 600.0], ids=["at once", "after ten minutes"])
def test_a_new_message_in_doubt_is_posted_again_only_while_discord_would_drop_it(house: House, away: float) -> None:
    """A nonce is known for some minutes. After them nobody can tell, so nothing is posted, and ``/resend`` is the person's to ask."""
    house.script("whale", seconds=None)
    house.start(kill={"sent": 1})
    use = house.video("a whale")
    until(lambda: "Rendering" in use.text, what="the card")
    assert use.message is not None
    house.discord.world.drop_message(use.message.message)
    house.vendor.finish("whale")
    house.reelay.wait_killed(40)
    assert len(bots(house)) == 1
    if away:
        house.later(away)
    house.reelay.restart()
    house.wait_connected()
    house.reelay.wait_quiet()
    assert len([each for each in house.ada.messages(house.room) if each.clip]) == 1
    if away:
        assert "could not see whether" in house.ada.messages(house.room)[-1].text, (
            "the card says what is not known, and what to do"
        )
    wanted = "unclear" if away else "sent"
    assert house.reelay.value("SELECT state FROM deliveries WHERE kind = 'clip'") == wanted
    assert house.reelay.stop() == 0


def test_the_session_is_closed_so_that_it_can_be_resumed(house: House) -> None:
    house.start()
    house.reelay.wait_quiet()
    assert house.reelay.stop() == 0
    until(lambda: house.discord.gateway.closes, what="the close")
    assert house.discord.gateway.closes[-1] == 4000


@pytest.mark.parametrize("loss", ["dropped", "reconnect asked", "session invalid", "session ended"])
def test_a_gateway_that_goes_away_is_joined_again_and_commands_go_on(house: House, loss: str) -> None:
    house.discord.gateway.identify_seconds = 0.1
    house.start()
    house.clip_of(house.video("a fox"))
    gateway = house.discord.gateway
    before = len(gateway.identifies) + len(gateway.resumes)
    match loss:
        case "dropped":
            house.discord.run(gateway.close(0))
        case "reconnect asked":
            house.discord.run(gateway.op(7))
        case "session invalid":
            house.discord.run(gateway.op(9, False))
        case _:
            house.discord.run(gateway.close(4009))
    until(
        lambda: len(gateway.identifies) + len(gateway.resumes) > before and gateway.connected == 1, 40, "the way back"
    )
    house.clip_of(house.video("a second fox"))
    assert house.jobs() == 2
    house.end()


@pytest.mark.parametrize(
    "event",
    [
        {"type": 2},
        {"id": "1", "type": 2, "token": "t", "application_id": "1", "data": None},
        {"id": "1", "type": 99, "token": "t", "application_id": "1"},
        {"id": 1, "type": 2, "token": "t", "application_id": "1", "member": {"user": {}}, "data": {"options": [{}]}},
        {},
    ],
    ids=["bare", "no data", "unknown kind", "no user", "empty"],
)
def test_one_odd_event_ends_nothing(house: House, event: dict[str, object]) -> None:
    house.start()
    house.discord.tell("INTERACTION_CREATE", event)
    house.discord.tell("GUILD_CREATE", {"odd": True})
    house.discord.tell("SOMETHING_NEW", {"odd": True})
    house.clip_of(house.video("a fox"))
    assert house.discord.gateway.connected == 1
    assert len(house.discord.gateway.identifies) == 1
    house.end()


def test_a_token_that_discord_does_not_know_is_told_once_and_the_page_goes_on(house: House) -> None:
    house.reelay.environ["DISCORD_TOKEN"] = "not-the-token-at-all"
    house.reelay.start()
    until(lambda: house.reelay.alerts() == ["discord token"], 20, "the alert")
    assert "check DISCORD_TOKEN" in house.reelay.text
    assert "not-the-token-at-all" not in house.reelay.text
    assert house.reelay.http("/")[0] == 200
    assert json.loads(house.reelay.http("/readyz")[1])["alerts"]
    asked = len([each for each in house.discord.journal.requests() if each["status"] == 401])
    assert asked == 1, "every try counts towards a ban"
    assert house.reelay.stop() == 0


def test_a_token_that_is_taken_back_while_it_runs_is_told(house: House) -> None:
    house.start()
    house.discord.revoke_token()
    until(lambda: house.reelay.alerts() == ["discord token"], 40, "the alert")
    assert house.reelay.http("/")[0] == 200
    assert house.reelay.stop() == 0


def test_commands_are_sent_only_when_they_changed(house: House) -> None:
    house.start()
    assert len(house.discord.commands.syncs) == 1
    house.reelay.stop()
    house.reelay.restart()
    house.wait_connected()
    until(lambda: len(house.discord.gateway.identifies) >= 2, what="the second session")
    assert len(house.discord.commands.syncs) == 1
    house.end()


def test_discord_being_away_at_the_start_keeps_nobody_else_waiting(house: House) -> None:
    house.discord.on("*").times(2).status(503)
    began = time.monotonic()
    house.reelay.start()
    assert time.monotonic() - began < 20
    assert house.reelay.http("/")[0] == 200
    house.wait_connected()
    house.clip_of(house.video("a fox"))
    house.end()


def test_the_operator_sees_in_figures_what_happens(house: House) -> None:
    house.start()
    house.clip_of(house.video("a fox"))
    refused = house.ada.slash("video", house.room)
    until(lambda: refused.text)
    house.discord.tell("INTERACTION_CREATE", {"type": 2})

    def figures() -> dict[str, float]:
        lines = house.reelay.http("/metrics")[1].decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    until(lambda: 'reelay_commands_total{kind="unknown",outcome="unreadable",platform="discord"}' in figures())
    found = figures()
    assert found['reelay_commands_total{kind="command",outcome="answered",platform="discord"}'] == 1
    assert found['reelay_commands_total{kind="command",outcome="refused",platform="discord"}'] == 1
    assert found['reelay_acknowledge_seconds_count{platform="discord"}'] == 2
    assert found['reelay_platform_calls_total{outcome="ok",platform="discord"}'] >= 4
    assert found['reelay_platform_connections{platform="discord"}'] == 1
    assert found['reelay_deliveries_total{outcome="sent",platform="discord"}'] == 1
    house.discord.gateway.identify_seconds = 0.1
    house.discord.run(house.discord.gateway.close(4009))
    until(lambda: figures()['reelay_platform_connections{platform="discord"}'] == 0, what="the gauge to fall")
    until(lambda: figures()['reelay_platform_connections{platform="discord"}'] == 1, 40, what="the gauge to rise")
    house.end()
