"""The places: what lies behind, in the middle and in front, from the horizon to the viewer's feet."""

from __future__ import annotations

from media.scenery.beyond import open_space, planet, underwater
from media.scenery.shores import lake, sea
from media.scenery.stage import Stage
from media.scenery.streets import city, rooftop_place
from media.scenery.wilds import desert, forest, mountain, rolling_hills


def build(stage: Stage, place: str) -> None:
    """Fill the stage."""
    {
        "sea": sea, "lake": lake, "city": city, "rooftop": rooftop_place, "desert": desert, "mountain": mountain, "forest": forest,
        "hills": rolling_hills, "planet": planet, "underwater": underwater, "space": open_space,
    }[place](stage)  # fmt: skip
