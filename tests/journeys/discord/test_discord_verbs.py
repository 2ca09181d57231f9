"""Going on from a clip, letting somebody say a line, and reporting a clip."""

from __future__ import annotations

import json

import pytest

from tests.journeys.discord.conftest import House
from tests.lab.discord import Impossible
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def test_a_clip_goes_on_from_its_last_picture(house: House) -> None:
    house.start()
    use = house.video("a fox in the snow", aspect="9:16")
    seen = house.clip_of(use)
    parent = house.job_of(use)["id"]
    typed = house.ada.autocomplete("extend", "clip", "fox", house.room)
    until(lambda: typed.choices)
    assert typed.choices is not None
    assert [value for _, value in typed.choices] == [parent]
    form = house.ada.press(seen, "Extend")
    until(lambda: form.modal)
    sent = house.ada.submit(form, {"prompt": "it runs away"})
    until(lambda: sent.acknowledged)
    house.clip_of(sent)
    job = house.job_of(sent)
    applied = json.loads(job["applied"])
    assert (job["origin_id"], applied["aspect_ratio"], applied["prompt"]) == (parent, "9:16", "it runs away")
    assert applied["picture"] is not None
    typed_out = house.ada.slash("extend", house.room, clip=parent)
    until(lambda: typed_out.acknowledged)
    house.clip_of(typed_out)
    bob = house.discord.add_person("bob", house.guild)
    refused = bob.slash("extend", house.room, clip=parent)
    until(lambda: refused.text)
    assert refused.text == "Only the person who made this clip can do that."
    house.end()


def test_nobody_is_offered_to_talk_where_no_generator_can(house: House) -> None:
    house.start()
    with pytest.raises(Impossible):
        house.ada.slash("talk", house.room, line="Hello there")
    house.end()


def test_a_line_reaches_a_generator_that_can_speak(house: House) -> None:
    house.reelay.generators.append({"name": "voice", "url": house.vendor.url, "price": 40, "speech": True})
    house.start()
    use = house.ada.slash("talk", house.room, line="Hello <S>there</S>", prompt="an old sailor")
    until(lambda: use.acknowledged)
    seen = house.clip_of(use)
    job = house.job_of(use)
    applied = json.loads(job["applied"])
    assert (applied["provider"], applied["line"], applied["prompt"]) == ("voice", "Hello <S>there</S>", "an old sailor")
    told = house.ada.press(seen, "Details")
    until(lambda: told.text)
    assert "Says: Hello" in told.text.replace("\\", "")
    refused = house.ada.slash("talk", house.room, line="Hello", model="lab")
    until(lambda: refused.text)
    assert "line" in refused.text
    house.end()


def test_a_clip_is_reported_to_the_operator(house: House) -> None:
    olga = house.discord.add_person("olga", house.guild)
    house.start(environ={"REELAY_ADMINS": f"discord:{olga.id}"})
    bob = house.discord.add_person("bob", house.guild)
    use = house.video("a fox")
    seen = house.clip_of(use)
    thanks = bob.menu("Report this clip", seen)
    until(lambda: thanks.text)
    assert thanks.message is not None
    assert thanks.message.ephemeral
    assert house.reelay.alerts() == ["clip reported"]
    (told,) = until(lambda: olga.messages(olga.direct()), what="the operator's direct message")
    assert "a clip was reported" in told.text
    (line,) = house.reelay.rows("SELECT * FROM audit WHERE verb = 'report'")
    assert (line["actor"], json.loads(line["details"])["job"]) == (f"discord:{bob.id}", house.job_of(use)["id"])
    nothing = bob.menu("Report this clip", house.ada.say(house.room, "no clip"))
    until(lambda: nothing.text)
    assert "no clip of mine" in nothing.text
    house.end()
