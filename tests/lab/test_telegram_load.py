"""The crowd in a process of its own, and its figures."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any
from urllib.parse import urlsplit

from tests.lab.telegram.load import Crowd

Json = dict[str, Any]


class Program:
    """Answers whoever writes, until so many have."""

    def __init__(self, crowd: Crowd, answers: int) -> None:
        self._crowd, self._answers = crowd, answers
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _call(self, method: str, **params: Any) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self._crowd.api_url).netloc, timeout=20)
        connection.request(
            "POST", f"/bot{self._crowd.token}/{method}", json.dumps(params), {"Content-Type": "application/json"}
        )
        said = json.loads(connection.getresponse().read())
        connection.close()
        return said["result"]

    def _run(self) -> None:
        offset = 0
        while self._answers > 0:
            for update in self._call("getUpdates", timeout=5, offset=offset):
                offset = update["update_id"] + 1
                self._call("sendMessage", chat_id=update["message"]["chat"]["id"], text="hello")
                self._answers -= 1


def test_a_crowd_is_counted() -> None:
    with Crowd(latency=0.02) as crowd:
        program = Program(crowd, 9)
        crowd.wait_polled()
        crowd.prepare(3)
        figures = crowd.fire(times=3)
        program.thread.join(20)
        lines, _ = crowd.lines("created")
    assert (figures["answered"], figures["open"], figures["rate_limited"]) == (9, 0, 0)
    assert 0.02 <= figures["p50"] <= figures["p99"]
    assert figures["rate"] > 1
    assert [line["sender"] for line in lines].count("Reelay") == 9
