"""The verbs about a person: quota, settings, privacy, forget, export. The same answers on every surface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.engine.engine import Engine
from bot.engine.status import iso
from bot.engine.words import Words
from core.errors import BadOption
from core.health import WELL, Standing
from core.money import Period, window_end
from core.requests import ASPECTS, MOST_PICTURES, RESOLUTIONS, SECONDS
from storage.views import AccountView

SETTINGS: Final[Mapping[str, tuple[Any, ...]]] = {
    "notify": (True, False),
    "language": ("en",),
    "aspect_ratio": ASPECTS,
    "resolution": RESOLUTIONS,
    "duration": SECONDS,
    "generate_audio": (True, False),
}
"""What a person may set, and the legal values; ``provider`` is checked against what is configured."""


async def me(engine: Engine, account_id: str, subject: str) -> dict[str, Any]:
    """Credits, counts, caps and settings of an account, in plain JSON."""
    view = await engine.parts.store.account(account_id, subject)
    caps = engine.parts.caps
    return {
        "account": account_id,
        "credits": {"today": _window(view, Period.DAY), "month": _window(view, Period.MONTH), "granted": view.granted},
        "running": view.running,
        "waiting": view.waiting,
        "caps": {"running": caps.running_per_person, "waiting": caps.waiting_per_person},
        "settings": {
            **dict.fromkeys((*SETTINGS, "provider")),
            "notify": True,
            "language": "en",
            **view.settings,
        },
        "blocked": view.blocked,
    }


def _window(view: AccountView, period: Period) -> dict[str, Any]:
    allowance = next(a for a in view.allowances if a.period is period)
    left = None if allowance.left is None else allowance.left + view.granted
    return {
        "limit": allowance.limit,
        "spent": allowance.spent,
        "held": allowance.held,
        "left": left,
        "resets_at": iso(window_end(period, allowance.window_start)),
    }


async def change_settings(engine: Engine, account_id: str, changes: Any) -> None:
    """Set or (with null) forget settings. Raises BadOption naming the setting and its legal values."""
    if not isinstance(changes, dict) or not changes:
        raise BadOption("settings", changes, "an object with at least one setting")
    legal = {**SETTINGS, "provider": tuple(engine.parts.providers)}
    for key, value in changes.items():
        if key not in legal:
            raise BadOption("settings", key, "one of " + ", ".join(legal))
        if value is not None and not any(value == allowed and type(value) is type(allowed) for allowed in legal[key]):
            raise BadOption(key, value, " or ".join(str(allowed).lower() for allowed in legal[key]))
    await engine.parts.store.set_settings(account_id, changes)


def privacy(engine: Engine, words: Words, retention_days: int) -> dict[str, Any]:
    """What is kept, who gets what, and how to have it erased."""
    companies = [p.capabilities for p in engine.parts.providers.values() if p.capabilities.company]
    lines = [words.say("privacy.local")] if "local" in engine.parts.providers else []
    lines += [words.say("privacy.company", generator=can.title, company=can.company) for can in companies]
    kept = words.say("privacy.kept", days=retention_days) if retention_days else words.say("privacy.kept.always")
    default = engine.parts.providers[engine.parts.default_provider].capabilities
    if default.company is None:
        first_use = words.say("privacy.first_use.local")
    else:
        first_use = words.say("privacy.first_use.company", companies=default.company)
    rest = [kept, words.say("privacy.who"), words.say("privacy.ledger"), words.say("privacy.forget")]
    return {"title": words.say("privacy.title"), "paragraphs": [*lines, *rest], "first_use": first_use}


async def generators(engine: Engine, words: Words) -> dict[str, Any]:
    """What each configured generator can do, what it costs and how it is doing."""
    standings = (await engine.parts.store.look()).standings
    return {
        "default": engine.parts.default_provider,
        "generators": [
            await _generator(engine, name, words, standings.get(name, WELL)) for name in engine.parts.providers
        ],
    }


async def _generator(engine: Engine, name: str, words: Words, standing: Standing) -> dict[str, Any]:
    can = engine.parts.providers[name].capabilities
    eight = 8 if 8 in can.seconds else can.seconds[-1]
    offer, price = await engine.intake.offer({"provider": name, "prompt": "x", "duration": eight}, with_picture=False)
    usual = await engine.parts.store.usual_seconds(
        name, can.default_model, offer.applied.seconds, offer.applied.resolution
    )
    flat = engine.intake.flat_price
    company = can.company
    return {
        "name": name,
        "title": can.title,
        "company": company,
        "privacy": words.say("privacy.generator.company", company=company)
        if company
        else words.say("privacy.generator.local"),
        "aspects": list(can.aspects),
        "resolutions": list(can.resolutions),
        "seconds": list(can.seconds),
        "audio": can.audio,
        "audio_switch": can.audio_switch,
        "seed": can.seed,
        "negative_prompt": can.negative_prompt,
        "image": can.image,
        "reference_images": min(can.reference_images, MOST_PICTURES) if can.reference_images > 1 else 0,
        "last_frame": can.last_frame,
        "last_frame_alone": can.last_frame and can.last_frame_alone,
        "extend": can.extend,
        "cancel": can.cancel,
        "models": list(can.models),
        "default_model": can.default_model,
        "price": {"credits_per_second": None if flat is not None else price / offer.applied.seconds, "flat": flat},
        "usual_seconds": round(usual if usual is not None else can.usual_seconds, 1),
        **_health(words, standing),
    }


def _health(words: Words, standing: Standing) -> dict[str, Any]:
    """How it is doing, for whoever chooses among generators: one that is being tried again is not to be counted on either."""
    if standing.is_usable:
        return {"health": "ok", "health_text": None, "health_until": None}
    paused = standing.state == "paused"
    said = words.say("health.paused") if paused else words.say("health.unavailable")
    return {
        "health": "paused" if paused else "unavailable",
        "health_text": said,
        "health_until": iso(standing.until),
    }


async def is_known(engine: Engine, platform: str, external_id: str, account_id: str | None) -> bool:
    """Whether there is anything to forget of somebody."""
    return account_id is not None or await engine.parts.store.is_named(platform, external_id)


async def forget(engine: Engine, platform: str, external_id: str, account_id: str | None) -> tuple[int, int] | None:
    """Erase a person, also one who never ordered and was only shown other people's clips; returns (jobs, clips), None for a stranger."""
    if not await is_known(engine, platform, external_id, account_id):
        return None
    return await engine.forget(account_id or await engine.parts.store.open_account(platform, external_id))
