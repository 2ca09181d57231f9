"""The words of the writer by rules, one file a language. Data only: ``rules`` reads it.

Places and hours are what the built-in generator can draw, in words that it knows.
"""

from __future__ import annotations

from typing import Final

from providers.rulebook.de import DE
from providers.rulebook.en import EN
from providers.rulebook.es import ES
from providers.rulebook.fr import FR
from providers.rulebook.language import Language

REGIONS: Final[dict[str, str]] = {
    "city": (
        "austin dallas houston chicago boston seattle philadelphia denver toronto london londres paris berlin "
        "münchen munich munichs hamburg "
        "wien vienna vienne viena rom rome roma madrid barcelona lisbon lissabon lisbonne lisboa amsterdam "
        "prague prag praga moscow moskau "
        "istanbul sydney melbourne manhattan new_york nueva_york brooklyn san_francisco los_angeles "
        "mexico_city kairo cairo mumbai delhi "
        "dublin brussels brüssel bruxelles stockholm kopenhagen copenhagen zürich zurich milan mailand milano "
        "mumbai singapore singapur "
        "buenos_aires rio_de_janeiro são_paulo frankfurt köln cologne"
    ),
    "neon": "tokyo tokio osaka shibuya shinjuku shanghai hong_kong hongkong seoul las_vegas bangkok blade_runner",
    "desert": (
        "sahara gobi atacama arizona nevada namibia namib kalahari petra egypt ägypten égypte egipto mojave "
        "monument_valley dubai marokko"
    ),
    "mountain": (
        "alps alpen alpes himalaya himalayas everest matterhorn zermatt patagonia patagonien dolomites "
        "dolomiten dolomitas andes anden nepal "
        "tibet switzerland schweiz suisse suiza yosemite pyrenees pyrenäen pyrénées pirineos montblanc mont_blanc rocky_mountains"
    ),
    "sea": (
        "hawaii santorini caribbean karibik caraïbes caribe maldives malediven maldivas mallorca malibu "
        "brittany bretagne bali greece "
        "griechenland grèce grecia ostsee nordsee mediterranean mittelmeer méditerranée mediterráneo cornwall "
        "normandie copacabana atlantic"
    ),
    "forest": "black_forest schwarzwald forêt_noire selva_negra amazon amazonas amazonie amazonia redwoods sherwood brocéliande",
    "winter": (
        "antarctica antarktis antarctique antártida arctic arktis arctique ártico lapland lappland laponie "
        "laponia siberia sibirien sibérie "
        "north_pole nordpol pôle_nord polo_norte greenland grönland groenland iceland island_reise alaska"
    ),
    "country": (
        "tuscany toskana toscane toscana provence scotland schottland écosse escocia ireland irland irlande "
        "irlanda shire kansas"
    ),
    "lake": "bodensee lake_como comer_see lac_léman loch_ness lake_tahoe titicaca",
    "planet": "mars the_moon_s_surface on_the_moon auf_dem_mond sur_la_lune en_la_luna jupiter saturn saturne saturno",
}
"""Names of well-known places, by what they look like."""

ELEMENTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("underwater", ("underwater", "fish", "shark", "turtle", "jellyfish")),
    ("planet", ("planet", "space", "nebula", "astronaut", "ufo", "rocket")),
    ("neon", ("neon",)),
    ("city", ("city", "rooftop", "car")),
    ("sea", ("sea", "beach", "island", "lighthouse", "boat", "ship", "whale", "dolphin", "palm")),
    ("desert", ("desert", "camel", "cactus")),
    ("winter", ("snow", "winter")),
    ("mountain", ("mountain",)),
    ("forest", ("forest", "bear", "wolf", "owl")),
    ("lake", ("lake", "river")),
    ("country", ("meadow", "hill", "flower", "house", "castle", "horse", "cow", "sheep")),
)
"""Which region a word of the built-in generator's list stands for; the first that fits."""

LANGUAGES: Final[dict[str, Language]] = {"en": EN, "de": DE, "fr": FR, "es": ES}
