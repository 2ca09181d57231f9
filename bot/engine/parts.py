"""The parts that every room of the engine shares; built once by ``bot/app.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.engine.alerts import Alerts
from bot.engine.figures import Figures, NoFigures
from bot.engine.words import Words
from core.jobs import Clip
from core.media import MediaToolbox
from core.ports import CharacterPainter, ClipStore, Clock, Platform, Provider, SceneWriter
from storage.film_store import FilmStore
from storage.store import SqliteStore

Reach = Callable[[str], None]
"""Called with the name of each point at which a crash is tested; does nothing outside the tests."""


def reach_nothing(point: str) -> None:
    """Outside the tests no point is special."""
    del point


def no_link(clip: Clip) -> str | None:
    """Without a public address there are no links."""
    del clip
    return None


@dataclass(slots=True)
class Caps:
    """How much may happen at once."""

    running_per_person: int = 2
    waiting_per_person: int = 20
    running_everywhere: int = 64
    scenes_of_film: int = 4


@dataclass(slots=True)
class Parts:
    """Store, files, generators, platforms and the rest, by their ports."""

    store: SqliteStore
    clips: ClipStore
    media: MediaToolbox
    clock: Clock
    alerts: Alerts
    providers: Mapping[str, Provider]
    default_provider: str
    writer: SceneWriter
    plain_writer: SceneWriter
    """The one that needs nobody: for a film whose script came to nothing."""
    painter: CharacterPainter
    films: FilmStore
    """The store's methods for films."""
    words: Callable[[str], Words]
    """The catalogue of a language."""
    platforms: dict[str, Platform] = field(default_factory=dict)
    caps: Caps = field(default_factory=Caps)
    figures: Figures = field(default_factory=NoFigures)
    reach: Reach = reach_nothing
    link: Callable[[Clip], str | None] = no_link
    low_water_bytes: int = 512 << 20
    """Free disk below which no new job is taken, so that a paid clip can always be stored."""
    disk_is_low: bool = False
    """Whether the disk is below that mark now; set by the housekeeping, read before anything is taken or paid."""
    clip_bytes: int = 2 << 30
    """The largest clip that is fetched."""
