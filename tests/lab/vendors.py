"""Every vendor's simulator by the generator that it serves, and the settings of a process that has this one and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from providers.sheets import read_sheet
from tests.lab.billing import PaidVendor, Script

OPEN: Final = {
    "REELAY_ALLOWED": "open",
    "REELAY_DAILY_CREDITS": "unlimited",
    "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
    "REELAY_MAX_ACTIVE_JOBS": "16",
    "REELAY_MAX_WAITING_JOBS": "10000",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to a generator. ``names_attempts``: its wire tells our attempt, so that the simulator counts bills by it."""

    generator: str
    module: str
    maker: str
    environment: str = "environment"
    names_attempts: bool = True
    text: bool = True
    """Whether it makes a clip from words alone."""
    judges: bool = True
    """Whether it refuses what people wish for."""
    answers_late: bool = False
    """Whether the answer to the order is the clip: it forgets nothing, and a free one that broke is made again."""

    def simulator(self, default: Script | None = None) -> PaidVendor:
        """Not started."""
        make: Callable[..., PaidVendor] = getattr(import_module(f"tests.lab.{self.module}"), self.maker)
        vendor = make()
        vendor.default = default or vendor.default
        return vendor

    def settings(self, vendor: PaidVendor) -> dict[str, str]:
        """Of a process that has this generator and no other paid one."""
        found: Mapping[str, str] = getattr(vendor, self.environment)()
        return {**OPEN, **found}


KINDS: Final[Mapping[str, Kind]] = {
    "veo": Kind("veo", "veo", "Veo", names_attempts=False),
    "omni": Kind("omni", "omni", "OmniVendor", names_attempts=False),
    "replicate": Kind("replicate", "replicate", "ReplicateVendor", names_attempts=False),
    "ovi": Kind("ovi", "fal", "Fal", names_attempts=False),
    "ovi by Hugging Face": Kind("ovi", "fal", "Fal", "router_environment", names_attempts=False, text=False),
    "longcat": Kind("longcat", "longcat", "LongCat"),
    "localai": Kind("longcat", "localai", "LocalAI", names_attempts=False, judges=False, answers_late=True),
    "comfyui": Kind("comfyui", "comfyui", "ComfyUIServer", judges=False),
}


def hurry(data: Path, generator: str, seconds: tuple[float, float] = (0.05, 0.2)) -> None:
    """Let the generator be asked more often than a real vendor is, by an operator's own sheet in the data folder."""
    folder = data / "models"
    folder.mkdir(parents=True, exist_ok=True)
    tables = [
        f'[[models]]\nid = "{model.id}"\npoll_seconds = {list(seconds)}\n' for model in read_sheet(generator).models
    ]
    (folder / f"{generator}.toml").write_text("\n".join(tables), encoding="utf-8")
