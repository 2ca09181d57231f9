"""Spanish: shots, places and hours of the writer by rules. Data only."""

from __future__ import annotations

from typing import Final

from providers.rulebook.language import Language

ES: Final = Language(
    shots=(
        ("Plano general", "a lo lejos en la imagen", "La cámara se acerca despacio"),
        ("Plano medio", "la mirada alrededor", "La cámara se acerca un poco"),
        ("Primer plano", "el rostro hacia la luz", "Poca profundidad de campo, la cámara se acerca"),
        ("Plano de seguimiento de lado", "camina", "La cámara sigue"),
        ("Contrapicado", "de pie contra el cielo", "La cámara se eleva despacio"),
        ("De espaldas", "la mirada a lo lejos", "La cámara se aleja despacio"),
        ("Plano entero", "camina por la imagen", "Panorámica lenta"),
        ("Plano detalle", "un detalle, cercano y claro", "Panorámica lenta"),
        ("Picado", "desde arriba", "La cámara desciende"),
    ),
    closing=("De espaldas en una última vista amplia", "silueta a contraluz", "La cámara se aleja despacio"),
    hours=(
        "al amanecer",
        "con la luz clara de la mañana",
        "al mediodía",
        "un día soleado",
        "en el atardecer dorado",
        "en el crepúsculo",
        "de noche",
    ),
    places={
        "city": (
            (
                "ante los rascacielos de la ciudad junto al río",
                "en una calle animada entre edificios",
                "en los tejados de la ciudad",
                "en un jardín con árboles viejos",
                "a la orilla del río bajo los árboles",
                "en una calle tranquila de la ciudad",
            ),
            (
                "ante la ciudad iluminada junto al río",
                "en una calle de neón",
                "en los tejados sobre las luces de la ciudad",
                "en una calle mojada bajo la lluvia",
            ),
        ),
        "neon": (
            (
                "ante los rascacielos junto al río",
                "en una calle llena de la ciudad",
                "en los tejados de la ciudad",
                "en un jardín con cerezos",
            ),
            (
                "ante la ciudad de neón",
                "en una calle estrecha de neón",
                "en los tejados sobre el neón",
                "en una calle de neón bajo la lluvia",
            ),
        ),
        "desert": (
            (
                "ante las dunas sin fin",
                "entre las dunas",
                "junto a un cactus en el desierto",
                "en una cresta del desierto",
                "ante las montañas al borde del desierto",
            ),
            ("en el desierto bajo las estrellas", "junto a una hoguera en el desierto", "entre las dunas bajo la luna"),
        ),
        "mountain": (
            (
                "ante las montañas nevadas",
                "en una pradera con flores bajo las montañas",
                "junto a un lago de montaña",
                "en el bosque bajo las cumbres",
                "ante las montañas en la niebla",
            ),
            (
                "ante las montañas bajo las estrellas",
                "junto a una hoguera bajo las montañas",
                "junto a un lago bajo la luna",
            ),
        ),
        "sea": (
            (
                "en la playa ante el mar",
                "junto al mar bajo las gaviotas",
                "en la playa ante una isla",
                "en la playa ante un velero",
                "junto al mar en la niebla",
            ),
            ("en la playa bajo la luna", "junto al mar bajo las estrellas", "en la playa en la tormenta"),
        ),
        "forest": (
            (
                "al borde del bosque",
                "en lo hondo del bosque con rayos de sol",
                "junto a un lago en el bosque",
                "en el bosque en la niebla",
                "en una pradera junto al bosque",
            ),
            ("en el bosque bajo la luna", "junto a una hoguera en el bosque", "en el bosque entre luciérnagas"),
        ),
        "winter": (
            (
                "ante las montañas con nieve",
                "en el bosque con nieve",
                "junto a un lago con nieve",
                "en una pradera con nieve",
            ),
            (
                "en la nieve bajo la aurora boreal",
                "en el bosque con nieve bajo las estrellas",
                "junto a una hoguera en la nieve",
            ),
        ),
        "country": (
            (
                "ante las colinas",
                "en una pradera llena de flores",
                "bajo un árbol en la pradera",
                "junto al río en la pradera",
                "junto a una casa en las colinas",
            ),
            (
                "en las colinas bajo las estrellas",
                "en la pradera entre luciérnagas",
                "junto a una hoguera en la pradera",
            ),
        ),
        "lake": (
            (
                "junto al lago tranquilo",
                "a la orilla del lago en la niebla",
                "en el bosque junto al lago",
                "junto al lago ante las montañas",
            ),
            ("junto al lago bajo la luna", "junto a una hoguera a la orilla del lago"),
        ),
        "planet": (
            (
                "ante el planeta que sale",
                "en el suelo del planeta",
                "entre las rocas del planeta",
                "en el planeta bajo estrellas fugaces",
            ),
            ("en el planeta bajo las estrellas", "entre las rocas del planeta"),
        ),
        "underwater": (
            (
                "junto al arrecife bajo el mar",
                "entre los peces del arrecife",
                "sobre el coral",
                "entre las medusas del arrecife",
            ),
            ("junto al arrecife con la última luz", "entre las medusas del arrecife"),
        ),
        "anywhere": (
            (
                "ante las colinas",
                "en una calle de la ciudad",
                "a la orilla del río bajo los árboles",
                "en los tejados de la ciudad",
                "en una pradera llena de flores",
                "al borde del bosque",
            ),
            ("en una calle de la ciudad", "en las colinas bajo las estrellas", "junto al lago bajo la luna"),
        ),
    },
    articles=frozenset("un una el la los las mi su nuestro dos tres".split()),  # noqa: SIM905 - a word list
)
