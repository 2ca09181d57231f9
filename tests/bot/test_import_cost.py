"""What the real process imports: the library of a vendor only where its generator is configured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from providers.registry import PAINTERS, REGISTRY, WRITERS
from tests.bot.operator_world import ROOT, SECONDS

LIBRARIES: Final = frozenset(
    {"google", "replicate", "httpx", "httpx2", "httpcore", "httpcore2", "fal_client", "huggingface_hub"}
)
"""Of vendors, and what only they bring along."""


PROGRAM: Final = """
import atexit, pathlib, sys
atexit.register(lambda: pathlib.Path("modules").write_text("\\n".join(sys.modules)))
sys.argv[1:] = ["run"]
from bot.__main__ import main
main()
"""


def imported(folder: Path, **settings: str) -> set[str]:
    """Every module that ``reelay run`` has imported by its end, when it was started and stopped."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    environ |= {"PYTHONPATH": str(ROOT), "REELAY_DATA_DIR": str(folder / "data"), "REELAY_HTTP_PORT": "0", **settings}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=folder, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert any(" is at " in line for line in process.stdout)
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS) == 0
        finally:
            process.kill()
    return set((folder / "modules").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return imported(tmp_path_factory.mktemp("bare"))


def test_without_a_vendor_no_library_of_one_is_imported(bare: set[str]) -> None:
    assert {"bot.app", "aiohttp", "providers.local", "providers.rules"} <= bare
    assert {name for name in bare if name.partition(".")[0] in LIBRARIES} == set()


def test_no_module_of_a_generator_that_is_not_configured_is_imported(bare: set[str]) -> None:
    every = {each.module for each in (*REGISTRY, *WRITERS, *PAINTERS)}
    assert bare & every == {"providers.local", "providers.rules"}


def test_a_generator_brings_its_own_library_and_no_other_one_s(tmp_path: Path) -> None:
    found = imported(tmp_path, REPLICATE_API_TOKEN="r8_lab", REPLICATE_BASE_URL="http://127.0.0.1:9")
    assert "replicate" in found
    assert {"google.genai", "httpx2", "providers.omni", "providers.veo"} & found == set()
