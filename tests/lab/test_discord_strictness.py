"""Bodies that the official OpenAPI document lets pass and Discord does not: each is refused, and its mended twin is taken."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.discord import Channel, Discord, Person, Use
from tests.lab.discord_raw import VIDEO, Bot, button, code, row, text

Json = dict[str, Any]
V2 = 32768


class World:
    """One simulator for all tests of this file, with fresh interactions."""

    def __init__(self, discord: Discord) -> None:
        self.discord, self.bot = discord, Bot(discord)
        self.guild = discord.add_guild()
        self.room: Channel = discord.add_channel(self.guild)
        self.ada: Person = discord.add_person("ada", self.guild)
        self.bot.sync()
        for name in (*discord.limits.limits,):
            discord.limits.limits[name] = (10_000, 1.0)
        discord.limits.global_limit = 10_000

    def use(self, **options: Any) -> Use:
        return self.ada.slash("video", self.room, prompt="x", **options)

    def deferred(self) -> Use:
        use = self.use()
        assert self.bot.answer(use, 5).status == 204
        return use


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Discord() as discord:
        yield World(discord)


def modal(*components: Json, title: str = "T") -> Json:
    return {"custom_id": "m", "title": title, "components": list(components)}


def label(custom_id: str, **more: Any) -> Json:
    return {"type": 18, "label": "L", "component": {"type": 4, "custom_id": custom_id, "style": 1, **more}}


def embed(length: int) -> Json:
    return {"description": "x" * length}


GALLERY: Json = {"type": 12, "items": [{"media": {"url": "https://example.com/a.png"}}]}
ITEM: Json = {"media": {"url": "https://example.com/a.png"}}
SELECT: Json = {"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}]}
MESSAGES: dict[str, tuple[Json, Json]] = {
    # name: (refused, taken)
    "content over 2000": ({"content": "x" * 2001}, {"content": "x" * 2000}),
    "embeds over 6000": ({"embeds": [embed(3001), embed(3000)]}, {"embeds": [embed(3000), embed(3000)]}),
    "V2 with content": (
        {"flags": V2, "content": "x", "components": [text("x")]},
        {"flags": V2, "components": [text("x")]},
    ),
    "V2 with embeds": ({"flags": V2, "embeds": [embed(3)], "components": [text("x")]}, {"embeds": [embed(3)]}),
    "V2 without components": ({"flags": V2}, {"flags": V2, "components": [text("x")]}),
    "V2 components without the flag": ({"components": [text("x")]}, {"components": [row(button())]}),
    "more than 40 components": (
        {"flags": V2, "components": [{"type": 17, "components": [text("x")] * 40}]},
        {"flags": V2, "components": [{"type": 17, "components": [text("x")] * 39}]},
    ),
    "more than 4000 characters of text": (
        {"flags": V2, "components": [text("x" * 2001), text("x" * 2000)]},
        {"flags": V2, "components": [text("x" * 2000), text("x" * 2000)]},
    ),
    "a media address that is none": (
        {"flags": V2, "components": [{"type": 12, "items": [{"media": {"url": "not an address"}}]}]},
        {"flags": V2, "components": [GALLERY]},
    ),
    "a file that was not sent": (
        {"flags": V2, "components": [{"type": 12, "items": [{"media": {"url": "attachment://no.mp4"}}]}]},
        {"flags": V2, "components": [GALLERY]},
    ),
    "a file component that shows a web address": (
        {"flags": V2, "components": [{"type": 13, "file": {"url": "https://example.com/a.png"}}]},
        {"flags": V2, "components": [GALLERY]},
    ),
    "a button without custom_id": ({"components": [row(button(None))]}, {"components": [row(button())]}),
    "two buttons of one custom_id": (
        {"components": [row(button("a"), button("a"))]},
        {"components": [row(button("a"), button("b"))]},
    ),
    "a link with custom_id": (
        {"components": [row(button("a", style=5, url="https://example.com"))]},
        {"components": [row(button(None, style=5, url="https://example.com"))]},
    ),
    "a button without a face": (
        {"components": [row({"type": 2, "style": 1, "custom_id": "a"})]},
        {"components": [row({"type": 2, "style": 1, "custom_id": "a", "emoji": {"name": "🎲"}})]},
    ),
    "six rows": (
        {"components": [row(button(str(n))) for n in range(6)]},
        {"components": [row(button(str(n))) for n in range(5)]},
    ),
    "nothing at all": ({}, {"content": "x"}),
    "only white space": ({"content": " \n"}, {"content": "x"}),
    "a name that nobody knows": ({"content": "x", "colour": 3}, {"content": "x"}),
    "a name that nobody knows, inside": (
        {"components": [row(button("a", size=3))]},
        {"components": [row(button("a"))]},
    ),
    "an attachment that was not sent": (
        {"content": "x", "attachments": [{"id": 0}]},
        {"content": "x", "attachments": []},
    ),
    "parse and users": (
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        {"content": "x", "allowed_mentions": {"parse": [], "users": ["1"]}},
    ),
    "a custom_id over 100": (
        {"components": [row(button("c" * 101))]},
        {"components": [row(button("c" * 100))]},
    ),
    "a label over 80": (
        {"components": [row(button("a", label="l" * 81))]},
        {"components": [row(button("a", label="l" * 80))]},
    ),
    "six buttons in a row": (
        {"components": [row(*(button(str(n)) for n in range(6)))]},
        {"components": [row(*(button(str(n)) for n in range(5)))]},
    ),
    "one custom_id in two rows": (
        {"components": [row(button("a")), row(button("a"))]},
        {"components": [row(button("a")), row(button("b"))]},
    ),
    "an empty row": ({"components": [row()]}, {"components": [row(button())]}),
    "an empty text": ({"flags": V2, "components": [text("")]}, {"flags": V2, "components": [text("x")]}),
    "an empty container": (
        {"flags": V2, "components": [{"type": 17, "components": []}]},
        {"flags": V2, "components": [{"type": 17, "components": [text("x")]}]},
    ),
    "a container in a container": (
        {"flags": V2, "components": [{"type": 17, "components": [{"type": 17, "components": [text("x")]}]}]},
        {"flags": V2, "components": [{"type": 17, "components": [text("x")]}, {"type": 17, "components": [text("y")]}]},
    ),
    "a section without its accessory": (
        {"flags": V2, "components": [{"type": 9, "components": [text("x")]}]},
        {"flags": V2, "components": [{"type": 9, "components": [text("x")], "accessory": button()}]},
    ),
    "a gallery of eleven": (
        {"flags": V2, "components": [{"type": 12, "items": [ITEM] * 11}]},
        {"flags": V2, "components": [{"type": 12, "items": [ITEM] * 10}]},
    ),
    "a description over 1024": (
        {"flags": V2, "components": [{"type": 12, "items": [ITEM | {"description": "d" * 1025}]}]},
        {"flags": V2, "components": [{"type": 12, "items": [ITEM | {"description": "d" * 1024}]}]},
    ),
    "a colour that is none": (
        {"flags": V2, "components": [{"type": 17, "accent_color": 1 << 24, "components": [text("x")]}]},
        {"flags": V2, "components": [{"type": 17, "accent_color": (1 << 24) - 1, "components": [text("x")]}]},
    ),
    "a select beside a button": (
        {"components": [row(SELECT, button("b"))]},
        {"components": [row(SELECT), row(button("b"))]},
    ),
    "26 options of a select": (
        {"components": [row(SELECT | {"options": [{"label": str(n), "value": str(n)} for n in range(26)]})]},
        {"components": [row(SELECT | {"options": [{"label": str(n), "value": str(n)} for n in range(25)]})]},
    ),
    "eleven embeds": ({"embeds": [embed(1)] * 11}, {"embeds": [embed(1)] * 10}),
    "a modal's field in a message": (
        {"components": [row({"type": 4, "custom_id": "a", "style": 1, "label": "L"})]},
        {"components": [row(button())]},
    ),
    "an unknown kind of mention": (
        {"content": "x", "allowed_mentions": {"parse": ["members"]}},
        {"content": "x", "allowed_mentions": {"parse": ["users", "roles", "everyone"]}},
    ),
    "a flag of others": ({"content": "x", "flags": 1 << 1}, {"content": "x", "flags": 1 << 2}),
}


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("route", ["channel", "answer", "edit", "follow-up"])
def test_a_message_that_discord_refuses(world: World, name: str, route: str) -> None:
    refused, taken = copy.deepcopy(MESSAGES[name])

    def say(body: Json) -> tuple[int, int]:
        if route == "channel":
            return code(world.bot.send(world.room.id, body))
        if route == "answer":
            return code(world.bot.answer(world.use(), 4, body))
        if route == "edit":
            return code(world.bot.edit(world.deferred(), body))
        use = world.use()
        assert world.bot.answer(use, 4, {"content": "first"}).status == 204
        return code(world.bot.hook(use, "POST", "", body))

    status, why = say(refused)
    assert status == 400, name
    assert why in {50035, 50006}
    assert say(taken)[0] in {200, 204}


def test_a_refused_body_changes_nothing(world: World) -> None:
    use = world.deferred()
    assert world.bot.edit(use, {"content": "good"}).status == 200
    assert world.bot.edit(use, {"content": "x" * 2001}).status == 400
    assert use.text == "good"


COMMANDS: dict[str, Json] = {
    "upper case": {"name": "Video"},
    "a space in the name": {"name": "make video"},
    "a localised name in upper case": {"name_localizations": {"de": "Film"}},
    "no description": {"description": None},
    "an empty description": {"description": ""},
    "an unknown locale": {"name_localizations": {"tlh": "video"}},
    "a locale that only the document knows": {"description_localizations": {"ar": "x"}},
    "an unknown field": {"colour": "red"},
    "choices and autocomplete": {
        "options": [
            {"type": 3, "name": "a", "description": "a", "autocomplete": True, "choices": [{"name": "x", "value": "x"}]}
        ]
    },
    "required after optional": {
        "options": [
            {"type": 3, "name": "a", "description": "a"},
            {"type": 3, "name": "b", "description": "b", "required": True},
        ]
    },
    "a number as a text's choice": {
        "options": [{"type": 3, "name": "a", "description": "a", "choices": [{"name": "x", "value": 1}]}]
    },
    "two options of one name": {"options": [{"type": 3, "name": "a", "description": "a"}] * 2},
    "more than 8000 characters": {
        "options": [
            {
                "type": 3,
                "name": f"o{n}",
                "description": "d",
                "choices": [{"name": f"{n}-{m}", "value": "v" * 100} for m in range(25)],
            }
            for n in range(4)
        ]
    },
    "an option's name in upper case": {"options": [{"type": 3, "name": "A", "description": "a"}]},
    "a description over 100": {"description": "d" * 101},
    "a name over 32": {"name": "n" * 33},
    "a choice's value over 100": {
        "options": [{"type": 3, "name": "a", "description": "a", "choices": [{"name": "x", "value": "v" * 101}]}]
    },
    "26 choices": {
        "options": [
            {
                "type": 3,
                "name": "a",
                "description": "a",
                "choices": [{"name": str(n), "value": str(n)} for n in range(26)],
            }
        ]
    },
    "file types for a text": {"options": [{"type": 3, "name": "a", "description": "a", "file_types": ["image"]}]},
    "a file type that is none": {"options": [{"type": 11, "name": "a", "description": "a", "file_types": ["png"]}]},
    "a text of more than 6000": {"options": [{"type": 3, "name": "a", "description": "a", "max_length": 6001}]},
    "a context that is none": {"contexts": [3]},
    "sub-commands beside options": {
        "options": [
            {"type": 1, "name": "a", "description": "a"},
            {"type": 3, "name": "b", "description": "b"},
        ]
    },
    "26 options": {"options": [{"type": 3, "name": f"o{n}", "description": "a"} for n in range(26)]},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_discord_refuses(world: World, name: str) -> None:
    wrong = {field: value for field, value in (VIDEO | COMMANDS[name]).items() if value is not None}
    assert code(world.bot.sync(wrong)) == (400, 50035)
    assert [each["name"] for each in world.discord.commands.of(None)] == ["video", "Animate this", "Animate avatar"]


def test_the_number_of_commands_is_limited_by_type(world: World) -> None:
    many = [{"name": f"c{n}", "description": "d"} for n in range(101)]
    assert code(world.bot.sync(*many)) == (400, 50035)
    assert code(world.bot.sync(*[{"name": f"Menu {n}", "type": 3} for n in range(16)])) == (400, 50035)
    assert code(world.bot.sync(VIDEO, VIDEO)) == (400, 50035)
    contexts = f"/applications/{world.bot.application}/guilds/{world.guild.id}/commands"
    assert code(world.bot.call("PUT", contexts, [VIDEO])) == (400, 50035)
    assert world.bot.sync().status == 200


def test_a_day_has_200_new_commands(world: World) -> None:
    path = f"/applications/{world.bot.application}/guilds/{world.guild.id}/commands"
    for turn in range(2):
        assert (
            world.bot.call("PUT", path, [{"name": f"c{turn}-{n}", "description": "d"} for n in range(100)]).status
            == 200
        )
    assert code(world.bot.call("PUT", path, [{"name": "straw", "description": "d"}])) == (400, 30034)
    assert world.bot.call("PUT", path, []).status == 200


ANSWERS: dict[str, tuple[int, Any]] = {
    "a message without data": (4, None),
    "a deferral with another flag": (5, {"flags": V2}),
    "a deferral with words": (5, {"content": "x"}),
    "an update of no message": (7, {"content": "x"}),
    "a deferred update of no message": (6, None),
    "suggestions for what is no autocomplete": (8, {"choices": []}),
    "a pong": (1, None),
    "a modal without data": (9, None),
    "a modal of six": (9, modal(*[label(str(n)) for n in range(6)])),
    "a modal of nothing": (9, modal()),
    "a modal with a long title": (9, modal(label("a"), title="x" * 46)),
    "a modal with a label over 45": (9, modal(label("a") | {"label": "l" * 46})),
    "a modal with a custom_id over 100": (9, modal(label("c" * 101))),
    "a modal with a value over 4000": (9, modal(label("a", value="v" * 4001))),
    "a modal with eleven files": (
        9,
        modal({"type": 18, "label": "L", "component": {"type": 19, "custom_id": "f", "max_values": 11}}),
    ),
    "a modal with a bare field": (9, modal({"type": 4, "custom_id": "a", "style": 1, "label": "L"})),
    "a modal with an unknown name": (9, modal(label("a")) | {"colour": 1}),
    "a modal with one name twice": (9, modal(label("a"), label("a"))),
    "a modal with a button": (9, modal(row(button()))),
    "a modal whose value is too long for itself": (9, modal(label("a", max_length=3, value="long"))),
    "an unknown type": (11, {}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_discord_refuses(world: World, name: str) -> None:
    use = world.use()
    kind, data = ANSWERS[name]
    assert code(world.bot.answer(use, kind, data)) == (400, 50035)
    assert not use.acknowledged, "what is refused has not answered"
    assert world.bot.answer(use, 9, modal(label("a"))).status == 204


def test_suggestions_are_limited_and_fit_their_option(world: World) -> None:
    def answered(choices: list[Json]) -> int:
        use = world.ada.autocomplete("video", "model", "v", world.room)
        return world.bot.answer(use, 8, {"choices": choices}).status

    assert answered([{"name": f"m{n}", "value": f"m{n}"} for n in range(26)]) == 400
    assert answered([{"name": "m", "value": 3}]) == 400
    assert answered([{"name": "m", "value": "v" * 101}]) == 400
    assert answered([{"name": "m" * 101, "value": "v"}]) == 400
    assert answered([{"name": "m", "value": "a"}, {"name": "m", "value": "b"}]) == 400
    assert answered([{"name": f"m{n}", "value": f"m{n}"} for n in range(25)]) == 204


FILES: dict[str, tuple[Json, dict[int, tuple[str, bytes]]]] = {
    "an eleventh file": ({"content": "x"}, {10: ("a.mp4", b"x")}),
    "a file that the list leaves out": ({"attachments": []}, {0: ("a.mp4", b"x")}),
    "a line without its file": ({"attachments": [{"id": 0}, {"id": 1}]}, {0: ("a.mp4", b"x")}),
    "a clip in an embed": ({"embeds": [{"image": {"url": "attachment://a.mp4"}}]}, {0: ("a.mp4", b"x")}),
    "one line twice": ({"attachments": [{"id": 0}, {"id": 0}]}, {0: ("a.mp4", b"x")}),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_discord_refuses(world: World, name: str) -> None:
    body, files = FILES[name]
    assert code(world.bot.send(world.room.id, body, files=files)) == (400, 50035)
    assert code(world.bot.edit(world.deferred(), body, files=files)) == (400, 50035)


def test_what_is_no_json_or_no_form_is_refused(world: World) -> None:
    place = f"/channels/{world.room.id}/messages"
    assert code(world.bot.call("POST", place, raw=b"{")) == (400, 50109)
    assert code(world.bot.call("POST", place, raw=b"[]")) == (400, 50035)
    assert code(world.bot.call("GET", place + "?limit=101")) == (400, 50035)
    assert code(world.bot.call("GET", place + "?colour=red")) == (400, 50035)
    assert world.bot.call("GET", "/no/such/route").status == 404


def test_snowflakes_may_be_numbers_and_nothing_else_may_bend(world: World) -> None:
    first = world.bot.send(world.room.id, {"content": "x"})["id"]
    assert (
        world.bot.send(world.room.id, {"content": "y", "message_reference": {"message_id": int(first)}}).status == 200
    )
    assert code(world.bot.send(world.room.id, {"content": 7})) == (400, 50035)
    assert code(world.bot.send(world.room.id, {"content": "x", "tts": "yes"})) == (400, 50035)


def test_answers_are_exactly_json_and_the_simulator_keeps_to_the_document(world: World) -> None:
    answer = world.bot.call("GET", "/users/@me")
    assert answer.headers["Content-Type"] == "application/json"
    assert world.discord.door.own_faults == []
    assert world.bot.call("GET", "/users/@me", token="wrong").status == 401
    assert code(world.bot.call("GET", "/users/@me", token=None)) == (401, 0)
