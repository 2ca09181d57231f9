"""Crashes, closed gateways, odd events and refused tokens: one job for each command, and the same message goes on."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from tests.journeys.discord.house import House
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("point", ["received", "accepted", "submitted", "kept", "sending", "sent", "delivered"])
def test_killed_anywhere_it_goes_on_in_the_same_message(home: House, point: str) -> None:
    home.script("whale", seconds=1.0)
    home.kill_at(point)
    use = home.ada.slash("video", home.room, prompt="a whale")
    home.reelay.wait_killed()
    home.restart()
    until(lambda: [each for each in home.ada.messages(home.room) if each.clip], 60, "the clip")
    home.reelay.wait_quiet()
    assert len(home.bots()) == 1, "one message, whatever happened"
    assert home.jobs() == 1
    assert home.paid() == [1]
    if use.acknowledged:
        assert use.message is not None
        assert use.message.clip is not None
    home.end()


def test_a_kill_in_the_middle_edits_the_same_message_afterwards(home: House) -> None:
    use = home.running()
    home.reelay.kill()
    home.restart()
    home.vendor.finish("whale")
    seen = home.clip_of(use, 60)
    assert [each.id for each in home.bots()] == [seen.id]
    home.end()


@pytest.mark.parametrize("away", [0.0, 600.0], ids=["at once", "after ten minutes"])
def test_a_new_message_in_doubt_is_posted_again_only_while_discord_would_drop_it(home: House, away: float) -> None:
    """A nonce is known for some minutes. After them nobody can tell, so nothing is posted, and ``/resend`` is the person's to ask."""
    use = home.running()
    home.kill_at("sent")
    assert use.message is not None
    home.discord.world.drop_message(use.message.message)
    home.vendor.finish("whale")
    home.reelay.wait_killed(40)
    assert len(home.bots()) == 1
    if away:
        home.later(away)
    home.restart()
    home.reelay.wait_quiet()
    assert len([each for each in home.ada.messages(home.room) if each.clip]) == 1
    if away:
        assert "could not see whether" in home.ada.messages(home.room)[-1].text, (
            "the card says what is not known, and what to do"
        )
    wanted = "unclear" if away else "sent"
    job = home.job_of(use)["id"]
    assert home.reelay.value("SELECT state FROM deliveries WHERE kind = 'clip' AND job_id = ?", job) == wanted
    home.end(known=f"the clip of job {job} was delivered 0 times" if away else None)


def test_the_session_is_closed_so_that_it_can_be_resumed(home: House) -> None:
    before = len(home.discord.gateway.closes)
    home.reelay.wait_quiet()
    home.stop()
    until(lambda: len(home.discord.gateway.closes) > before, what="the close")
    assert home.discord.gateway.closes[before:] == [4000]
    home.end()


@pytest.mark.parametrize("loss", ["dropped", "reconnect asked", "session invalid", "session ended"])
def test_a_gateway_that_goes_away_is_joined_again_and_commands_go_on(home: House, loss: str) -> None:
    home.clip_of(home.video("a fox"))
    gateway = home.discord.gateway
    before = len(gateway.identifies) + len(gateway.resumes)
    match loss:
        case "dropped":
            home.discord.run(gateway.close(0))
        case "reconnect asked":
            home.discord.run(gateway.op(7))
        case "session invalid":
            home.discord.run(gateway.op(9, False))
        case _:
            home.discord.run(gateway.close(4009))
    until(
        lambda: len(gateway.identifies) + len(gateway.resumes) > before and gateway.connected == 1, 40, "the way back"
    )
    home.clip_of(home.video("a second fox"))
    assert home.jobs() == 2
    home.end()


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
def test_one_odd_event_ends_nothing(home: House, event: dict[str, object]) -> None:
    before = len(home.discord.gateway.identifies)
    home.discord.tell("INTERACTION_CREATE", event)
    home.discord.tell("GUILD_CREATE", {"odd": True})
    home.discord.tell("SOMETHING_NEW", {"odd": True})
    home.clip_of(home.video("a fox"))
    assert home.discord.gateway.connected == 1
    assert len(home.discord.gateway.identifies) == before
    home.end()


def test_a_token_that_discord_does_not_know_is_told_once_and_the_page_goes_on(house: House) -> None:
    house.reelay.environ["DISCORD_TOKEN"] = "not-the-token-at-all"
    house.reelay.start()
    until(lambda: house.reelay.alerts() == ["discord token"], 20, "the alert")
    until(lambda: "check DISCORD_TOKEN" in house.reelay.text, what="the line in the log")
    assert "not-the-token-at-all" not in house.reelay.text
    assert house.reelay.http("/")[0] == 200
    assert json.loads(house.reelay.http("/readyz")[1])["alerts"]
    assert house.reelay.stop() == 0
    asked = len([each for each in house.discord.journal.requests() if each["status"] == 401])
    assert asked == 1, "every try counts towards a ban, also that of telling the operators"


def test_a_token_that_is_taken_back_while_it_runs_is_told(house: House) -> None:
    house.start()
    house.discord.revoke_token()
    until(lambda: house.reelay.alerts() == ["discord token"], 40, "the alert")
    assert house.reelay.http("/")[0] == 200
    assert house.reelay.stop() == 0


def test_commands_are_sent_only_when_they_changed(home: House) -> None:
    gateway = home.discord.gateway
    before = len(gateway.identifies) + len(gateway.resumes)
    assert len(home.discord.commands.syncs) == 1
    home.stop()
    home.restart()
    until(lambda: len(gateway.identifies) + len(gateway.resumes) > before, what="the way back")
    assert len(home.discord.commands.syncs) == 1
    home.end()


def test_discord_being_away_at_the_start_keeps_nobody_else_waiting(house: House) -> None:
    house.discord.on("*").times(2).status(503)
    began = time.monotonic()
    house.reelay.start()
    assert time.monotonic() - began < 20
    assert house.reelay.http("/")[0] == 200
    house.wait_connected()
    house.clip_of(house.video("a fox"))
    house.end()


def test_the_operator_sees_in_figures_what_happens(home: House) -> None:
    def now() -> Counter[str]:
        lines = home.reelay.http("/metrics")[1].decode().splitlines()
        return Counter(
            {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}
        )

    before = now()

    def figures() -> Counter[str]:
        found = now()
        found.subtract(before)
        return found

    home.clip_of(home.video("a fox"))
    refused = home.ada.slash("video", home.room)
    until(lambda: refused.text)
    home.discord.tell("INTERACTION_CREATE", {"type": 2})
    until(lambda: figures()['reelay_commands_total{kind="unknown",outcome="unreadable",platform="discord"}'] == 1)
    found = figures()
    assert found['reelay_commands_total{kind="command",outcome="answered",platform="discord"}'] == 1
    assert found['reelay_commands_total{kind="command",outcome="refused",platform="discord"}'] == 1
    assert found['reelay_acknowledge_seconds_count{platform="discord"}'] == 2
    assert found['reelay_platform_calls_total{outcome="ok",platform="discord"}'] >= 4
    assert now()['reelay_platform_connections{platform="discord"}'] == 1
    assert found['reelay_deliveries_total{outcome="sent",platform="discord"}'] == 1
    home.discord.run(home.discord.gateway.close(4009))
    until(lambda: now()['reelay_platform_connections{platform="discord"}'] == 0, what="the gauge to fall")
    until(lambda: now()['reelay_platform_connections{platform="discord"}'] == 1, 40, what="the gauge to rise")
    home.end()
