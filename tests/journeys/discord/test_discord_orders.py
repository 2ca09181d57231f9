"""``/video`` in Discord: one message that tells the truth and becomes the clip."""

from __future__ import annotations

from tests.journeys.discord.conftest import House
from tests.lab.vendor import Script
from tests.lab.waiting import until


def test_video_becomes_one_message_that_ends_as_the_clip(house: House) -> None:
    house.vendor.on("lighthouse", Script(seconds=3.0))
    house.start()
    use = house.ada.slash("video", house.room, prompt="a lighthouse at dusk")
    until(lambda: use.acknowledged, what="the acknowledgement")
    until(lambda: use.message and use.message.clip, 30, "the clip")
    print(use.message, use.message.text, use.message.labels)
    assert False
