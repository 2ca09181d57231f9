"""A Reelay with an operator, a clip of somebody else's, and who says what about it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tests.lab.api import Api
from tests.lab.clips import clip_bytes
from tests.lab.reelay import ROOT, Reelay

OPERATOR, SOMEBODY = "discord:5", "discord:6"
OWNER: Final = "reelay_lab-token-of-ann-0123456789abcdef"
NOBODY: Final = {"X-Forwarded-For": "203.0.113.7"}
"""A call that a proxy passed on is not this machine's own, so it has no account."""


@contextmanager
def moderated(folder: Path) -> Iterator[Reelay]:
    """The running process. Ann has a token, and one operator is named."""
    canned = folder / "clip.mp4"
    canned.write_bytes(clip_bytes())
    environ = {"REELAY_ADMINS": OPERATOR, "LAB_TOKENS": json.dumps({"ann": OWNER})}
    generators = [{"kind": "instant", "name": "instant", "price": 10, "clip": str(canned)}]
    with Reelay(folder, generators=generators, environ=environ) as process:
        yield process.start()


def command(reelay: Reelay, *words: str) -> str:
    """What ``reelay admin`` answers."""
    said = subprocess.run(
        [sys.executable, "-m", "bot", "admin", *words],
        cwd=ROOT, env=reelay.environment(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return said.stdout


def cookie_of(reelay: Reelay, who: str) -> str:
    """Sign in as ``who`` with a link of the command line, as a person does."""
    link = urlsplit(json.loads(command(reelay, "token", who, "--signin", "--json"))["link"])
    answer = Api(reelay.url).get(f"/?{link.query}")
    assert answer.status == 303
    return str(answer.headers["Set-Cookie"]).split(";")[0]


def page_of(reelay: Reelay, cookie: str, **headers: str) -> Api:
    """Calls as the page of whoever has this cookie makes them."""
    return Api(reelay.url, cookie=cookie, headers={"Origin": reelay.url, **headers})


def made(reelay: Reelay, prompt: str = "a lighthouse") -> tuple[dict[str, Any], str]:
    """(status object, signed link without the host) of a new clip of Ann's."""
    owner = Api(reelay.url, token=OWNER)
    job = owner.ordered(prompt)
    reelay.wait_state(job)
    status = owner.status(job)
    found = urlsplit(str(owner.post(f"{status['video_url']}/link")["url"]))
    return status, f"{found.path}?{found.query}"


def reports(reelay: Reelay, job: str) -> list[str]:
    """Who reported the job's clip, in the order of the audit trail."""
    rows = reelay.rows("SELECT actor, details FROM audit WHERE verb = 'report' ORDER BY id")
    return [row["actor"] for row in rows if json.loads(row["details"])["job"] == job]
