"""English: shots, places and hours of the writer by rules. Data only."""

from __future__ import annotations

from typing import Final

from providers.rulebook.language import Language

EN: Final = Language(
    shots=(
        ("Wide establishing shot", "small in the picture", "The camera pushes in slowly"),
        ("Medium shot", "looking around", "The camera pushes in a little"),
        ("Close-up", "face to the light", "Shallow depth of field, slow push in"),
        ("Tracking shot from the side", "walking", "The camera follows"),
        ("Low angle", "standing tall against the sky", "The camera tilts up slowly"),
        ("Seen from behind", "looking into the distance", "The camera pulls back slowly"),
        ("Wide shot", "walking through the picture", "The camera pans slowly"),
        ("Detail shot", "one detail, near and clear", "The camera pans slowly"),
        ("High angle", "seen from above", "Slow descent"),
    ),
    closing=("Seen from behind in a last wide view", "in silhouette against the light", "The camera pulls back slowly"),
    hours=(
        "at dawn",
        "in the clear morning light",
        "at noon under a blue sky",
        "in the afternoon",
        "at golden sunset",
        "in the blue hour",
        "at night",
    ),
    places={
        "city": (
            (
                "with the city skyline beyond the river",
                "in a busy street between tall buildings",
                "on a rooftop above the city",
                "in a green park with old trees",
                "on the river bank under the trees",
                "in a quiet street of the old town",
            ),
            (
                "with the lit skyline of the city beyond the river",
                "in a neon street",
                "on a rooftop above the lights of the city",
                "in a wet city street in the rain",
            ),
        ),
        "neon": (
            (
                "with the city skyline by the water",
                "in a crowded city street",
                "on a rooftop above the city",
                "in a park full of cherry blossoms",
                "by the river under the trees",
            ),
            (
                "with the neon skyline by the water",
                "in a narrow neon street",
                "on a rooftop above the neon city",
                "in a neon street in the rain",
                "with lanterns over the city",
            ),
        ),
        "desert": (
            (
                "before endless dunes",
                "among the sand dunes",
                "beside a tall cactus in the desert",
                "on a ridge in the desert wind",
                "before mountains at the edge of the desert",
            ),
            ("in the desert under the stars", "by a campfire in the desert", "among the dunes in the moonlight"),
        ),
        "mountain": (
            (
                "before the snowy mountains",
                "on a mountain meadow with flowers",
                "by a mountain lake",
                "in the pine forest below the peaks",
                "before the peaks in the mist",
            ),
            (
                "before the mountains under the stars",
                "by a campfire below the mountains",
                "by a mountain lake in the moonlight",
            ),
        ),
        "sea": (
            (
                "on the beach by the wide sea",
                "by the sea with gulls in the wind",
                "on the beach before a distant island",
                "on the beach with a sailboat behind",
                "by the sea in the mist",
            ),
            ("on the beach in the moonlight", "by the sea under the stars", "on the beach in the storm"),
        ),
        "forest": (
            (
                "at the edge of the forest",
                "deep in the forest in beams of light",
                "by a lake in the forest",
                "in the forest in the mist",
                "on a meadow by the forest",
            ),
            ("in the forest in the moonlight", "by a campfire in the forest", "in the forest among fireflies"),
        ),
        "winter": (
            (
                "before snowy mountains",
                "in the snowy forest",
                "by a frozen lake in the snow",
                "on a snowy meadow in the wind",
            ),
            ("in the snow under northern lights", "in the snowy forest under the stars", "by a campfire in the snow"),
        ),
        "country": (
            (
                "before wide hills",
                "on a meadow full of flowers",
                "under an old tree on the meadow",
                "by the river in the meadow",
                "beside a lone house in the hills",
            ),
            ("on the hills under the stars", "on the meadow among fireflies", "by a campfire on the meadow"),
        ),
        "lake": (
            (
                "by the quiet lake",
                "on the shore of the lake in the mist",
                "in the forest by the lake",
                "by the lake before the mountains",
            ),
            ("by the lake in the moonlight", "by a campfire on the shore of the lake"),
        ),
        "planet": (
            (
                "before the rising planet",
                "on the dusty ground of the planet",
                "among the rocks of the planet",
                "on the planet under a meteor shower",
                "on the planet before a nebula",
            ),
            ("on the planet under the stars", "among the rocks of the planet"),
        ),
        "underwater": (
            (
                "under water in beams of light",
                "under water among fish",
                "under water over the reef",
                "under water among jellyfish",
            ),
            ("under water in the last light", "under water among jellyfish"),
        ),
        "anywhere": (
            (
                "before wide hills",
                "in a street of the town",
                "by the river under the trees",
                "on a rooftop above the city",
                "on a meadow full of flowers",
                "at the edge of the forest",
            ),
            ("in a street of the city", "on the hills under the stars", "by the lake in the moonlight"),
        ),
    },
    articles=frozenset("a an the my our his her their two three some".split()),  # noqa: SIM905 - a word list
)
