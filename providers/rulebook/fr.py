"""French: shots, places and hours of the writer by rules. Data only."""

from __future__ import annotations

from typing import Final

from providers.rulebook.language import Language

FR: Final = Language(
    shots=(
        ("Plan d'ensemble", "au loin dans l'image", "La caméra s'approche lentement"),
        ("Plan moyen", "le regard autour de soi", "La caméra s'approche un peu"),
        ("Gros plan", "le visage dans la lumière", "Faible profondeur de champ, la caméra s'approche"),
        ("Travelling de côté", "en marche", "La caméra suit"),
        ("Contre-plongée", "debout contre le ciel", "La caméra s'élève lentement"),
        ("Vu de dos", "le regard au loin", "La caméra recule lentement"),
        ("Plan large", "marche à travers l'image", "Panoramique lent"),
        ("Plan de détail", "un détail, proche et net", "Panoramique lent"),
        ("Plongée", "vu d'en haut", "La caméra descend lentement"),
    ),
    closing=("Vu de dos dans une dernière vue large", "en silhouette à contre-jour", "La caméra recule lentement"),
    hours=(
        "à l'aube",
        "dans la lumière claire du matin",
        "à midi",
        "un jour d'été, l'après-midi",
        "au coucher du soleil doré",
        "au crépuscule",
        "dans la nuit",
    ),
    places={
        "city": (
            (
                "devant les immeubles de la ville au bord de la rivière",
                "dans une rue animée entre les immeubles",
                "sur les toits de la ville",
                "dans un jardin aux vieux arbres",
                "au bord de la rivière sous les arbres",
                "dans une rue calme de la vieille ville",
            ),
            (
                "devant la ville illuminée au bord de la rivière",
                "dans une rue aux néons",
                "sur les toits au-dessus des lumières de la ville",
                "dans une rue mouillée sous la pluie",
            ),
        ),
        "neon": (
            (
                "devant les immeubles de la ville au bord de la rivière",
                "dans une rue animée de la ville",
                "sur les toits de la ville",
                "dans un jardin aux cerisiers",
            ),
            (
                "devant la ville aux néons",
                "dans une rue étroite aux néons",
                "sur les toits au-dessus des néons",
                "dans une rue aux néons sous la pluie",
            ),
        ),
        "desert": (
            (
                "devant les dunes sans fin",
                "entre les dunes",
                "près d'un cactus dans le désert",
                "sur une crête du désert",
                "devant les montagnes au bord du désert",
            ),
            (
                "dans le désert sous les étoiles",
                "près d'un feu de camp dans le désert",
                "entre les dunes sous les étoiles",
            ),
        ),
        "mountain": (
            (
                "devant les montagnes enneigées",
                "dans une prairie en fleurs sous les montagnes",
                "au bord d'un lac de montagne",
                "dans la forêt de sapins sous les sommets",
                "devant les sommets dans la brume",
            ),
            (
                "devant les montagnes sous les étoiles",
                "près d'un feu de camp sous les montagnes",
                "au bord d'un lac sous les étoiles",
            ),
        ),
        "sea": (
            (
                "sur la plage devant la mer",
                "au bord de la mer sous les mouettes",
                "sur la plage devant une île",
                "sur la plage devant un voilier",
                "au bord de la mer dans la brume",
            ),
            ("sur la plage sous la pleine lune", "au bord de la mer sous les étoiles", "sur la plage dans la tempête"),
        ),
        "forest": (
            (
                "au bord de la forêt",
                "au fond de la forêt au soleil",
                "au bord d'un étang dans la forêt",
                "dans la forêt dans la brume",
                "dans une prairie près de la forêt",
            ),
            (
                "dans la forêt sous la pleine lune",
                "près d'un feu de camp dans la forêt",
                "dans la forêt parmi les lucioles",
            ),
        ),
        "winter": (
            (
                "devant les montagnes sous la neige",
                "dans la forêt sous la neige",
                "au bord d'un lac sous la neige",
                "dans une prairie sous la neige",
            ),
            (
                "dans la neige sous une aurore boréale",
                "dans la forêt sous la neige et les étoiles",
                "près d'un feu de camp dans la neige",
            ),
        ),
        "country": (
            (
                "devant les collines",
                "dans une prairie en fleurs",
                "sous un arbre dans la prairie",
                "au bord de la rivière dans la prairie",
                "près d'une maison dans les collines",
            ),
            (
                "sur les collines sous les étoiles",
                "dans la prairie parmi les lucioles",
                "près d'un feu de camp dans la prairie",
            ),
        ),
        "lake": (
            (
                "au bord du lac tranquille",
                "au bord du lac dans la brume",
                "dans la forêt au bord du lac",
                "au bord du lac devant les montagnes",
            ),
            ("au bord du lac sous la pleine lune", "près d'un feu de camp au bord du lac"),
        ),
        "planet": (
            (
                "devant la planète qui se lève",
                "sur le sol de la planète",
                "entre les rochers de la planète",
                "sur la planète sous les étoiles filantes",
            ),
            ("sur la planète sous les étoiles", "entre les rochers de la planète"),
        ),
        "underwater": (
            (
                "près du récif sous la mer",
                "parmi les poissons du récif",
                "au-dessus du corail",
                "parmi les méduses du récif",
            ),
            ("près du récif dans la dernière lumière", "parmi les méduses du récif"),
        ),
        "anywhere": (
            (
                "devant les collines",
                "dans une rue de la ville",
                "au bord de la rivière sous les arbres",
                "sur les toits de la ville",
                "dans une prairie en fleurs",
                "au bord de la forêt",
            ),
            ("dans une rue de la ville", "sur les collines sous les étoiles", "au bord du lac sous la pleine lune"),
        ),
    },
    articles=frozenset("un une le la les des mon ma son sa notre leur deux trois".split()),  # noqa: SIM905 - a word list
)
