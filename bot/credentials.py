"""Which key leads to which generator, in sentences: said at start and by ``reelay doctor`` where one may be mistaken for another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.settings import Settings
from providers.registry import ALIASES, REGISTRY

WANTS: Final[Mapping[str, str]] = {
    "veo": "GOOGLE_GENAI_USE_VERTEXAI=yes with a key of Vertex express mode, or GOOGLE_CLOUD_PROJECT with application default credentials",
    "omni": "GEMINI_API_KEY, and GOOGLE_GENAI_USE_VERTEXAI unset: with it the key is one for Veo",
    "replicate": "REPLICATE_API_TOKEN",
    "ovi": "FAL_KEY or HF_TOKEN",
    "longcat": "LONGCAT_VIDEO_ENDPOINT",
    "comfyui": "COMFYUI_URL",
}
MODELS: Final[Mapping[str, str]] = {
    "veo": "veo_model",
    "omni": "omni_model",
    "replicate": "replicate_model",
    "ovi": "ovi_model",
    "longcat": "longcat_model",
}
"""The setting that names a generator's model."""


def there(settings: Settings) -> list[str]:
    """Names of the generators that the settings configure, in order of preference."""
    return [entry.name for entry in REGISTRY if entry.configured(settings)]


def wanted_for(name: str, settings: Settings) -> str:
    """What has to be set for a generator that is not configured: ``veo wants …``. Aliases are told by what they stand for."""
    names = ALIASES.get(name, (name,))
    said = "; ".join(f"{each} wants {WANTS[each]}" for each in names if each in WANTS)
    key = settings.gemini_api_key or settings.google_api_key
    if "veo" in names and key is not None and "veo" not in there(settings):
        said += ". A Gemini API key alone leads to omni: Google serves Veo through Vertex only"
    return said


def notes(settings: Settings) -> list[str]:
    """What is set and leads nowhere, or elsewhere than its name says; nothing of it keeps Reelay from starting."""
    configured = there(settings)
    found = [
        f"{name.upper()}_MODEL is set, but {name} is not configured: {wanted_for(name, settings)}"
        for name, field in MODELS.items()
        if getattr(settings, field) is not None and name not in configured
    ]
    if settings.google_use_vertex and not {"veo"} & set(configured):
        found.append(f"GOOGLE_GENAI_USE_VERTEXAI is set, but there is no key: {wanted_for('veo', settings)}")
    if settings.gemini_api_key is not None and settings.google_api_key is not None:
        found.append("GEMINI_API_KEY and GOOGLE_API_KEY are both set: GEMINI_API_KEY is used")
    if settings.fal_key is not None and settings.hf_token is not None:
        found.append("FAL_KEY and HF_TOKEN are both set: Ovi goes through fal, the shorter way")
    return found
