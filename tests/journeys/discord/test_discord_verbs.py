"""Several pictures for a clip and the one it ends with, going on from a clip, letting somebody say a line, and reporting a clip."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from tests.journeys.discord.house import House
from tests.lab.discord import File, Impossible
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey
PICTURES: dict[str, Any] = {
    name: File(f"{name}.jpg", photo((300 + n, 200))) for n, name in enumerate(("image", "image2", "image3"))
}
LAST = File("end.jpg", photo((400, 200)))


@pytest.fixture(scope="module")
def generators() -> list[dict[str, Any]]:
    return [{"name": "many", "price": 20, "reference_images": 3, "last_frame": True, "poll_seconds": [0.05, 0.2]}]


def widths(*pictures: bytes | None) -> list[int]:
    return [Image.open(io.BytesIO(each)).width for each in pictures if each is not None]


def test_several_pictures_and_a_last_one_reach_the_generator_in_their_places(home: House) -> None:
    use = home.video("a meeting", model="many", last_image=LAST, **PICTURES)
    home.clip_of(use)
    (made,) = home.submitted("a meeting")
    assert (made.picture, widths(*made.references), widths(made.last_picture)) == (None, [300, 301, 302], [400])
    ends = home.video("an arrival", model="many", image2=PICTURES["image2"], last_image=LAST)
    home.clip_of(ends)
    (made,) = home.submitted("an arrival")
    assert (widths(made.picture, made.last_picture), made.references) == ([301, 400], ())
    alone = home.answered(home.ada.slash("video", home.room, model="many", last_image=LAST))
    home.clip_of(alone)
    (made,) = home.submitted("")[-1:]
    assert (made.picture, made.references, widths(made.last_picture)) == (None, (), [400])
    home.end()


def test_a_picture_is_animated_until_it_is_another_one(home: House) -> None:
    use = home.ada.slash(
        "animate", home.room, image=PICTURES["image"], motion="it blooms", model="many", last_image=LAST
    )
    home.clip_of(home.answered(use))
    (made,) = home.submitted("it blooms")
    assert widths(made.picture, made.last_picture) == [300, 400]
    home.end()


def test_a_generator_that_cannot_end_with_a_picture_says_so_to_the_person_alone(home: House) -> None:
    use = home.answered(home.ada.slash("video", home.room, prompt="a fox", model="lab", last_image=LAST))
    until(lambda: use.text)
    assert use.text == "Lab lab cannot end a clip with a picture of yours. Leave the last picture out."
    assert use.message is not None
    assert use.message.ephemeral
    assert home.jobs() == 0
    first = home.video("one of them", model="lab", **PICTURES)
    home.clip_of(first)
    (made,) = home.submitted("one of them")
    assert (widths(made.picture), made.references) == ([300], ())
    home.end()


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
