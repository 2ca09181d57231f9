"""discord.js, a client that shares no line with discord.py, lives in the simulator as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.discord import Discord, File
from tests.lab.npm_program import Running, installed
from tests.lab.waiting import until


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(Path(__file__).parent / "discord_js", tmp_path_factory.mktemp("discord-js"))


def run(program: Path, discord: Discord, token: str) -> Running:
    return Running(program, f"{discord.url}/api", token, discord.world.application_id)


@pytest.fixture
def discord() -> Iterator[Discord]:
    with Discord() as found:
        yield found


def test_a_second_client_does_it_all(program: Path, discord: Discord) -> None:
    guild = discord.add_guild()
    room = discord.add_channel(guild)
    ada = discord.add_person("ada", guild, locale="de")
    running = run(program, discord, discord.token)
    try:
        until(lambda: running.of("ready") or running.process.poll() is not None, what="ready")
        assert running.of("ready") == [{"what": "ready", "guilds": ["Cinema"]}]
        assert [each["name"] for each in discord.commands.of(None)] == ["video", "Animate this"]
        assert discord.commands.of(None)[0]["default_member_permissions"] == str(1 << 11)

        use = ada.slash("video", room, prompt="sea", image=File("cat.png", b"123"))
        until(lambda: running.of("done") or running.of("error"))
        assert running.of("error") == []
        card = use.message
        assert card is not None
        assert (card.text, card.labels) == ("sea", ["Again"])
        assert card.clip is not None
        assert card.clip.data == b"a clip"
        assert [line["text"] for line in discord.journal.of("edited", message=card.id)] == ["10 % 3", "90 %", "sea"]
        assert [each.text for each in use.followups] == ["a second message"]
        assert discord.journal.requests("create_interaction_response")[0]["status"] == 204, "it asks for no response"

        typing = ada.autocomplete("video", "model", "ve", room, prompt="x")
        until(lambda: typing.choices)
        assert typing.choices == [("ve-de", "x")]
        menu = ada.menu("Animate this", ada.say(room, "look", File("dog.png", b"png")))
        until(lambda: menu.text)
        assert menu.text == "dog.png"
        form = ada.press(card, "Again")
        until(lambda: form.modal)
        sent = ada.submit(form, {"Prompt": "new words"})
        until(lambda: sent.text)
        assert sent.text == "new words"

        discord.run(discord.gateway.close(4000))
        until(lambda: running.of("resumed"), what="resumed")
        assert len(discord.gateway.identifies) == 1
        assert running.of("error") == []
        assert discord.journal.malformed() == []
    finally:
        complaints = running.stop()
    assert complaints == ""


def test_it_is_told_that_its_token_is_wrong(program: Path, discord: Discord) -> None:
    running = run(program, discord, "wrong.token.altogether")
    until(lambda: running.of("refused"))
    running.stop()
    assert running.process.returncode == 3
