"""A simulator in a process of its own, behind its control port: for benchmarks, which must not share an interpreter with it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any, Self

Json = dict[str, Any]
ASK_SECONDS = 120.0
END_SECONDS = 10.0


class Apart:
    """Started by ``with``. What its first line says of addresses can be read as attributes. Its calls block."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._process: subprocess.Popen[str] | None = None
        self._where: Json = {}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._where = json.loads(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_SECONDS)
        process.stdout.close()

    def __getattr__(self, name: str) -> str:
        where: Json = self.__dict__.get("_where", {})
        if name not in where:
            raise AttributeError(name)
        return str(where[name])

    @property
    def pid(self) -> int:
        """Of the simulator, for whoever counts its processor time."""
        assert self._process is not None
        return self._process.pid

    def ask(self, path: str, data: Json | None = None) -> Json:
        """Say something to the control port."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(f"{self.control_url}{path}", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:
                found: Json = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from None
        return found

    def figures(self) -> Json:
        """How far it is."""
        return self.ask("/figures")

    def lines(self, what: str, after: int = 0) -> tuple[list[Json], int]:
        """The journal's lines of one kind from a number on, and the number to go on with."""
        found = self.ask(f"/lines?what={what}&after={after}")
        return found["lines"], found["next"]
