"""The generators that exist, each one line: its name, its module, and how much it is preferred when none is named.

A module is imported only when its generator is configured: an SDK costs start-up time and memory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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


def real_name(name: str, there: Collection[str]) -> str | None:
    """The configured generator that ``name`` means, which may be an alias; None when none of ``there`` is meant."""
    return next((real for real in (name, *ALIASES.get(name, ())) if real in there), None)


def connect(entry: Entry, settings: Any, world: Connect) -> Provider:
    """Import the generator's module and connect it. ``settings`` is whatever object has the attributes it needs."""
    provider: Provider = import_module(entry.module).connect(settings, world)
    return provider
