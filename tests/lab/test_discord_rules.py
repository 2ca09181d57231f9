"""Discord's rules about interactions, tokens, files, people and limits, each seen by a program that speaks plain HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.discord import EVERYONE, FORUM, Discord, File, Guild, Impossible, May, Person
from tests.lab.discord.world import MIB, Channel
from tests.lab.discord_raw import CLIP, VIDEO, Bot, button, code, row, text

Json = dict[str, Any]
V2, EPHEMERAL, LOADING = 32768, 64, 128
GALLERY: Json = {"type": 12, "items": [{"media": {"url": "attachment://clip.mp4"}}]}
SHOWN: Json = {"flags": V2, "components": [text("Done"), GALLERY, row(button())], "attachments": [{"id": 0}]}
CLIPS = {0: ("clip.mp4", CLIP)}
FORM: Json = {
    "custom_id": "remix",
    "title": "Remix",
    "components": [
        {
            "type": 18,
            "label": "Prompt",
            "component": {"type": 4, "custom_id": "p", "style": 2, "value": "old", "max_length": 9},
        },
        {"type": 18, "label": "Picture", "component": {"type": 19, "custom_id": "f", "required": False}},
        {
            "type": 18,
            "label": "Shape",
            "component": {
                "type": 21,
                "custom_id": "s",
                "options": [{"label": "Wide", "value": "16:9", "default": True}, {"label": "Tall", "value": "9:16"}],
            },
        },
    ],
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
    return discord.add_person("ada", guild, locale="de")


# ---------------------------------------------------------------------------------------------------------------- the first answer


def test_the_first_answer_has_three_seconds_and_is_the_only_one(
    discord: Discord, bot: Bot, ada: Person, room: Channel
) -> None:
    late = ada.slash("video", room)
    discord.clock.advance(3.1)
    assert code(bot.answer(late, 5)) == (404, 10062)
    assert late.failed == "The application did not respond"
    use = ada.slash("video", room)
    assert bot.answer(use, 5).status == 204
    assert code(bot.answer(use, 4, {"content": "x"})) == (400, 40060)
    assert use.failed is None
    assert use.message is not None
    assert use.message.thinking


def test_a_deferred_answer_tells_the_message_id(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.slash("video", room)
    said = bot.answer(use, 5, {"flags": EPHEMERAL}, "?with_response=1").json
    assert said["resource"] == {"type": 5}
    assert said["interaction"]["response_message_loading"] is True
    assert said["interaction"]["response_message_ephemeral"] is True
    assert use.message is not None
    assert said["interaction"]["response_message_id"] == use.message.id
    use = ada.slash("video", room)
    said = bot.answer(use, 4, {"content": "hello"}, "?with_response=true").json
    assert said["resource"]["message"]["content"] == "hello"


def test_strangers_know_no_token(bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.slash("video", room)
    assert code(bot.call("POST", f"/interactions/{use.interaction.id}/wrong/callback", {"type": 5}, token=None)) == (
        404,
        10062,
    )
    assert code(bot.edit(use, {"content": "x"})) == (404, 10015)
    place = f"/webhooks/{bot.application}/wrong/messages/@original"
    assert code(bot.call("PATCH", place, {"content": "x"}, token=None)) == (401, 50027)


def test_a_token_lives_for_fifteen_minutes_and_the_bot_goes_on(
    discord: Discord, bot: Bot, ada: Person, room: Channel
) -> None:
    use = ada.slash("video", room)
    bot.answer(use, 5)
    assert use.message is not None
    discord.clock.advance(899)
    assert bot.edit(use, {"content": "still"}).status == 200
    discord.clock.advance(2)
    assert code(bot.edit(use, {"content": "late"})) == (401, 50027)
    assert code(bot.hook(use, "POST", "", {"content": "late"})) == (401, 50027)
    assert code(bot.hook(use, "DELETE", "/messages/@original")) == (401, 50027)
    place = f"/channels/{room.id}/messages/{use.message.id}"
    assert bot.call("PATCH", place, SHOWN | {"content": None}, files=CLIPS).status == 200
    assert use.message.clip is not None
    assert use.message.clip.data == CLIP


def test_the_race_after_a_deferral(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    discord.desk.registration_seconds = 1.0
    use = ada.slash("video", room)
    bot.answer(use, 5)
    assert code(bot.edit(use, {"content": "x"})) == (404, 10015)
    discord.clock.advance(1.1)
    assert bot.edit(use, {"content": "x"}).status == 200


def test_what_is_ephemeral_exists_for_one_person_and_one_token(
    discord: Discord, bot: Bot, guild: Guild, ada: Person, room: Channel
) -> None:
    bob = discord.add_person("bob", guild)
    use = ada.slash("video", room)
    bot.answer(use, 5, {"flags": EPHEMERAL})
    assert bot.edit(use, {"content": "secret"}).status == 200
    assert use.message is not None
    place = f"/channels/{room.id}/messages/{use.message.id}"
    assert code(bot.call("GET", place)) == (404, 10008)
    assert code(bot.call("PATCH", place, {"content": "x"})) == (404, 10008)
    assert bot.call("GET", f"/channels/{room.id}/messages").json == []
    assert [each.text for each in ada.messages(room)] == ["secret"]
    assert bob.messages(room) == []
    assert code(bot.edit(use, {"content": "x", "flags": 0 | EPHEMERAL})) == (400, 50035)
    ada.delete(use.message)
    assert code(bot.edit(use, {"content": "x"})) == (404, 10008)


def test_a_follow_up_to_a_deferral_is_the_deferred_message(bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.slash("video", room)
    bot.answer(use, 5)
    first = bot.hook(use, "POST", "", {"content": "one"})
    assert use.message is not None
    assert first["id"] == use.message.id
    second = bot.hook(use, "POST", "", {"content": "two"})["id"]
    assert second != use.message.id
    assert bot.hook(use, "PATCH", f"/messages/{second}", {"content": "three"}).status == 200
    assert [each.text for each in use.followups] == ["three"]
    assert bot.hook(use, "DELETE", f"/messages/{second}").status == 204
    assert code(bot.hook(use, "PATCH", f"/messages/{second}", {"content": "four"})) == (404, 10008)
    assert code(bot.hook(use, "GET", "/messages/123")) == (404, 10008)


# ------------------------------------------------------------------------------------------------------------------- user installs


def test_where_only_a_person_brought_the_application(discord: Discord, bot: Bot) -> None:
    ada = discord.add_person("ada", installed=True)
    group = discord.add_group(ada, discord.add_person("bob"))
    use = ada.slash("video", group)
    assert use.interaction.payload["authorizing_integration_owners"] == {"1": ada.id}
    assert use.interaction.payload["context"] == 2
    assert bot.answer(use, 4, {"content": "here"}).status == 204
    assert code(bot.send(group.id, {"content": "x"})) == (403, 50001)
    assert use.message is not None
    assert code(bot.call("PATCH", f"/channels/{group.id}/messages/{use.message.id}", {"content": "x"})) == (403, 50001)
    for number in range(5):
        assert bot.hook(use, "POST", "", {"content": str(number)}).status == 200
    assert code(bot.hook(use, "POST", "", {"content": "sixth"})) == (400, 40094)
    assert bot.edit(use, {"content": "edits go on"}).status == 200


def test_without_external_apps_the_answer_is_for_one_alone(discord: Discord, bot: Bot) -> None:
    there = discord.add_guild("Elsewhere", bot=False, permissions=EVERYONE & ~May.USE_EXTERNAL_APPS)
    hall = discord.add_channel(there)
    ada = discord.add_person("ada", there, installed=True)
    use = ada.slash("video", hall)
    bot.answer(use, 5)
    assert use.message is not None
    assert use.message.ephemeral
    assert "guild" in use.interaction.payload
    loud = discord.add_guild("Loud", bot=False)
    use = discord.add_person("bob", loud, installed=True).slash("video", discord.add_channel(loud))
    bot.answer(use, 5)
    assert use.message is not None
    assert not use.message.ephemeral
    with pytest.raises(Impossible):
        discord.add_person("eve", there).slash("video", hall)


# ---------------------------------------------------------------------------------------------------------------- cards and files


def test_a_card_switches_to_components_once_and_for_ever(bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.slash("video", room)
    bot.answer(use, 5)
    bot.edit(use, {"content": "plain", "embeds": [{"title": "t"}]})
    assert code(bot.edit(use, {"flags": V2, "components": [text("x")]})) == (400, 50035)
    assert bot.edit(use, {"flags": V2, "content": None, "embeds": [], "components": [text("x")]}).status == 200
    assert code(bot.edit(use, {"flags": 0})) == (400, 50035)
    assert code(bot.edit(use, {"content": "back"})) == (400, 50035)
    assert code(bot.edit(use, {"components": []})) == (400, 50006)
    assert bot.edit(use, {"components": [text("y")]}).status == 200
    assert use.message is not None
    assert (use.message.text, use.message.v2) == ("y", True)


def test_a_file_is_seen_only_where_it_is_shown_and_stays_only_when_named(bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.slash("video", room)
    bot.answer(use, 5)
    hidden = {"flags": V2, "components": [text("Done")], "attachments": [{"id": 0}]}
    kept = bot.edit(use, hidden, files=CLIPS)["attachments"][0]["id"]
    assert ada.messages(room)[0].clip is None
    shown: Json = {"components": [GALLERY], "attachments": [{"id": kept}]}
    assert bot.edit(use, shown).status == 200
    assert ada.messages(room)[0].clip is not None
    assert bot.edit(use, {"components": [text("new words"), GALLERY]}).status == 200
    assert ada.messages(room)[0].clip is not None, "without a list all files stay"
    assert code(bot.edit(use, {"attachments": []})) == (400, 50035)
    assert bot.edit(use, {"components": [text("gone")], "attachments": []}).status == 200
    assert ada.messages(room)[0].message.attachments == []
    assert code(bot.edit(use, {"components": [GALLERY]})) == (400, 50035)


def test_sizes_go_by_person_guild_and_way(discord: Discord, bot: Bot, ada: Person, room: Channel, guild: Guild) -> None:
    big = {0: ("clip.mp4", bytes(10 * MIB + 1))}
    use = ada.slash("video", room)
    assert use.interaction.payload["attachment_size_limit"] == 10 * MIB
    bot.answer(use, 5)
    assert code(bot.edit(use, {"content": "x"}, files=big)) == (413, 40005)
    assert code(bot.send(room.id, {"content": "x"}, files=big)) == (413, 40005)
    rich = discord.add_person("rich", guild, upload_limit=50 * MIB)
    use = rich.slash("video", room)
    bot.answer(use, 5)
    assert bot.edit(use, {"content": "x"}, files=big).status == 200
    assert code(bot.send(room.id, {"content": "x"}, files=big)) == (413, 40005), "the bot has no Nitro"
    guild.tier = 2
    assert bot.send(room.id, {"content": "x"}, files=big).status == 200
    guild.tier = 0
    discord.desk.over_report = MIB
    poor = ada.slash("video", discord.add_channel(guild))
    assert poor.interaction.payload["attachment_size_limit"] == 11 * MIB
    bot.answer(poor, 5)
    assert code(bot.edit(poor, {"content": "x"}, files=big)) == (413, 40005), "promised, and refused all the same"


def fetch(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_links_are_signed_and_die(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.slash("video", room, image=File("cat.png", b"png"))
    sent = next(iter(use.interaction.payload["data"]["resolved"]["attachments"].values()))
    assert sent["ephemeral"] is True
    assert fetch(sent["url"]) == 200
    assert fetch(sent["url"].replace("hm=", "hm=0")) == 404
    assert fetch(sent["url"].split("?")[0]) == 404
    said = ada.say(room, "look", File("dog.png", b"png"))
    discord.clock.advance(86_401)
    assert fetch(sent["url"]) == 404
    fresh = bot.call("GET", f"/channels/{room.id}/messages/{said.id}")["attachments"][0]["url"]
    assert fetch(fresh) == 200
    discord.cdn.down = 503
    assert fetch(fresh) == 503


def test_a_nonce_makes_one_message_and_only_in_channels(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    body = {"content": "x", "nonce": "n1", "enforce_nonce": True}
    first, again = bot.send(room.id, body)["id"], bot.send(room.id, body)["id"]
    assert first == again
    assert bot.send(room.id, {"content": "x", "nonce": "n1"})["id"] != first, "not enforced"
    assert code(bot.send(room.id, {"content": "x", "nonce": "n" * 26})) == (400, 50035)
    assert code(bot.send(room.id, {"content": "x", "enforce_nonce": True})) == (400, 50035)
    use = ada.slash("video", room)
    bot.answer(use, 5)
    assert code(bot.hook(use, "POST", "", {"content": "x", "nonce": "n1"})) == (400, 50035)
    discord.clock.advance(600)
    assert bot.send(room.id, body)["id"] != first


# ------------------------------------------------------------------------------------------------------------------- what vanishes


def test_permissions(discord: Discord, bot: Bot, guild: Guild, room: Channel) -> None:
    discord.set_permissions(room, deny=May.SEND_MESSAGES)
    assert code(bot.send(room.id, {"content": "x"})) == (403, 50013)
    discord.set_permissions(room, deny=May.ATTACH_FILES)
    assert code(bot.send(room.id, {"content": "x"}, files=CLIPS)) == (403, 50013)
    assert bot.send(room.id, {"content": "x"}).status == 200
    discord.set_permissions(room, deny=May.VIEW_CHANNEL)
    assert code(bot.send(room.id, {"content": "x"})) == (403, 50001)
    discord.set_permissions(room, guild.roles[guild.id], deny=May.VIEW_CHANNEL)
    discord.set_permissions(room, allow=May.VIEW_CHANNEL)
    assert bot.send(room.id, {"content": "x"}).status == 200


def test_the_bot_edits_only_its_own(discord: Discord, bot: Bot, ada: Person, room: Channel, guild: Guild) -> None:
    theirs = ada.say(room, "mine")
    place = f"/channels/{room.id}/messages/{theirs.id}"
    assert code(bot.call("PATCH", place, {"content": "x"})) == (403, 50005)
    assert code(bot.call("DELETE", place)) == (403, 50013)
    role = discord.add_role(guild, "mods", May.MANAGE_MESSAGES)
    guild.members[bot.application].roles.append(role)
    assert bot.call("DELETE", place).status == 204
    assert ada.messages(room) == []


def test_what_is_gone_is_gone(discord: Discord, bot: Bot, ada: Person, room: Channel, guild: Guild) -> None:
    use = ada.slash("video", room)
    bot.answer(use, 4, {"content": "x"})
    assert use.message is not None
    place = f"/channels/{room.id}/messages/{use.message.id}"
    moderator = discord.add_role(guild, "mods", May.MANAGE_MESSAGES)
    bob = discord.add_person("bob", guild)
    with pytest.raises(Impossible):
        bob.delete(use.message)
    discord.grant(bob, guild, moderator)
    bob.delete(use.message)
    assert code(bot.edit(use, {"content": "x"})) == (404, 10008)
    assert code(bot.call("PATCH", place, {"content": "x"})) == (404, 10008)
    reply = {"content": "x", "message_reference": {"message_id": place.rsplit("/", 1)[1]}}
    assert code(bot.send(room.id, reply)) == (400, 50035)
    reply["message_reference"]["fail_if_not_exists"] = False  # type: ignore[index]
    assert bot.send(room.id, reply).status == 200
    discord.delete_channel(room)
    assert code(bot.send(room.id, {"content": "x"})) == (404, 10003)
    assert code(bot.hook(use, "POST", "", {"content": "x"})) == (404, 10003)
    other = discord.add_channel(guild, "other")
    discord.remove_bot(guild)
    assert code(bot.send(other.id, {"content": "x"})) == (403, 50001)
    assert code(bot.call("GET", f"/guilds/{guild.id}")) == (404, 10004)
    discord.delete_guild(guild)
    assert code(bot.send(other.id, {"content": "x"})) == (404, 10003)


def test_threads_sleep_and_forums_hold_only_posts(discord: Discord, bot: Bot, ada: Person, guild: Guild) -> None:
    forum = discord.add_channel(guild, "films", kind=FORUM)
    post = discord.add_thread(forum, "my film", owner=ada)
    use = ada.slash("video", post)
    assert use.interaction.payload["channel"]["parent_id"] == forum.id
    bot.answer(use, 4, {"content": "x"})
    discord.archive(post)
    assert code(bot.edit(use, {"content": "x"})) == (400, 50083)
    assert bot.send(post.id, {"content": "wakes it"}).status == 200
    assert bot.edit(use, {"content": "y"}).status == 200
    discord.archive(post, locked=True)
    assert code(bot.send(post.id, {"content": "x"})) == (400, 50083)
    assert code(bot.send(forum.id, {"content": "x"}))[0] == 403


def test_direct_messages(discord: Discord, bot: Bot, ada: Person) -> None:
    def say(person: Person) -> tuple[int, int]:
        channel = bot.call("POST", "/users/@me/channels", {"recipient_id": person.id})["id"]
        return code(bot.send(channel, {"content": "ready"}))

    assert say(ada) == (200, 0)
    assert [each.text for each in ada.messages(ada.direct())] == ["ready"]
    ada.user.takes_messages = False
    assert say(ada) == (403, 50007)
    assert say(discord.add_person("stranger")) == (403, 50278)
    assert say(discord.add_person("friend", installed=True)) == (200, 0)
    ada.user.takes_messages = True
    use = ada.slash("video", ada.direct())
    assert use.interaction.payload["context"] == 1
    assert use.interaction.payload["authorizing_integration_owners"]["0"] == "0"
    assert "user" in use.interaction.payload
    assert code(bot.call("POST", "/users/@me/channels", {"recipient_id": "1"})) == (404, 10013)


def test_bells_ring_only_for_who_is_meant_and_never_for_an_edit(
    discord: Discord, bot: Bot, ada: Person, room: Channel, guild: Guild
) -> None:
    bob = discord.add_person("bob", guild)
    words = f"@everyone <@{ada.id}> <@{bob.id}>"
    bot.send(room.id, {"content": words, "allowed_mentions": {"parse": []}})
    assert (len(ada.notifications), len(bob.notifications)) == (0, 0)
    said = bot.send(room.id, {"content": words, "allowed_mentions": {"users": [ada.id]}})["id"]
    assert (len(ada.notifications), len(bob.notifications)) == (1, 0)
    bot.call("PATCH", f"/channels/{room.id}/messages/{said}", {"content": f"<@{bob.id}>"})
    assert len(bob.notifications) == 0
    card = {"flags": V2, "components": [text(f"<@{bob.id}>")]}
    bot.send(room.id, card)
    assert len(bob.notifications) == 1, "texts of components mention as well"
    assert not bot.send(room.id, {"content": "@everyone"})["mention_everyone"], "the bot may not"
    mine = ada.say(room, "hm")
    reply = {
        "content": "ready",
        "message_reference": {"message_id": mine.id},
        "allowed_mentions": {"replied_user": True},
    }
    bot.send(room.id, reply)
    assert len(ada.notifications) == 2


# ------------------------------------------------------------------------------------------------------------------------- limits


def test_buckets_say_where_they_stand(discord: Discord, bot: Bot, room: Channel, guild: Guild) -> None:
    answers = [bot.send(room.id, {"content": "x"}) for _ in range(6)]
    assert [each.headers["X-RateLimit-Remaining"] for each in answers[:5]] == ["4", "3", "2", "1", "0"]
    last = answers[5]
    assert (last.status, last["global"], last.headers["X-RateLimit-Scope"]) == (429, False, "user")
    assert 0 < last["retry_after"] <= 5
    assert int(last.headers["Retry-After"]) >= last["retry_after"]
    assert "Via" in last.headers
    assert bot.send(discord.add_channel(guild).id, {"content": "x"}).status == 200, "another channel is another bucket"
    discord.clock.advance(last["retry_after"])
    assert bot.send(room.id, {"content": "x"}).status == 200


def test_a_token_has_a_bucket_of_its_own(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    discord.limits.limits["webhook"] = (5, 2.0)
    uses = [ada.slash("video", room) for _ in range(2)]
    for use in uses:
        bot.answer(use, 5)
    assert [bot.edit(uses[0], {"content": "x"}).status for _ in range(6)] == [200] * 5 + [429]
    assert bot.edit(uses[1], {"content": "x"}).status == 200


def test_edits_are_limited_by_the_age_of_the_message(discord: Discord, bot: Bot, room: Channel) -> None:
    place = f"/channels/{room.id}/messages/{bot.send(room.id, {'content': 'x'})['id']}"

    def edit() -> tuple[int, int]:
        return code(bot.call("PATCH", place, {"content": "y"}))

    assert [edit()[0] for _ in range(4)] == [200, 200, 200, 429]
    discord.clock.advance(11)
    assert [edit()[0] for _ in range(6)] == [200] * 5 + [429]
    discord.limits.old_edits = (2, 3600.0)
    discord.clock.advance(3600)
    assert [edit()[0] for _ in range(2)] == [200, 200]
    discord.clock.advance(60)
    assert edit() == (429, 30046)
    discord.clock.advance(3600)
    assert edit() == (200, 0)


def test_the_global_limit_is_not_for_interactions(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    discord.limits.global_limit = 1
    uses = [ada.slash("video", room) for _ in range(4)]
    assert [bot.answer(use, 5).status for use in uses] == [204] * 4
    answers = [bot.call("GET", "/users/@me") for _ in range(3)]
    worst = next(each for each in answers if each.status == 429)
    assert (worst["global"], worst.headers["X-RateLimit-Scope"]) == (True, "global")


def test_too_many_invalid_requests_shut_everything(discord: Discord, bot: Bot) -> None:
    discord.limits.ban_count = 3
    discord.on("get_my_user").rate_limit(1, scope="shared")
    assert bot.call("GET", "/users/@me").status == 429
    assert len(discord.limits.invalid) == 0, "shared ones are not ours"
    for _ in range(3):
        assert bot.call("GET", "/users/@me", token="wrong").status == 401
    answer = bot.call("GET", "/users/@me")
    assert answer.status == 429
    assert "Via" not in answer.headers
    assert answer.headers.get_content_type() == "text/html"
    discord.clock.advance(601)
    assert bot.call("GET", "/users/@me").status == 200


def test_faults_come_when_they_are_due(discord: Discord, bot: Bot, room: Channel) -> None:
    discord.on("create_message").after(1).rate_limit(7)
    discord.on("create_message").refuse(50013)
    discord.on("create_message").page(413)
    said = [bot.send(room.id, {"content": "x"}) for _ in range(4)]
    assert [code(each) if each.headers.get_content_type() != "text/html" else each.status for each in said] == [
        (403, 50013), (429, 20028), 413, (200, 0),
    ]  # fmt: skip
    assert said[1]["retry_after"] >= 7
    for cut in ("cut_before", "cut_after"):
        before = len(discord.world.messages)
        getattr(discord.on("create_message"), cut)()
        with pytest.raises((ConnectionError, OSError)):
            bot.send(room.id, {"content": "x"})
        assert len(discord.world.messages) - before == (cut == "cut_after")
    discord.clock.advance(10)
    discord.on("create_message").garble()
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(bot.send(room.id, {"content": "x"}).body)
    discord.on("create_message").error_after(500)
    before = len(discord.world.messages)
    assert bot.send(room.id, {"content": "x"}).status == 500
    assert len(discord.world.messages) == before + 1


# -------------------------------------------------------------------------------------------------------------- the person is honest


def test_only_what_is_registered_can_be_used(
    discord: Discord, bot: Bot, ada: Person, room: Channel, guild: Guild
) -> None:
    wrong: list[tuple[str, Json, str]] = [
        ("film", {}, "no command"),
        ("video", {"colour": "red"}, "no option"),
        ("video", {"prompt": 7}, "text"),
        ("video", {"prompt": "x" * 501}, "characters"),
        ("video", {"seconds": 5}, "choices"),
    ]
    for name, options, said in wrong:
        with pytest.raises(Impossible, match=said):
            ada.slash(name, room, **options)
    with pytest.raises(Impossible, match="does not complete"):
        ada.autocomplete("video", "prompt", "x", room)
    admin: Json = {
        "name": "admin",
        "description": "d",
        "default_member_permissions": str(1 << 5),
        "contexts": [0],
        "options": [{"type": 1, "name": "stats", "description": "d"}],
    }
    assert bot.sync(VIDEO | {"nsfw": True}, admin).status == 200
    with pytest.raises(Impossible, match="no command"):
        ada.slash("video", room)
    assert ada.slash("video", discord.add_channel(guild, adults_only=True)).interaction.data["name"] == "video"
    with pytest.raises(Impossible, match="no command"):
        ada.slash("admin stats", room)
    discord.grant(ada, guild, discord.add_role(guild, "boss", May.MANAGE_GUILD))
    assert ada.slash("admin stats", room).interaction.data["options"] == [{"name": "stats", "type": 1, "options": []}]
    with pytest.raises(Impossible, match="needs one of"):
        ada.slash("admin", room)
    discord.set_permissions(room, ada, deny=May.USE_APPLICATION_COMMANDS)
    with pytest.raises(Impossible, match="no command"):
        ada.slash("admin stats", room)


def test_buttons_are_pressed_as_they_stand(bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.slash("video", room)
    bot.answer(
        use, 4, {"content": "x", "components": [row(button("v1:a", label="Again"), button("off", disabled=True))]}
    )
    old = use.message
    assert old is not None
    press = ada.press(old, "Again")
    assert press.interaction.payload["data"]["custom_id"] == "v1:a"
    assert press.interaction.payload["message"]["id"] == old.id
    with pytest.raises(Impossible):
        ada.press(old, "off")
    assert bot.answer(press, 7, {"components": []}).status == 204
    with pytest.raises(LookupError):
        ada.press(old, "Again")
    assert bot.edit(press, {"content": "edited by the press"}).status == 200
    assert use.text == "edited by the press"


def test_a_form_is_filled_in_as_it_says(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    use = ada.slash("video", room)
    bot.answer(use, 4, {"content": "x", "components": [row(button())]})
    assert use.message is not None
    form = ada.press(use.message, "Press")
    assert bot.answer(form, 9, FORM).status == 204
    with pytest.raises(Impossible, match="too long"):
        ada.submit(form, {"Prompt": "x" * 10})
    with pytest.raises(Impossible, match="has only"):
        ada.submit(form, s="1:1")
    with pytest.raises(Impossible, match="no field"):
        ada.submit(form, colour="red")
    sent = ada.submit(form, {"Picture": File("cat.png", b"png")}, s="9:16")
    data = sent.interaction.payload["data"]
    assert [each["component"].get("value") for each in data["components"]] == ["old", None, "9:16"]
    assert list(data["resolved"]["attachments"]) == data["components"][1]["component"]["values"]
    assert code(bot.answer(sent, 9, FORM)) == (400, 50035), "no modal after a modal"
    assert bot.answer(sent, 6).status == 204
    assert bot.edit(sent, {"content": "remixed"}).status == 200
    assert use.text == "remixed"
    deferred = ada.slash("video", room)
    bot.answer(deferred, 5)
    assert code(bot.answer(deferred, 9, FORM)) == (400, 40060), "a modal is the first answer or none"


def test_menus_carry_their_target(discord: Discord, bot: Bot, ada: Person, room: Channel) -> None:
    bob = discord.add_person("bob", avatar=b"png")
    said = ada.say(room, "look", File("cat.png", b"png"))
    use = ada.menu("Animate this", said)
    target = use.interaction.payload["data"]["resolved"]["messages"][said.id]
    assert target["attachments"][0]["filename"] == "cat.png"
    assert target["content"] == "look", "a menu carries the content without the intent"
    use = ada.user_menu("Animate avatar", bob, room)
    assert use.interaction.payload["data"]["resolved"]["users"][bob.id]["avatar"]
    assert "members" not in use.interaction.payload["data"]["resolved"]
    assert use.interaction.payload["data"]["target_id"] == bob.id
    linked = ada.say(room, "link", embed_image="https://example.com/cat.png")
    assert ada.menu("Animate this", linked).interaction.data["target_id"] == linked.id
    assert discord.door.own_faults == []
    assert bot.answer(use, 5).status == 204
