"""The generators that exist, each one line: its name, its module, and how much it is preferred when none is named.

A module is imported only when its generator is configured: an SDK costs start-up time and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from core.ports import Connect, Provider


@dataclass(frozen=True, slots=True)
class Entry:
    """One generator. ``needs``: names of settings, of which all of one group configure it; empty means always there.

    ``unless`` names a setting that gives the same key another meaning.
    """

    name: str
    module: str
    needs: tuple[tuple[str, ...], ...] = ()
    unless: str | None = None
    paid: bool = True

    def configured(self, settings: Any) -> bool:
        """Whether ``settings`` have what it needs."""
        if self.unless is not None and getattr(settings, self.unless):
            return False
        return not self.needs or any(all(getattr(settings, name) for name in group) for group in self.needs)


VERTEX: Final = (
    ("google_cloud_project",),
    ("google_use_vertex", "google_api_key"),
    ("google_use_vertex", "gemini_api_key"),
)

REGISTRY: Final = (
    Entry("veo", "providers.veo", VERTEX),
    Entry("omni", "providers.omni", (("gemini_api_key",), ("google_api_key",)), unless="google_use_vertex"),
    Entry("replicate", "providers.replicate", (("replicate_api_token",),)),
    Entry("ovi", "providers.ovi", (("fal_key",), ("hf_token",))),
    Entry("longcat", "providers.longcat", (("longcat_endpoint",),), paid=False),
    Entry("comfyui", "providers.comfyui", (("comfyui_url",),), paid=False),
    Entry("local", "providers.local", paid=False),
)
"""Best first: the first configured one is the default generator. ``paid``: whether its models cost as they are shipped."""

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {"google": ("veo", "omni"), "gemini": ("veo", "omni")}
"""Accepted on input: the first configured of these. Answers give the real name."""


@dataclass(frozen=True, slots=True)
class Maker:
    """A writer of scenes or a painter of characters: the function ``connect`` of ``module`` connects it where ``configured`` says so."""

    name: str
    module: str
    connect: str
    configured: Callable[[Any], bool]


def _gemini(settings: Any) -> bool:
    return bool(settings.gemini_api_key or settings.google_api_key) and not settings.google_use_vertex


def _openai(settings: Any) -> bool:
    return bool(settings.openai_api_key) or settings.openai_url != OPENAI


def _on_replicate(settings: Any) -> bool:
    return bool(settings.replicate_api_token) and "/" in (settings.character_model or "")


OPENAI: Final = "https://api.openai.com"
WRITERS: Final = (
    Maker("openai", "providers.openai", "scenes", _openai),
    Maker("gemini", "providers.gemini", "scenes", _gemini),
    Maker("local", "providers.rules", "scenes", lambda _: True),
)
"""Best first. Whoever sets OPENAI_API_KEY or OPENAI_BASE_URL sets it for this alone, so it goes before Gemini."""
PAINTERS: Final = (
    Maker("replicate", "providers.replicate_painter", "connect_painter", _on_replicate),
    Maker("gemini", "providers.gemini", "characters", _gemini),
    Maker("local", "providers.rules", "characters", lambda _: True),
)
"""Best first: a CHARACTER_MODEL of the form owner/name is one on Replicate."""


def connect_first(makers: Iterable[Maker], settings: Any, world: Connect) -> Any:
    """Connect the first that is configured; its module is imported only then."""
    maker = next(each for each in makers if each.configured(settings))
    return getattr(import_module(maker.module), maker.connect)(settings, world)


def real_name(name: str, there: Collection[str]) -> str | None:
    """The configured generator that ``name`` means, which may be an alias; None when none of ``there`` is meant."""
    return next((real for real in (name, *ALIASES.get(name, ())) if real in there), None)


def connect(entry: Entry, settings: Any, world: Connect) -> Provider:
    """Import the generator's module and connect it. ``settings`` is whatever object has the attributes it needs."""
    provider: Provider = import_module(entry.module).connect(settings, world)
    return provider
