"""Going on from a clip, letting somebody say a line, and reporting a clip."""

from __future__ import annotations

import json

import pytest

from tests.journeys.discord.house import House
from tests.lab.discord import Impossible
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def test_a_clip_goes_on_from_its_last_picture(home: House) -> None:
    use = home.video("a fox in the snow", aspect="9:16")
    seen = home.clip_of(use)
    parent = home.job_of(use)["id"]
    typed = home.ada.autocomplete("extend", "clip", "fox", home.room)
    until(lambda: typed.choices)
    assert typed.choices is not None
    assert [value for _, value in typed.choices] == [parent]
    form = home.ada.press(seen, "Extend")
    until(lambda: form.modal)
    sent = home.ada.submit(form, {"prompt": "it runs away"})
    until(lambda: sent.acknowledged)
    home.clip_of(sent)
    job = home.job_of(sent)
    applied = json.loads(job["applied"])
    assert (job["origin_id"], applied["aspect_ratio"], applied["prompt"]) == (parent, "9:16", "it runs away")
    assert applied["picture"] is not None
    typed_out = home.ada.slash("extend", home.room, clip=parent)
    until(lambda: typed_out.acknowledged)
    home.clip_of(typed_out)
    bob = home.discord.add_person("bob", home.guild)
    refused = bob.slash("extend", home.room, clip=parent)
    until(lambda: refused.text)
    assert refused.text == "Only the person who made this clip can do that."
    home.end()


def test_nobody_is_offered_to_talk_where_no_generator_can(home: House) -> None:
    with pytest.raises(Impossible):
        home.ada.slash("talk", home.room, line="Hello there")
    home.end()


def test_a_clip_is_reported_to_the_operator(home: House) -> None:
    olga = home.olga
    home.discord.join(olga, home.guild)
    bob = home.discord.add_person("bob", home.guild)
    use = home.video("a fox")
    seen = home.clip_of(use)
    thanks = bob.menu("Report this clip", seen)
    until(lambda: thanks.text)
    assert thanks.message is not None
    assert thanks.message.ephemeral
    assert home.reelay.alerts() == [f"clip reported {home.job_of(use)['id']}"]
    (told,) = until(lambda: olga.messages(olga.direct()), what="the operator's direct message")
    assert f"reelay admin takedown {home.job_of(use)['id']}" in told.text
    (line,) = home.reelay.rows("SELECT * FROM audit WHERE verb = 'report'")
    assert (line["actor"], json.loads(line["details"])["job"]) == (f"discord:{bob.id}", home.job_of(use)["id"])
    nothing = bob.menu("Report this clip", home.ada.say(home.room, "no clip"))
    until(lambda: nothing.text)
    assert "no clip of mine" in nothing.text
    home.end()
