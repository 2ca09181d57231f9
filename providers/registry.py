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
    """One generator. ``needs``: names of settings that configure it (any of them); empty means always there."""

    name: str
    module: str
    needs: tuple[str, ...] = ()
    paid: bool = True


REGISTRY: Final = (Entry("local", "providers.local", paid=False),)
"""Best first: the first configured one is the default generator."""

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {"google": ("veo", "omni"), "gemini": ("veo", "omni")}
"""Accepted on input: the first configured of these. Answers give the real name."""


def real_name(name: str, there: Collection[str]) -> str | None:
    """The configured generator that ``name`` means, which may be an alias; None when none of ``there`` is meant."""
    return next((real for real in (name, *ALIASES.get(name, ())) if real in there), None)


def connect(entry: Entry, settings: Any, world: Connect) -> Provider:
    """Import the generator's module and connect it. ``settings`` is whatever object has the attributes it needs."""
    provider: Provider = import_module(entry.module).connect(settings, world)
    return provider
