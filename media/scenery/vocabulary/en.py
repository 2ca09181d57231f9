"""English. Regular plurals are made by ``words``; irregular ones stand here.

An underscore joins words that must stand together.
"""

from __future__ import annotations

AUTO_PLURAL = True

FUNCTION_WORDS = "the a an of in on at with and over under by to from is are"

NEGATIONS = "no without not"

WORDS: dict[str, str] = {
    # places
    "sea": (
        "sea ocean wave surf bay coast coastline seaside harbour harbor water waters shore tide pacific atlantic cove"
    ),
    "lake": "lake pond lagoon fjord",
    "river": "river stream creek brook",
    "beach": "beach sand_beach seashore beaches",
    "island": "island isle",
    "underwater": "underwater undersea reef coral aquarium deep_sea",
    "mountain": "mountain alp alps peak summit himalayas andes cliff matterhorn everest",
    "hill": "hill valley countryside highland highlands",
    "forest": "forest wood woods woodland jungle pine pines fir spruce rainforest grove taiga conifer",
    "city": "city cities town skyline downtown metropolis skyscraper building tokyo manhattan street "
    "urban cityscape york london paris berlin "
    "shanghai hongkong alley avenue",
    "rooftop": "rooftop roof",
    "neon": "neon cyberpunk synthwave cyber vaporwave nightlife",
    "desert": "desert dune dunes sahara sand oasis",
    "space": "space galaxy galaxies cosmos universe outer_space cosmic starfield milky_way interstellar",
    "planet": "planet moonscape mars saturn jupiter exoplanet alien_world",
    "nebula": "nebula nebulae",
    "meadow": "meadow field grass pasture prairie grassland garden savanna savannah park steppe lawn",
    "flower": "flower blossom poppy poppies tulip daisy daisies rose wildflower lavender sunflower petal bloom",
    # times
    "night": "night midnight nighttime nocturnal nightfall dark darkness",
    "dawn": "dawn sunrise daybreak morning",
    "day": "day daytime noon midday afternoon daylight sunny summer blue_sky",
    "sunset": "sunset dusk evening golden_hour sundown golden",
    "twilight": "twilight blue_hour gloaming",
    # sky
    "sun": "sun sunshine sunlight sunbeam sunny",
    "moon": "moon moonlight moonlit full_moon moonrise crescent",
    "star": "star starlight starry stardust constellation star_filled",
    "aurora": "aurora auroras northern_lights borealis polar_lights",
    "cloud": "cloud cloudy overcast",
    "rainbow": "rainbow",
    "meteor": "meteor shooting_star comet falling_star meteor_shower shooting_stars falling_stars",
    "firework": "firework fireworks",
    # weather and season
    "rain": "rain rainy raining drizzle downpour raindrop rainfall monsoon",
    "snow": "snow snowy snowfall snowing snowflake blizzard snow_covered snowcapped snow_capped",
    "fog": "fog foggy mist misty haze hazy",
    "storm": "storm stormy thunderstorm thunder tempest",
    "lightning": "lightning lightning_bolt thunderbolt",
    "wind": "wind windy breeze breezy gale",
    "winter": "winter wintry christmas frozen frost frosty icy ice glacier arctic",
    "autumn": "autumn autumnal fall_leaves fall_colors october",
    "spring": "springtime cherry_blossom cherry_blossoms sakura",
    # things
    "boat": "boat sailboat sail yacht canoe rowboat fishing_boat sailing dinghy",
    "ship": "ship galleon vessel frigate ferry",
    "lighthouse": "lighthouse beacon",
    "campfire": "campfire bonfire fire flame camp camping",
    "firefly": "firefly fireflies glowworm",
    "tree": "tree oak birch maple willow cherry_tree",
    "palm": "palm palm_tree tropical coconut_tree",
    "cactus": "cactus cacti saguaro",
    "balloon": "balloon hot_air_balloon airship",
    "train": "train locomotive railway express_train steam_train",
    "car": "car automobile traffic taxi headlight highway truck",
    "house": "house cabin cottage hut farm barn village home farmhouse",
    "castle": "castle fortress palace",
    "rocket": "rocket spaceship spacecraft starship rocket_ship",
    "ufo": "ufo flying_saucer",
    "lantern": "lantern paper_lantern sky_lantern",
    "butterfly": "butterfly butterflies moth",
    "rock": "rock boulder stones",
    "bubble": "bubble",
    # beings
    "bird": "bird seagull gull swallow crow raven eagle geese goose hawk dove pigeon sparrow flock crane heron swan",
    "owl": "owl",
    "cat": "cat kitten kitty",
    "dog": "dog puppy puppies hound corgi labrador retriever",
    "horse": "horse pony ponies stallion foal mustang unicorn",
    "deer": "deer stag doe reindeer elk moose antelope fawn",
    "wolf": "wolf wolves coyote",
    "fox": "fox",
    "bear": "bear bears grizzly",
    "rabbit": "rabbit bunny bunnies hare",
    "elephant": "elephant mammoth",
    "camel": "camel dromedary caravan",
    "lion": "lion lioness tiger leopard panther",
    "cow": "cow cattle bull buffalo bison",
    "sheep": "sheep lamb goat",
    "giraffe": "giraffe",
    "whale": "whale orca humpback",
    "dolphin": "dolphin porpoise",
    "fish": "fish fishes goldfish salmon koi",
    "shark": "shark",
    "turtle": "turtle sea_turtle tortoise",
    "jellyfish": "jellyfish medusa",
    "person": (
        "person people someone human figure traveller traveler wanderer hiker silhouette stranger samurai "
        "monk wizard knight hero"
    ),
    "man": "man men guy gentleman fisherman king cowboy boyfriend father grandfather",
    "woman": "woman women lady girlfriend queen princess mother grandmother witch",
    "child": "child children kid boy girl toddler",
    "couple": "couple lovers pair_of_lovers",
    "robot": "robot android mech cyborg",
    "astronaut": "astronaut cosmonaut spaceman",
    "dancer": "dancer ballerina dancing ballet dance",
    # movement
    "run": "run running runs gallop galloping galloped sprint sprinting racing",
    "walk": "walk walking walks strolling wandering crossing",
    # colours
    "red": "red crimson scarlet ruby",
    "orange": "orange amber copper",
    "yellow": "yellow lemon",
    "gold": "gold",
    "green": "green emerald lime jade",
    "teal": "teal turquoise cyan aqua",
    "blue": "blue azure cobalt navy indigo sapphire",
    "purple": "purple violet lilac magenta",
    "pink": "pink coral_pink fuchsia",
    "white": "white silver ivory",
    "black": "black",
}

NEGATIVE_ONLY: dict[str, str] = {
    "caption": "text caption subtitle writing words title letters watermark",
    "particles": "particles dust bokeh sparkles",
    "people": "people person human humans figures",
    "animal": "animal animals",
    "music": "music",
}
