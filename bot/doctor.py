"""``reelay doctor``: look at everything that could keep Reelay from working, and say of each fault what to do.

While Reelay runs nothing is changed and what only it can see is asked of it; while it does not, the parts are opened under its lock. A
folder that is not there yet, or a database of another release, is left as it is: the generators are then tried in a folder of their own.
"""

from __future__ import annotations

import asyncio
import importlib.util
import shlex
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from bot import admin_socket, checkups
from bot.app import open_app, telegram_address
from bot.probe import Finding, from_json
from bot.settings import Settings, SettingsMistakes, read_settings
from core.errors import AlreadyRunning, MediaError, ReelayError, StorageError
from core.media import RenderRequest
from media.tools import MediaTools

RENDER_SECONDS: Final = 120.0
HEIC: Final = "pillow-heif>=1.1"
"""What reads HEIC, as in pyproject.toml."""
SCRIPTS: Final = {
    "Latin": "Añ",
    "Greek": "Ωλ",
    "Cyrillic": "Жя",
    "Chinese": "海山",
    "Japanese": "うみ",
    "Korean": "바다",
    "Arabic": "بحر",
    "Hebrew": "ים",
    "Hindi": "समुद्र",
    "Thai": "ทะเล",
}
"""A few letters of each."""
Tell = Callable[[Finding], None]
UNANSWERED: Final = (admin_socket.NobodyAnswers, admin_socket.FellSilent, admin_socket.Refused, StorageError)


async def examine(tell: Tell) -> bool:
    """Look at everything, ``tell`` each finding as it is made; returns whether there was no fault."""
    sound = True

    def told(finding: Finding) -> None:
        nonlocal sound
        sound = sound and finding.mark != "fault"
        tell(finding)

    told(checkups.system())
    told(checkups.files())
    try:
        settings = read_settings()
    except SettingsMistakes as mistakes:
        for mistake in mistakes.mistakes:
            told(Finding("fault", "settings", mistake.text, "mend it in the environment or in .env"))
        return False
    for finding in checkups.of_settings(settings):
        told(finding)
    running = await asyncio.to_thread(checkups.running, settings.data_dir)
    database_is_ours = True
    for finding in await asyncio.to_thread(checkups.of_folder, settings):
        told(finding)
    for finding in await asyncio.to_thread(checkups.of_database, settings):
        told(finding)
        database_is_ours = database_is_ours and finding.mark == "ok"
    told(await asyncio.to_thread(checkups.of_keys, settings.data_dir))
    for finding in await _media():
        told(finding)
    told(await asyncio.to_thread(_captions))
    told(await asyncio.to_thread(_port, settings, running=running))
    for finding in await _telegram(settings, running=running):
        told(finding)
    async for finding in _parts(settings, running=running, ours=database_is_ours and settings.database_path.exists()):
        told(finding)
    return sound


# ---------------------------------------------------------------------------------------------------------------------- media, network


async def _media() -> list[Finding]:
    """Draw two seconds with a child of our own, so that nobody's render is waited for, and look at the result."""
    with tempfile.TemporaryDirectory(prefix="reelay-doctor-") as folder:
        tools = MediaTools(Path(folder) / "work", spare=False)
        began = time.monotonic()
        try:
            await tools.start()
            clip = Path(folder) / "check.mp4"
            await tools.render(
                RenderRequest(prompt="a lighthouse at golden sunset", seconds=2), clip, deadline=RENDER_SECONDS
            )
            seen = await tools.inspect(clip)
        except (MediaError, StorageError, OSError) as error:
            code = error.code if isinstance(error, ReelayError) else type(error).__name__
            return [
                Finding(
                    "fault",
                    "media",
                    f"the worker cannot draw a clip ({code}: {error})",
                    "install what requirements.lock names; look at memory limits",
                )
            ]
        finally:
            await tools.close()
    text = (
        f"drew {seen.seconds:g} s of {seen.width}x{seen.height} {seen.video_codec} in {time.monotonic() - began:.1f} s"
    )
    wide = _heic()
    if not seen.plays_everywhere or seen.audio_codec is None:
        return [
            Finding("fault", "media", f"{text}, but not every player shows it", "install what requirements.lock names"),
            wide,
        ]
    return [Finding("ok", "media", text), wide]


def _heic() -> Finding:
    """Whether photos of telephones are read, and by which command they will be: never by Reelay's own name, which is on no index."""
    if importlib.util.find_spec(HEIC.partition(">")[0].replace("-", "_")) is not None:
        return Finding("ok", "media", "HEIC pictures are read")
    if importlib.util.find_spec("pip") is None:  # the image is made without it
        advice = "this Python has no pip (nor has the image): save such pictures as JPEG, or run Reelay from a checkout"
    else:
        advice = f"to read them: {_shown_python()} -m pip install '{HEIC}', and start again (see NOTICE on its licence)"
    return Finding("note", "media", "HEIC pictures are refused", advice)


def _shown_python() -> str:
    """The Python that runs, as one types it here: ``.venv/bin/python`` in a checkout."""
    python = Path(sys.executable)
    return shlex.quote(str(python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python))


def _captions() -> Finding:
    """Which scripts the built-in generator can write under a clip."""
    from media.scenery.caption import fitting_font

    without = [script for script, sample in SCRIPTS.items() if fitting_font(sample, 24) is None]
    if not without:
        return Finding("ok", "media", f"captions can be drawn in {', '.join(SCRIPTS)}")
    return Finding(
        "note",
        "media",
        f"no font here has {', '.join(without)}: built-in clips for such prompts get no caption",
        "install the Noto fonts (Debian: fonts-noto-core, fonts-noto-cjk)",
    )


def _port(settings: Settings, *, running: bool) -> Finding:
    where = f"{settings.http_host}:{settings.http_port}"
    if running:
        return _reachable(settings)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.http_host, settings.http_port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        return Finding(
            "fault",
            "address",
            f"{where} cannot be used: {error.strerror}",
            "end what listens there, or set REELAY_HTTP_PORT",
        )
    return Finding("ok", "address", f"{where} is free")


def _reachable(settings: Settings) -> Finding:
    try:
        status = admin_socket.ask(settings.data_dir, "status", {})
    except UNANSWERED as error:
        return Finding(
            "fault",
            "process",
            f"it runs, but does not answer on its socket: {error}",
            "look at its log, or start it again",
        )
    url = f"{status['local_address']}/readyz"
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=10) as answer:  # our own address, always http
            answer.read(1 << 16)
    except urllib.error.HTTPError as error:
        why = "; ".join(f"{each['part']}: {each['why']}" for each in status["broken"])
        return Finding("fault", "process", f"it is not ready ({error.code}): {why}", "look at its log")
    except OSError as error:
        return Finding("fault", "process", f"{url} does not answer: {error}", "look at its log")
    return Finding(
        "ok", "process", f"process {status['pid']} is ready at {status['address']} since {status['started_at']}"
    )


async def _telegram(settings: Settings, *, running: bool) -> list[Finding]:
    """What Telegram says of the bot, where one is configured. Its library is imported only here, as in ``bot/app.py``."""
    if settings.telegram_token is None:
        return []
    from bot.platforms.telegram import checkup

    return await checkup.look(telegram_address(settings, settings.telegram_token.get_secret_value()), running=running)


# ----------------------------------------------------------------------------------------------------------------------- inside parts


async def _parts(settings: Settings, *, running: bool, ours: bool) -> AsyncIterator[Finding]:
    if running:
        try:
            answer = await asyncio.to_thread(admin_socket.ask, settings.data_dir, "probe", {})
        except UNANSWERED as error:
            yield Finding(
                "fault",
                "process",
                f"it could not be asked: {error}",
                "look at its log, or start it again",
            )
            return
        for finding in from_json(answer):
            yield finding
        return
    with tempfile.TemporaryDirectory(prefix="reelay-doctor-") as elsewhere:
        try:
            at = settings if ours else await asyncio.to_thread(_moved, settings, Path(elsewhere))
            async for finding in _opened(at):
                yield finding
        except SettingsMistakes as mistakes:
            for mistake in mistakes.mistakes:
                yield Finding("fault", "settings", mistake.text, "mend what it names, then run reelay doctor again")
        except AlreadyRunning:
            yield Finding("note", "process", "Reelay was started meanwhile", "run reelay doctor again")
        except (ReelayError, OSError) as error:
            yield Finding("fault", "process", f"its parts cannot be opened: {error}", "see the findings above")


async def _opened(settings: Settings) -> AsyncIterator[Finding]:
    app = await open_app(settings)
    try:
        for finding in from_json(await app.desk.do("probe", {}, actor="doctor")):
            yield finding
    finally:
        await app.close()


def _moved(settings: Settings, folder: Path) -> Settings:
    """The settings as of another data folder, with the operator's own sheets of models in it."""
    sheets = settings.data_dir / "models"
    if sheets.is_dir():
        shutil.copytree(
            sheets, folder / "models", ignore=lambda _, names: [n for n in names if not n.endswith(".toml")]
        )
    update: dict[str, Any] = {"data_dir": folder, "database_url": None}
    return settings.model_copy(update=update)
