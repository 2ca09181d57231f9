"""The files around the code: locks, wheel, image, continuous integration."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
ROOMS = ("bot", "core", "media", "providers", "storage")
# Put together here, so that this file does not name what it forbids.
REGISTRIES = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "registry." + "yarnpkg"]
MACHINES = ["/" + "work/main", "/" + "work/shared", "/" + "root/", "/opt/" + "wheels", "/opt/" + "pypi"]


def tracked() -> list[Path]:
    """Every file of the repository: git's where there is one, else what lies in the folder."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        names = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        ).stdout.split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    hidden = {".venv", ".git", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "data"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.relative_to(ROOT).parts)]


def pins(lock: str) -> dict[str, set[str]]:
    """Return the versions that a lock allows, by package."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.fullmatch(
            r"[a-z0-9.-]+==[0-9a-z.]+(?: ; [^\n\\]+)? \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\\n|$))+", entry
        ), entry[:80]
    assert "://" not in text
    assert "--find-links" not in text


def test_what_runs_is_what_is_tested() -> None:
    run, dev = (pins(lock) for lock in LOCKS)
    assert {name: dev.get(name) for name in run} == run


def named(requirement: str) -> str:
    """The package of a requirement, as locks spell it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=~! ]", requirement)[0]).lower()


def test_the_lock_holds_every_declared_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run, dev = (pins(lock) for lock in LOCKS)
    names = [named(each) for each in project["project"]["dependencies"]]
    assert [name for name in names if name not in run] == []
    assert [each for each in project["dependency-groups"]["dev"] if named(each) not in dev] == []
    assert not {"pytest", "ruff", "mypy"} & set(run)


def test_no_file_names_a_registry_or_a_place_of_some_machine() -> None:
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "ignore")
        found += [f"{path.relative_to(ROOT)}: {word}" for word in (*REGISTRIES, *MACHINES) if word in text]
    assert found == []


def test_the_wheel_holds_every_file_of_the_rooms(tmp_path: Path) -> None:
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    with zipfile.ZipFile(tmp_path / built.stdout.strip().splitlines()[-1]) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(next(name for name in names if name.endswith("METADATA"))).decode()
        scripts = wheel.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    wanted = {path.relative_to(ROOT).as_posix() for path in tracked() if path.relative_to(ROOT).parts[0] in ROOMS}
    assert wanted - names == set()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == set(ROOMS)
    assert any(name.startswith("storage/migrations/") and name.endswith(".sql") for name in names)
    assert "Classifier: Private :: Do Not Upload" in metadata
    assert "reelay = bot.__main__:main" in scripts


def dockerfile() -> list[str]:
    """Return the Dockerfile's instructions, each in one line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_is_pinned_small_and_unprivileged() -> None:
    lines = dockerfile()
    base = next(line for line in lines if line.startswith("ARG PYTHON_IMAGE="))
    assert re.fullmatch(r"ARG PYTHON_IMAGE=python:3\.13\.\d+-slim-bookworm(@sha256:[0-9a-f]{64})?", base)
    assert [line for line in lines if line.startswith("FROM")] == [
        "FROM ${PYTHON_IMAGE} AS build",
        "FROM ${PYTHON_IMAGE}",
    ]
    last_stage = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM")) :]
    assert [line for line in last_stage if line.startswith("USER")] == ["USER 10001:10001"]
    assert "STOPSIGNAL SIGTERM" in last_stage
    assert not [line for line in last_stage if re.search(r"\bpip\b|gcc|build-essential|sudo|curl|wget", line)]
    assert not [line for line in lines if line.startswith("ADD") or re.search(r"\bcd /", line)]
    for line in lines:
        if "apt-get install" in line:
            assert "--no-install-recommends" in line
            assert "rm -rf /var/lib/apt/lists/*" in line
    for line in lines:
        if line.startswith(("ENTRYPOINT", "CMD")):
            json.loads(line.split(" ", 1)[1])
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY") and "--from" not in line:
            assert not [source for source in line.split()[1:-1] if f"!{source}" not in ignored]
    assert [room for room in ROOMS if f"COPY {room} {room}" not in lines] == []


@pytest.mark.parametrize("status, healthy", [(200, True), (503, False)])
def test_the_health_check_tells_life_from_death(status: int, healthy: bool) -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Be quiet."""

    line = next(line for line in dockerfile() if line.startswith("HEALTHCHECK"))
    command = json.loads(line[line.index("[") :])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            environment = {"PATH": os.environ["PATH"], "REELAY_HTTP_PORT": str(server.server_port)}
            done = subprocess.run(
                [sys.executable, *command[1:]], env=environment, capture_output=True, timeout=60, check=False
            )
        finally:
            server.shutdown()
            thread.join()
    assert command[0] == "python"
    assert (done.returncode == 0) is healthy


def test_compose_publishes_to_this_machine_only_and_takes_rights_away() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r'^ +- "(\S+:8080)"$', text, re.MULTILINE) == ["127.0.0.1:8080:8080"]
    for line in (
        "read_only: true",
        "- ALL",
        "- no-new-privileges:true",
        "REELAY_HTTP_HOST: 0.0.0.0",
        "stop_grace_period: 45s",
        "- data:/data",
    ):
        assert re.search(rf"^ +{re.escape(line)}$", text, re.MULTILINE), line
    assert "privileged: true" not in text


def test_ci_is_a_program_that_bash_understands() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=30)


def test_a_machine_without_a_python_that_suits_is_told_so(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "make", "cat", "cksum"):
        found = shutil.which(tool)
        assert found is not None
        (tools / tool).symlink_to(found)
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what Python 3.9 answers to the Makefile's question
    old.chmod(0o755)
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    done = subprocess.run(
        ["make", "run"], cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "Reelay needs Python 3.11, 3.12 or 3.13 with venv; none was found." in done.stderr
    assert not (tmp_path / ".venv").exists()
