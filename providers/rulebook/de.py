"""German: shots, places and hours of the writer by rules. Data only."""

from __future__ import annotations

from typing import Final

from providers.rulebook.language import Language

DE: Final = Language(
    shots=(
        ("Totale", "klein im Bild", "Die Kamera kommt näher"),
        ("Halbnahe Einstellung", "mit suchendem Blick", "Die Kamera kommt näher"),
        ("Nahaufnahme", "das Gesicht im Licht", "Wenig Schärfentiefe, die Kamera kommt näher"),
        ("Verfolgungsfahrt von der Seite", "in Bewegung, geht voran", "Die Kamera folgt"),
        ("Untersicht", "hoch aufgerichtet vor dem Himmel", "Die Kamera neigt sich nach oben"),
        ("Von hinten gesehen", "mit Blick in die Ferne", "Die Kamera entfernt sich"),
        ("Halbtotale", "geht durch das Bild", "Die Kamera schwenkt"),
        ("Detailaufnahme", "eine Einzelheit, nah und klar", "Die Kamera schwenkt"),
        ("Vogelperspektive", "von oben gesehen", "Die Kamera sinkt langsam"),
    ),
    closing=(
        "Von hinten gesehen in einem letzten weiten Bild",
        "als Schattenriss gegen das Licht",
        "Die Kamera entfernt sich",
    ),
    hours=(
        "in der Morgendämmerung",
        "im klaren Licht am Morgen",
        "am Mittag",
        "am Nachmittag",
        "bei goldenem Sonnenuntergang",
        "in der Dämmerung",
        "in der Nacht",
    ),
    places={
        "city": (
            (
                "vor der Skyline der Stadt am Fluss",
                "in einer belebten Straße zwischen hohen Häusern",
                "auf den Dächern über der Stadt",
                "auf einer Wiese mit alten Bäumen",
                "am Fluss unter Bäumen",
                "in einer stillen Gasse der Altstadt",
            ),
            (
                "vor der leuchtenden Skyline der Stadt am Fluss",
                "in einer Straße voller Neonlicht",
                "auf den Dächern über den Lichtern der Stadt",
                "in einer nassen Straße im Regen",
            ),
        ),
        "neon": (
            (
                "vor der Skyline der Stadt am Wasser",
                "in einer vollen Straße der Stadt",
                "auf den Dächern über der Stadt",
                "unter Kirschblüten im Garten",
                "am Fluss unter Bäumen",
            ),
            (
                "vor der Skyline im Neonlicht",
                "in einer engen Straße im Neonlicht",
                "auf den Dächern über der Neonstadt",
                "im Neonlicht im Regen",
            ),
        ),
        "desert": (
            (
                "vor endlosen Dünen",
                "zwischen den Dünen",
                "neben einem Kaktus in der Wüste",
                "auf einem Kamm der Wüste",
                "vor Bergen am Rand der Wüste",
            ),
            ("in der Wüste unter Sternen", "am Lagerfeuer in der Wüste", "zwischen den Dünen im Mondlicht"),
        ),
        "mountain": (
            (
                "vor verschneiten Bergen",
                "auf einer Bergwiese mit Blumen vor den Bergen",
                "am Bergsee",
                "im Kiefernwald unter den Gipfeln",
                "vor den Gipfeln im Nebel",
            ),
            ("vor den Bergen unter Sternen", "am Lagerfeuer unter den Bergen", "am Bergsee im Mondlicht"),
        ),
        "sea": (
            (
                "am Strand vor dem weiten Meer",
                "am Meer unter Möwen",
                "am Strand vor einer fernen Insel",
                "am Strand vor einem Segelboot",
                "am Meer im Nebel",
            ),
            ("am Strand im Mondlicht", "am Meer unter Sternen", "am Strand im Sturm"),
        ),
        "forest": (
            (
                "am Rand des Waldes vor dem Wald",
                "tief im Wald im Sonnenlicht",
                "an einem Teich im Wald",
                "im Wald im Nebel",
                "auf einer Wiese am Wald",
            ),
            ("im Wald im Mondlicht", "am Lagerfeuer im Wald", "im Wald zwischen Glühwürmchen"),
        ),
        "winter": (
            ("vor verschneiten Bergen", "im verschneiten Wald", "am Bergsee im Schnee", "auf einer Wiese im Schnee"),
            ("im Schnee unter Nordlichtern", "im verschneiten Wald unter Sternen", "am Lagerfeuer im Schnee"),
        ),
        "country": (
            (
                "vor weiten Hügeln",
                "auf einer Wiese voller Blumen",
                "unter einem Baum auf der Wiese",
                "am Fluss in der Wiese",
                "neben einem Haus in den Hügeln",
            ),
            ("auf den Hügeln unter Sternen", "auf der Wiese zwischen Glühwürmchen", "am Lagerfeuer auf der Wiese"),
        ),
        "lake": (
            ("am stillen Bergsee", "an einem Teich im Nebel", "im Wald am Teich", "am Bergsee vor den Bergen"),
            ("am Bergsee im Mondlicht", "am Lagerfeuer an einem Teich"),
        ),
        "planet": (
            (
                "vor dem aufgehenden Planeten",
                "auf dem Boden des Planeten",
                "zwischen Felsen des Planeten",
                "auf dem Planeten unter Sternschnuppen",
            ),
            ("auf dem Planeten unter Sternen", "zwischen Felsen des Planeten"),
        ),
        "underwater": (
            (
                "unterwasser im Sonnenlicht",
                "unterwasser zwischen Fischen",
                "unterwasser über dem Riff",
                "unterwasser zwischen Quallen",
            ),
            ("unterwasser im letzten Licht", "unterwasser zwischen Quallen"),
        ),
        "anywhere": (
            (
                "vor weiten Hügeln",
                "in einer Straße der Stadt",
                "am Fluss unter Bäumen",
                "auf den Dächern über der Stadt",
                "auf einer Wiese voller Blumen",
                "am Rand des Waldes vor dem Wald",
            ),
            ("in einer Straße der Stadt", "auf den Hügeln unter Sternen", "am Bergsee im Mondlicht"),
        ),
    },
    articles=frozenset(
        [
            "ein",
            "eine",
            "einen",
            "einem",
            "einer",
            "der",
            "die",
            "das",
            "den",
            "dem",
            "mein",
            "meine",
            "sein",
            "seine",
            "ihr",
            "ihre",
            "zwei",
            "drei",
        ]
    ),
)
