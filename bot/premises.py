"""What the admin desk may use of the process around the engine."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.commands.admin import Premises
from bot.engine.status import iso
from bot.platforms.web.accounts import SIGNIN_HOURS, hash_token, new_token
from bot.version import VERSION

if TYPE_CHECKING:
    from bot.app import App


def premises_of(app: App) -> Premises:
    """The desk's view of ``app``, also of one that is open and was never started."""

    def local_address() -> str:
        from bot.app import address

        here = app.settings.model_copy(update={"public_url": None})
        return address(here, app.server.port or app.settings.http_port)

    async def status() -> dict[str, Any]:
        ready, details = await app.readiness()
        return {
            "release": VERSION,
            "pid": os.getpid(),
            "started_at": iso(app.started_at),
            "ready": ready,
            "address": app.settings.public_url or local_address(),
            "local_address": local_address(),
            "data_dir": str(app.settings.data_dir.absolute()),
            "generators": list(app.providers),
            "broken": details["broken"],
            "alerts": details["alerts"],
        }

    async def backup(target: Path, *, with_clips: bool, note: Callable[[], Awaitable[None]]) -> dict[str, Any]:
        from bot.backup import Source, write_backup

        source = Source(app.settings.data_dir, app.database.backup, app.clips.checkout, app.clock.now)
        return await write_backup(source, target, with_clips=with_clips, note=note)

    async def probe() -> dict[str, Any]:
        from bot.probe import Checked, as_json, probe

        others: dict[str, Checked] = {
            f"scene writer {app.writer.name}": app.writer,
            f"character painter {app.painter.name}": app.painter,
        }
        return as_json(await probe(app.parts, others))

    return Premises(
        new_token=new_token,
        hash_token=hash_token,
        signin_ms=SIGNIN_HOURS * 3_600_000,
        page=lambda: app.settings.public_url or local_address(),
        status=status,
        backup=backup,
        probe=probe,
    )
