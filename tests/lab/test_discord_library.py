"""An unmodified discord.py 2.7.1 lives in the simulator; only its class-level addresses are ours, and given back afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands, ui

from tests.lab.discord import Channel, Discord, File, Person
from tests.lab.discord_raw import CLIP
from tests.lab.waiting import until_async


class Remix(ui.Modal, title="Remix"):
    """A form with words and a picture."""

    prompt: Any = ui.Label(text="Prompt", component=ui.TextInput(default="old"))
    picture: Any = ui.Label(text="Picture", component=ui.FileUpload(required=False))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        picture = self.picture.component.values
        size = len(await picture[0].read()) if picture else 0
        await interaction.response.send_message(f"{self.prompt.component.value}, {size} bytes", ephemeral=True)


class Card(ui.LayoutView):
    """A card with a clip that plays and two buttons."""

    def __init__(self, words: str) -> None:
        super().__init__(timeout=None)
        again: Any = ui.Button(label="Again", custom_id="again")
        gallery: Any = ui.MediaGallery(discord.MediaGalleryItem("attachment://clip.mp4", description="AI-generated"))
        row: Any = ui.ActionRow(again, ui.Button(label="Site", url="https://example.com"))
        self.add_item(ui.Container(ui.TextDisplay(words), gallery, row, accent_colour=0xF5A524))

        async def press(interaction: discord.Interaction) -> None:
            await interaction.response.send_modal(Remix())

        again.callback = press


class Program:
    """A bot in the library's own idiom."""

    def __init__(self, client: type[discord.Client] = discord.Client) -> None:
        connector = aiohttp.TCPConnector(limit=32)
        self.client = client(intents=discord.Intents.default(), guild_ready_timeout=0, connector=connector)
        self.tree = app_commands.CommandTree(self.client)
        self.errors: list[BaseException] = []
        self.resumed, self.ready = 0, 0
        self.video_done = asyncio.Event()
        self._register()

    def _register(self) -> None:
        client, tree = self.client, self.tree

        @client.event
        async def on_resumed() -> None:
            self.resumed += 1

        @client.event
        async def on_ready() -> None:
            self.ready += 1

        @tree.error
        async def on_error(interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
            del interaction
            self.errors.append(getattr(error, "original", error))

        @app_commands.allowed_installs(guilds=True, users=True)
        @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
        async def video(
            interaction: discord.Interaction, prompt: str, image: discord.Attachment | None = None, model: str = "local"
        ) -> None:
            await interaction.response.defer()
            size = len(await image.read()) if image else 0
            for percent in (10, 50, 90):
                await interaction.edit_original_response(content=f"{prompt} {percent} % {size}")
            await self.finish(interaction, prompt, model)

        command: Any = app_commands.Command(name="video", description="Make a clip", callback=video)

        @command.autocomplete("model")  # type: ignore[untyped-decorator]
        async def models(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"{current}-{interaction.locale.value}", value=current)]

        tree.add_command(command)

        @tree.context_menu(name="Animate this")
        async def animate(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(message.attachments[0].filename)

        @tree.context_menu(name="Remix this")
        async def remix(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_modal(Remix())

    async def finish(self, interaction: discord.Interaction, prompt: str, model: str) -> None:
        """Turn the answer into the card with the clip."""
        clip = discord.File(io.BytesIO(CLIP), "clip.mp4")
        await interaction.edit_original_response(content=None, attachments=[clip], view=Card(f"{prompt} by {model}"))
        await interaction.followup.send("a second message", ephemeral=True)
        self.video_done.set()


@asynccontextmanager
async def addresses(lab: Discord) -> AsyncIterator[None]:
    """facts of discord.py 2.7.1: Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY and Asset.BASE are all that needs to be ours."""
    kept = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    discord.http.Route.BASE = lab.api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(lab.gateway_url)
    discord.Asset.BASE = lab.url
    try:
        yield
    finally:
        discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE = kept


@asynccontextmanager
async def running(lab: Discord, client: type[discord.Client] = discord.Client) -> AsyncIterator[Program]:
    async with addresses(lab):
        program = Program(client)
        task = asyncio.create_task(program.client.start(lab.token))
        try:
            await until_async(lambda: program.ready or task.done(), what="on_ready")
            await program.tree.sync()
            yield program
        finally:
            await program.client.close()
            with contextlib.suppress(asyncio.CancelledError):
                await task


class World:
    """A guild with a room and somebody in it."""

    def __init__(self, lab: Discord) -> None:
        self.guild = lab.add_guild(locale="fr")
        self.room: Channel = lab.add_channel(self.guild)
        self.ada: Person = lab.add_person("ada", self.guild, locale="de")


@pytest.mark.parametrize("client", [discord.Client, discord.AutoShardedClient])
async def test_from_login_to_the_clip(client: type[discord.Client]) -> None:
    with Discord() as lab:
        world = World(lab)
        async with running(lab, client) as program:
            assert [each["name"] for each in lab.commands.of(None)] == ["video", "Animate this", "Remix this"]
            assert [guild.name for guild in program.client.guilds] == ["Cinema"]
            use = world.ada.slash("video", world.room, prompt="sea", image=File("cat.png", b"123"))
            await until_async(lambda: program.video_done.is_set() or program.errors)
            assert program.errors == []
            card = use.message
            assert card is not None
            assert (card.text, card.labels, card.accent) == ("sea by local", ["Again", "Site"], 0xF5A524)
            assert card.clip is not None
            assert (card.clip.data, card.clip.description) == (CLIP, "AI-generated")
            assert [line["text"] for line in lab.journal.of("edited", message=card.id)] == [
                "sea 10 % 3", "sea 50 % 3", "sea 90 % 3", "sea by local",
            ]  # fmt: skip
            assert [each.text for each in use.followups] == ["a second message"]
            assert lab.journal.malformed() == []


async def test_autocomplete_menus_and_forms() -> None:
    with Discord() as lab:
        world = World(lab)
        async with running(lab) as program:
            typing = world.ada.autocomplete("video", "model", "ve", world.room, prompt="x")
            await until_async(lambda: typing.choices)
            assert typing.choices == [("ve-de", "ve")]
            said = world.ada.say(world.room, "look", File("cat.png", b"png"))
            use = world.ada.menu("Animate this", said)
            await until_async(lambda: use.text)
            assert use.text == "cat.png"
            form = world.ada.menu("Remix this", said)
            await until_async(lambda: form.modal)
            sent = world.ada.submit(form, {"Prompt": "new", "Picture": [File("dog.png", b"12345")]})
            await until_async(lambda: sent.text)
            assert sent.text == "new, 5 bytes"
            assert sent.message is not None
            assert sent.message.ephemeral
            made = world.ada.slash("video", world.room, prompt="sea")
            await until_async(lambda: made.message and made.message.labels)
            assert made.message is not None
            form = world.ada.press(made.message, "Again")
            await until_async(lambda: form.modal)
            assert program.errors == []


async def test_in_a_group_where_only_a_person_brought_it() -> None:
    with Discord() as lab:
        ada = lab.add_person("ada", installed=True)
        async with running(lab) as program:
            use = ada.slash("video", lab.add_group(ada, lab.add_person("bob")), prompt="sea")
            await until_async(lambda: program.video_done.is_set() or program.errors)
            assert program.errors == []
            assert use.text == "sea by local"


async def test_a_token_that_died_and_the_bots_own_way() -> None:
    with Discord() as lab:
        world = World(lab)
        async with running(lab) as program:

            async def finish(interaction: discord.Interaction, prompt: str, model: str) -> None:
                del prompt, model
                lab.clock.advance(901)
                try:
                    await interaction.edit_original_response(content="late")
                except discord.HTTPException as error:
                    program.errors.append(error)
                assert use.message is not None
                channel = program.client.get_partial_messageable(world.room.id)  # type: ignore[arg-type]
                message = channel.get_partial_message(int(use.message.id))
                clip = discord.File(io.BytesIO(CLIP), "clip.mp4")
                await message.edit(content=None, attachments=[clip], view=Card("by the bot"))
                program.video_done.set()

            program.finish = finish  # type: ignore[method-assign]
            use = world.ada.slash("video", world.room, prompt="sea")
            await until_async(program.video_done.is_set)
            [error] = program.errors
            assert isinstance(error, discord.HTTPException)
            assert (error.status, error.code) == (401, 50027)
            assert use.message is not None
            assert use.message.clip is not None


async def test_rate_limits_are_sat_out_or_taken_for_a_ban() -> None:
    with Discord() as lab:
        world = World(lab)
        async with running(lab) as program:
            channel: Any = program.client.get_channel(int(world.room.id))
            lab.on("create_message").rate_limit(0.2)
            await channel.send("sat out")
            assert [line["status"] for line in lab.journal.requests("create_message")] == [429, 200]
            lab.on("create_message").rate_limit(0.2, via=False)
            with pytest.raises(discord.HTTPException):
                await channel.send("a ban")
            assert [each.text for each in world.ada.messages(world.room)] == ["sat out"]
            nonce = {"nonce": "abc", "mention_author": True}
            mine = world.ada.say(world.room, "please")
            reply = await channel.send("ready", reference=channel.get_partial_message(int(mine.id)), **nonce)
            assert reply.reference.message_id == int(mine.id)
            assert len(world.ada.notifications) == 1


async def test_resuming_after_a_drop_a_reconnect_and_an_invalid_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lab.discord.interactions.ANSWER_SECONDS", 15.0)  # of a busy machine
    with Discord() as lab:
        world = World(lab)
        async with running(lab) as program:
            await asyncio.to_thread(lambda: lab.run(lab.gateway.close(4000)))
            await until_async(lambda: program.resumed == 1, what="RESUMED")
            await asyncio.to_thread(lambda: lab.run(lab.gateway.op(7)))
            await until_async(lambda: program.resumed == 2, what="RESUMED")
            await asyncio.to_thread(lambda: lab.run(lab.gateway.close(0)))
            await until_async(lambda: program.resumed == 3, what="RESUMED")
            assert len(lab.gateway.identifies) == 1
            lab.gateway.identify_seconds = 0
            await asyncio.to_thread(lambda: lab.run(lab.gateway.op(9, data=False)))
            await until_async(lambda: program.ready == 2, what="a new session")
            assert len(lab.gateway.identifies) == 2
            lab.gateway.copies = 2
            use = world.ada.menu("Animate this", world.ada.say(world.room, "x", File("a.png", b"x")))
            await until_async(lambda: use.text)
            second = "create_interaction_response", 400
            await until_async(lambda: lab.journal.requests(*second), what="the second copy's 40060")
            assert lab.journal.requests(*second)[0]["code"] == 40060


async def test_a_wrong_token_and_forbidden_intents_end_the_client() -> None:
    with Discord() as lab:
        async with addresses(lab):
            client = discord.Client(intents=discord.Intents.default())
            with pytest.raises(discord.LoginFailure):
                await client.start("wrong")
            await client.close()
            client = discord.Client(intents=discord.Intents.all())
            with pytest.raises(discord.PrivilegedIntentsRequired):
                await asyncio.wait_for(client.start(lab.token), 20)
            await client.close()


async def test_one_malformed_event_ends_the_bare_library() -> None:
    """What the product must survive: an interaction without a channel's position raises out of the library's loop."""
    with Discord() as lab:
        world = World(lab)
        async with addresses(lab):
            program = Program()
            task = asyncio.create_task(program.client.start(lab.token))
            await until_async(lambda: program.ready)
            await asyncio.to_thread(lab.tell, "INTERACTION_CREATE", {"id": "1", "type": 2}, world.guild)
            with pytest.raises(KeyError):
                await asyncio.wait_for(task, 10)
            await program.client.close()
