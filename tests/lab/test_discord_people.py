"""What a test can do as a person, in every place, what it can look at, and the troubles it can make."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.discord import FORUM, Discord, File, Guild, Impossible, Person, Picture
from tests.lab.discord.world import Channel
from tests.lab.discord_raw import CLIP, MENUS, VIDEO, Bot, button, code, row, text

Json = dict[str, Any]
V2 = 32768
CLIPS = {0: ("clip.mp4", CLIP)}
GALLERY: Json = {"type": 12, "items": [{"media": {"url": "attachment://clip.mp4"}, "description": "AI-generated"}]}
CARD: Json = {
    "flags": V2,
    "components": [
        {
            "type": 17,
            "components": [
                text("## A **lighthouse**\n-# 4 s · [more](https://example.com)"),
                GALLERY,
                row(button("v1:again:7", label="🎲 Again"), button("v1:star:7", label="⭐", disabled=True)),
            ],
        }
    ],
    "attachments": [{"id": 0}],
}


@pytest.fixture
def discord() -> Iterator[Discord]:
    with Discord() as found:
        yield found


@pytest.fixture
def bot(discord: Discord) -> Bot:
    found = Bot(discord)
    discord.limits.limits["webhook"] = (100, 2.0)
    assert found.sync().status == 200
    return found


@pytest.fixture
def guild(discord: Discord) -> Guild:
    return discord.add_guild()


@pytest.fixture
def room(discord: Discord, guild: Guild) -> Channel:
    return discord.add_channel(guild)


@pytest.fixture
def ada(discord: Discord, guild: Guild) -> Person:
    return discord.add_person("ada", guild, avatar=b"png")


PLACES = ["channel", "thread", "post", "direct message", "group", "foreign guild"]


def place(discord: Discord, ada: Person, room: Channel, name: str) -> Channel:
    if name == "thread":
        return discord.add_thread(room)
    if name == "post":
        assert room.guild is not None
        return discord.add_thread(discord.add_channel(room.guild, "films", kind=FORUM))
    if name == "direct message":
        return ada.direct()
    ada.user.installed = name in {"group", "foreign guild"}
    if name == "group":
        return discord.add_group(ada, discord.add_person("bob"))
    if name == "foreign guild":
        there = discord.add_guild("Elsewhere", bot=False)
        there.members[ada.id] = next(iter(discord.world.guilds.values())).members[ada.id]
        return discord.add_channel(there)
    return room


@pytest.mark.parametrize("name", PLACES)
def test_everything_can_be_done_everywhere(discord: Discord, bot: Bot, ada: Person, room: Channel, name: str) -> None:
    everywhere = {"integration_types": [0, 1], "contexts": [0, 1, 2]}
    bot.sync(VIDEO, *(menu | everywhere for menu in MENUS))
    ada.enter(place(discord, ada, room, name))
    use = ada.slash("video", prompt="a lighthouse", image=File("cat.png", b"123"))
    assert bot.answer(use, 5).status == 204
    assert bot.edit(use, CARD, files=CLIPS).status == 200
    [card] = ada.messages()
    assert card.clip is not None
    assert ada.download(card.clip) == CLIP
    press = ada.press(card, "again")
    form: Json = {"type": 18, "label": "Prompt", "component": {"type": 4, "custom_id": "p", "style": 2}}
    assert bot.answer(press, 9, {"custom_id": "m", "title": "Remix", "components": [form]}).status == 204
    sent = ada.submit(press, {"Prompt": "new"})
    assert bot.answer(sent, 4, {"content": "ok", "flags": 64}).status == 204
    typing = ada.autocomplete("video", "model", "ve")
    assert bot.answer(typing, 8, {"choices": [{"name": "Veo", "value": "veo"}]}).status == 204
    assert typing.choices == [("Veo", "veo")]
    for menu in (ada.menu("Animate this", card), ada.user_menu("Animate avatar", ada)):
        assert bot.answer(menu, 4, {"content": "soon", "flags": 64}).status == 204
    assert [each.ephemeral for each in ada.messages()] == [False, True, True, True]


def test_somebody_has_to_be_somewhere(bot: Bot, ada: Person) -> None:
    with pytest.raises(Impossible, match="which channel"):
        ada.slash("video")


def test_a_button_goes_by_label_emoji_and_verb(bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.enter(room).slash("video")
    bot.answer(
        use,
        4,
        {
            "content": "x",
            "components": [row(button("v1:again:7", label="🎲 Again"), button("v1:info:7", label="Info"))],
        },
    )
    assert use.message is not None
    for name in ("🎲 Again", "Again", "again", "v1:again:7"):
        assert use.message.button(name).custom_id == "v1:again:7"
    with pytest.raises(LookupError, match="no button 'star'"):
        use.message.button("star")
    with pytest.raises(LookupError, match="fits 2"):
        use.message.button("v1")


def test_a_message_is_read_aloud(bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.enter(room).slash("video")
    bot.answer(use, 5)
    assert use.message is not None
    assert list(use.message.spoken) == ["reelay, app", "reelay is thinking"]
    bot.edit(use, CARD, files=CLIPS)
    assert list(use.message.spoken) == [
        "reelay, app",
        "A lighthouse",
        "4 s · more, link",
        "AI-generated, video",
        "🎲 Again, button",
        "⭐, button, dimmed",
    ]
    private = ada.slash("video")
    bot.answer(private, 4, {"content": "no", "flags": 64}, files=None)
    assert private.message is not None
    assert private.message.aloud.endswith("Only you can see this")
    said = ada.say(room, "look", File("cat.png", b"x"))
    assert said.spoken == ("ada", "look", "cat.png, no description, file")


def test_a_message_keeps_its_past(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.enter(room).slash("video")
    bot.answer(use, 5)
    for percent in (10, 60):
        discord.clock.advance(5)
        bot.edit(use, {"content": f"{percent} %"})
    assert [moment.text for moment in use.history] == ["is thinking…", "10 %", "60 %"]
    first, second, third = (moment.at for moment in use.history)
    assert 5 <= second - first < 8
    assert 5 <= third - second < 8
    assert use.message is not None
    assert ada.history(use.message) == use.history
    assert discord.edits_of(use.message) == pytest.approx([second, third], abs=1)


def test_a_shown_file_is_not_listed_and_an_unshown_one_is_noted(
    discord: Discord, bot: Bot, ada: Person, room: Channel
) -> None:
    """discord-api-docs#8277: whoever wants the link reads it from the component."""
    use = ada.enter(room).slash("video")
    bot.answer(use, 5)
    said = bot.edit(use, CARD, files=CLIPS).json
    assert said["attachments"] == []
    item = said["components"][0]["components"][1]["items"][0]["media"]
    assert "/clip.mp4?ex=" in item["url"]
    assert discord.journal.of("unshown") == []
    kept = {"components": [text("later"), GALLERY], "attachments": [{"id": item["attachment_id"]}]}
    assert bot.edit(use, kept).status == 200
    assert bot.edit(use, {"components": [text("hidden")]}).status == 200
    assert [line["filename"] for line in discord.journal.of("unshown")] == ["clip.mp4"]
    plain = bot.send(room.id, {"content": "x"}, files=CLIPS).json
    assert [each["filename"] for each in plain["attachments"]] == ["clip.mp4"]
    picture = {"content": "x", "embeds": [{"image": {"url": "attachment://a.png"}}]}
    assert bot.send(room.id, picture, files={0: ("a.png", PNG)})["attachments"] == []


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)


def test_ephemeral_files_go_after_a_while(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.enter(room).slash("video", image=File("cat.png", PNG))
    [sent] = use.interaction.payload["data"]["resolved"]["attachments"].values()
    stored = discord.world.attachments[sent["id"]]
    picture = Picture("attachment", "cat.png", "image/png", discord.forms.link(stored))
    assert ada.download(picture) == PNG
    discord.clock.advance(15 * 86_400)
    fresh = Picture("attachment", "cat.png", "image/png", discord.forms.link(stored))
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ada.download(fresh)


# -------------------------------------------------------------------------------------------------------------------- troubles


def test_answers_fail_are_lost_or_come_late(discord: Discord, bot: Bot, room: Channel) -> None:
    for status in (500, 502, 429):
        discord.fail("create_message", status)
    assert [bot.send(room.id, {"content": "x"}).status for _ in range(4)] == [500, 502, 429, 200]
    discord.lose_answers("create_message")
    with pytest.raises(ConnectionError):
        bot.send(room.id, {"content": "lost"})
    assert [m.content for m in discord.world.in_channel(room)] == ["x", "lost"]
    discord.delay(0.15)
    assert timed(lambda: bot.call("GET", "/users/@me")) >= 0.15
    discord.delay(0)
    assert timed(lambda: bot.call("GET", "/users/@me")) < 0.15


def timed(work: Any) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_tokens_die(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.enter(room).slash("video")
    bot.answer(use, 5)
    discord.kill_token(use.interaction)
    assert code(bot.edit(use, {"content": "x"})) == (401, 50027)
    old = discord.token
    discord.revoke_token()
    assert code(bot.call("GET", "/users/@me", token=old)) == (401, 0)
    assert bot.call("GET", "/users/@me").status == 200


def test_sizes_are_refused_whatever_was_promised(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.enter(room).slash("video")
    bot.answer(use, 5)
    discord.refuse_uploads_above(1000)
    assert code(bot.edit(use, CARD, files=CLIPS)) == (413, 40005)
    assert code(bot.send(room.id, {"content": "x"}, files=CLIPS)) == (413, 40005)
    discord.refuse_uploads_above(None)
    assert bot.edit(use, CARD, files=CLIPS).status == 200


@pytest.mark.parametrize("tier, most", [(0, 10), (1, 10), (2, 50), (3, 100)])
def test_a_guild_allows_what_its_boosts_allow(
    discord: Discord, bot: Bot, ada: Person, guild: Guild, room: Channel, tier: int, most: int
) -> None:
    guild.tier = tier
    use = ada.enter(room).slash("video")
    assert use.interaction.payload["attachment_size_limit"] == most << 20
    assert ada.enter(ada.direct()).slash("video").interaction.payload["attachment_size_limit"] == 10 << 20
    assert bot.call("GET", f"/guilds/{guild.id}")["premium_tier"] == tier


def test_a_message_is_deleted_and_the_bot_is_kicked(
    discord: Discord, bot: Bot, ada: Person, guild: Guild, room: Channel
) -> None:
    use = ada.enter(room).slash("video")
    bot.answer(use, 5)
    assert use.message is not None
    discord.delete_message(use.message)
    assert code(bot.edit(use, {"content": "x"})) == (404, 10008)
    assert code(bot.hook(use, "GET", "/messages/@original")) == (404, 10008)
    discord.remove_bot(guild)
    assert code(bot.send(room.id, {"content": "x"})) == (403, 50001)
    with pytest.raises(Impossible, match="no command"):
        ada.slash("video")


def test_who_may_not_see_a_place_is_told_nothing_of_it(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    eve = discord.add_person("eve")
    use = ada.enter(room).slash("video")
    bot.answer(use, 4, {"content": "x"})
    assert use.message is not None
    assert eve.messages(room) == []
    with pytest.raises(Impossible):
        eve.press(use.message, "Press")
    with pytest.raises(Impossible):
        eve.say(room, "hi")


def test_age_restricted_places_say_so(discord: Discord, bot: Bot, ada: Person, guild: Guild) -> None:
    hall = discord.add_channel(guild, "late", adults_only=True)
    thread = discord.add_thread(hall)
    assert ada.slash("video", hall).interaction.payload["channel"]["nsfw"] is True
    inside = ada.slash("video", thread).interaction.payload["channel"]
    assert "nsfw" not in inside, "a thread does not say it itself: its parent does"
    assert bot.call("GET", f"/channels/{inside['parent_id']}")["nsfw"] is True
