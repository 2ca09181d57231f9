"""An operator's day with the real process and the real command line."""

from __future__ import annotations

import re
import signal
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.bot.operator_world import Running, reelay, running, typed

pytestmark = pytest.mark.blocks("a command is a program of its own: nothing else runs on its loop")


def signed_in_with(link: str) -> tuple[int, str]:
    """(status, cookie) of following a sign-in link."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: object) -> None:
            return None

    try:
        with urllib.request.build_opener(Stay).open(link, timeout=30) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        cookie = (error.headers.get("Set-Cookie") or "").split(";")[0]
        error.close()
        return error.code, cookie if urlsplit(error.headers["Location"]).query == "" else ""


def order(process: Running, token: str, prompt: str = "a heron at dusk") -> tuple[int, str]:
    status, answer = process.call(
        "/api/video_chat/generate", {"prompt": prompt, "duration": 4}, {"Authorization": f"Bearer {token}"}
    )
    return status, answer.get("operation_id") or answer["error_code"]


def test_an_operators_day(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder, VIDEO_TOKEN_COST="10") as process:
        admin = process.admin

        # tokens and links
        token = admin("token", "web:ann").out.strip()
        link = admin("token", "web:ann", "--signin").out.strip()
        assert process.call("/api/me", headers={"Authorization": f"Bearer {token}"})[0] == 200
        status, cookie = signed_in_with(link)
        assert status == 303
        assert process.call("/api/me", headers={"Cookie": cookie})[1]["kind"] == "signed_in"
        assert signed_in_with(link)[1] == ""  # it works once

        # limits and grants
        assert admin("quota", "set", "person", "web:ann", "day", "0").code == 0
        assert order(process, token) == (402, "QUOTA_EXCEEDED")
        assert admin("grant", "web:ann", "25", "--note", "a present").out == "web:ann has 25 granted credits now.\n"
        assert admin("grant", "web:ann", "-5", "--json").json["balance"] == 20

        # pauses
        assert admin("pause").out == "! local is paused until it is resumed: paused by the operator\n"
        status, job = order(process, token)
        assert status == 202, job
        assert [(row["id"], row["state"]) for row in admin("jobs", "--state", "queued", "--json").json["jobs"]] == [
            (job, "queued")
        ]
        assert "heron" not in admin("jobs").out
        assert admin("pause", "intake").code == 0
        assert order(process, token)[0] == 503
        assert admin("resume", "intake").code == 0

        # blocks
        blocked = admin("block", "web:ann")
        assert job in blocked.out
        assert order(process, token)[0] == 403
        assert admin("unblock", "web:ann").code == 0
        assert admin("cancel", job).out == f"Job {job} is cancelled.\n"
        assert admin("cancel", job).code == 1
        assert admin("token", "web:ann", "--revoke").code == 0
        assert process.call("/api/me", headers={"Authorization": f"Bearer {token}"})[0] == 401
        assert admin("ledger", "check").out == "✓ every sum agrees with its lines\n"
        refused = admin("grant", "wbe:ann", "5")
        assert (refused.code, refused.err.count("\n")) == (1, 1)
        assert process.stop(signal.SIGKILL) == -9

    # the socket of the dead process is there, and nobody listens: the command line does it itself
    assert (folder / "admin.sock").exists()
    assert reelay(folder, "admin", "resume").out == "Resumed: local\n"
    trail = typed(folder, "admin", "audit", "--json").json["audit"]
    assert [(row["verb"], row["actor"]) for row in trail[:2]] == [
        ("resume", "operator@direct"),
        ("revoke", "operator@socket"),
    ]
    assert token not in str(trail)
    with running(folder) as again:
        assert again.admin("status", "--json").json["pauses"] == []
        assert again.stop() == 0


def test_moving_to_another_machine(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    with running(old) as process:
        token = process.admin("token", "web:ann").out.strip()
        process.admin("pause", "local")
        _, job = order(process, token)
        made = reelay(old, "admin", "backup", "backup.tar", "--clips")  # a path as the asker sees it
        assert made.code == 0, made
        assert made.err == ""
        refused = typed(old, "admin", "restore", str(tmp_path / "backup.tar"), "--force")
        assert refused.code == 75
        assert process.stop() == 0
    target = tmp_path / "backup.tar"
    again = typed(old, "admin", "backup", str(target))
    assert (again.code, "not taken" in again.err) == (1, True)
    assert reelay(new, "admin", "restore", str(target)).code == 0
    assert typed(new, "admin", "restore", str(target)).code == 1
    said = typed(tmp_path / "third", "admin", "restore", str(target)).out
    assert "0 files of clips were brought back" in said
    assert typed(old, "admin", "backup", str(tmp_path / "words")).code == 0
    said = typed(tmp_path / "fourth", "admin", "restore", str(tmp_path / "words")).out
    assert "the backup holds no clips: it was made without --clips." in said
    with running(new) as moved:
        assert moved.call("/api/me", headers={"Authorization": f"Bearer {token}"})[0] == 200
        assert [row["id"] for row in moved.admin("jobs", "--json").json["jobs"]] == [job]
        assert moved.stop() == 0


def test_limits_are_shown_by_name_and_refused_with_what_is_legal(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    account = typed(folder, "admin", "quota", "set", "person", "web:ann", "day", "7", "--json").json["subject"]
    for words in (("set", "person", account, "day", "7"), ("show",), ("show", "person", account)):
        said = typed(folder, "admin", "quota", *words).out
        assert ("web:ann" in said, account in said) == (True, False), said
    below = typed(folder, "admin", "quota", "set", "person", "web:ann", "day", "-3")
    assert (below.code, "unlimited, or unset" in below.err) == (1, True)
    without = typed(folder, "admin", "quota", "show", "person")
    assert (without.code, "must be given behind person: web:NAME" in without.err) == (1, True)


def test_a_link_that_leads_nowhere_else_says_so_beside_itself(tmp_path: Path) -> None:
    def link(**more: str) -> tuple[str, str]:
        said = typed(tmp_path / "data", "admin", "token", "web:ann", "--signin", **more)
        assert said.out.count("\n") == 1
        return said.out.partition("?")[0], said.err

    hint = "This link works on this machine only. REELAY_PUBLIC_URL sets the address by which others reach Reelay.\n"
    assert link(REELAY_HTTP_HOST="0.0.0.0") == ("http://127.0.0.1:0/", hint)
    public = {"REELAY_HTTP_HOST": "0.0.0.0", "REELAY_PUBLIC_URL": "https://clips.example.org"}
    assert link(**public) == ("https://clips.example.org/", "")
    assert link(REELAY_HTTP_HOST="192.0.2.7") == ("http://192.0.2.7:0/", "")
    said = typed(tmp_path / "data", "admin", "token", "web:ann", REELAY_HTTP_HOST="0.0.0.0")
    assert said.err == ""


def test_the_first_link_says_too_where_it_works(tmp_path: Path) -> None:
    with running(tmp_path / "data", REELAY_PUBLIC_URL="http://localhost:8080") as process:
        assert process.stop() == 0
        assert process.process.stdout is not None
        told = process.process.stdout.read().splitlines()
    assert told[0].startswith("Sign in once with http://localhost:8080/?signin=")
    assert told[1].startswith("This link works on this machine only. REELAY_PUBLIC_URL ")


def test_every_argument_is_explained_in_words(tmp_path: Path) -> None:
    for command in ("quota show", "quota set", "quota unset", "cancel", "block", "pause", "resume", "grant", "token"):
        told = typed(tmp_path, "admin", *command.split(), "--help").out
        usage, _, arguments = told.partition("Arguments:\n")
        lines = arguments.partition("\n\n")[0].splitlines()
        assert all(re.match(r" {2}[A-Z]+ <(str|int)> {2,}[^\s\[]|  {9,}\S", line) for line in lines), told
        assert "[[" not in usage
    assert "Refuse every order" in typed(tmp_path, "admin", "block", "--help").out
