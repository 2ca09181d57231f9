"""discord.js, a client that shares no line with discord.py, lives in the simulator as well."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.lab.discord import Discord, File
from tests.lab.waiting import until

HERE = Path(__file__).parent / "discord_js"
Json = dict[str, Any]


def _absent(reason: str) -> NoReturn:
    """Without what this needs it is skipped, but never silently where everything must run."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client with its packages, as the lock names them, in a folder of its own."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _absent("node and npm are not installed")
    folder = tmp_path_factory.mktemp("discord-js")
    for name in ("package.json", "package-lock.json", "client.js"):
        shutil.copy(HERE / name, folder / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    command += ["--fetch-retries=0", "--fetch-timeout=15000"]  # a machine without a registry is told apart soon
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=40, check=False)
    except subprocess.TimeoutExpired:
        _absent("npm did not install discord.js within 40 seconds")
    if done.returncode:
        _absent(f"npm could not install discord.js: {done.stderr[-300:]}")
    return folder / "client.js"


class Running:
    """The process and what it said."""

    def __init__(self, script: Path, discord: Discord, token: str) -> None:
        command = ["node", str(script), f"{discord.url}/api", token, discord.world.application_id]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.said: list[Json] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def of(self, what: str) -> list[Json]:
        return [line for line in self.said if line["what"] == what]

    def stop(self) -> str:
        """End it by the end of its input; returns what it complained about."""
        try:
            _, complaints = self.process.communicate(timeout=20)
        except ValueError:
            complaints = ""
        finally:
            self.process.kill()
            self.process.wait(10)
            self._thread.join(10)
        return str(complaints)


@pytest.fixture
def discord() -> Iterator[Discord]:
    with Discord() as found:
        yield found


def test_a_second_client_does_it_all(program: Path, discord: Discord) -> None:
    guild = discord.add_guild()
    room = discord.add_channel(guild)
    ada = discord.add_person("ada", guild, locale="de")
    running = Running(program, discord, discord.token)
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
    running = Running(program, discord, "wrong.token.altogether")
    until(lambda: running.of("refused"))
    running.stop()
    assert running.process.returncode == 3
