from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import io
import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from bot import log_writer
from bot.logs import Logs, Style, about, configure
from bot.redaction import MASK, Redactor, escape

CANARY = 'ca"na\\ry$ecret+/='
TOKENS = {
    "telegram": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1",
    "telegram in a path": "/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1/getMe",
    "google": "AIzaSyA-0aBcDeFgHiJkLmNoPqRsTuVwXyZ0123",
    "replicate": "r8_0aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
    "hugging face": "hf_0aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456",
    "openai": "sk-proj-0aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
    "fal": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9:0123456789abcdef0123456789abcdef",
    "discord": "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs",
    "bearer": "Authorization: Bearer abcdefghijklmnop0123",
    "signed link": "http://127.0.0.1:8080/api/mv/get_video/1?kid=1&exp=2&sig=abcdefghijklmnop0123",
    "sign-in link": "http://127.0.0.1:8080/?signin=abcdefghijklmnop0123",
    "login": "http://somebody:abcdefghijklmnop0123@proxy.example.org:3128",
    "interaction": "/webhooks/123456789/aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODk",
    "reelay": "reelay_0aBcDeFgHiJkLmNoPqRsTuVwXyZ",
}
SECRET_PARTS = [
    "AAHdqTcv",
    "AIzaSy",
    "0aBcDeFg",
    "0123456789abcdef",
    "ZnCjm1XV",
    "abcdefghijklmnop",
    "aW50ZXJh",
    'ca"na',
    "na\\\\ry",
    "na\\ry",
    "$ecret",
]


class Page:
    """A log under test: what was written so far."""

    def __init__(self, style: Style) -> None:
        self.stream = io.StringIO()
        self.logs = configure(style, [CANARY], stream=self.stream)

    @property
    def text(self) -> str:
        assert self.logs.flush()
        return self.stream.getvalue()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture(params=["text", "json"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    page = Page(request.param)
    yield page
    page.logs.close()


@pytest.fixture
def json_page() -> Iterator[Page]:
    page = Page("json")
    yield page
    page.logs.close()


@pytest.fixture
def text_page() -> Iterator[Page]:
    page = Page("text")
    yield page
    page.logs.close()


log = logging.getLogger("reelay.test")


class Talkative:
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        return f"Talkative({self.secret})"


def raise_chain(secret: str) -> None:
    try:
        try:
            raise ValueError(f"first {secret}")
        except ValueError as error:
            raise KeyError(f"second {secret}") from error
    except KeyError:
        raise ExceptionGroup("third", [OSError(5, secret, f"/x/{secret}")])  # noqa: B904  # the implicit chain is the point


def in_traceback(secret: str) -> None:
    try:
        raise_chain(secret)
    except ExceptionGroup:
        log.exception("failed")


def in_context(secret: str) -> None:
    with about(job="j1", address=f"x {secret}"):
        log.info("said inside")


def in_thread(secret: str) -> None:
    thread = threading.Thread(target=raise_chain, args=(secret,), name=f"thread {secret}")
    thread.start()
    thread.join()


def in_finalizer(secret: str) -> None:
    class Fragile:
        def __del__(self) -> None:
            raise RuntimeError(secret)

    Fragile()


def in_crash(secret: str) -> None:
    try:
        raise_chain(secret)
    except ExceptionGroup as error:
        sys.excepthook(type(error), error, error.__traceback__)


POSITIONS: dict[str, Callable[[str], object]] = {
    "message": lambda secret: log.info(f"said {secret}"),  # noqa: G004
    "argument": lambda secret: log.info("said %s and %r", secret, [secret]),
    "mapping argument": lambda secret: log.info("said %(it)s", {"it": secret}),
    "object argument": lambda secret: log.info("said %s", Talkative(secret)),
    "bytes": lambda secret: log.info("said %s", secret.encode()),
    "wrong arguments": lambda secret: log.info("said %d", secret),
    "extra": lambda secret: log.info("said", extra={"url": secret}),
    "extra object": lambda secret: log.info("said", extra={"thing": Talkative(secret)}),
    "nested extra": lambda secret: log.info("said", extra={"deep": {"list": [{"x": (secret,)}], secret: 1}}),
    "name of a fact": lambda secret: log.info("said", extra={f"x {secret}": 1}),
    "name of a logger": lambda secret: logging.getLogger(f"x {secret}").info("said"),
    "stack": lambda secret: log.info("said", stack_info=True, extra={"v": secret}),
    "traceback": in_traceback,
    "context": in_context,
    "structlog": lambda secret: structlog.get_logger("reelay.test").info("said %s", secret, url=secret, deep=[secret]),
    "structlog's own name": lambda secret: structlog.get_logger("reelay.test").info(
        "said", name=secret, args=secret, message=secret
    ),
    "warning": lambda secret: warnings.warn(f"said {secret}", stacklevel=1),
    "thread": in_thread,
    "finalizer": in_finalizer,
    "crash": in_crash,
}


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("secret", [CANARY, *TOKENS.values()], ids=["configured", *TOKENS])
@pytest.mark.parametrize("position", POSITIONS)
def test_no_secret_is_read_wherever_it_stands(style: Style, position: str, secret: str) -> None:
    page = Page(style)  # not by the fixture: pytest's own handler comes after those, and would raise at wrong arguments
    try:
        POSITIONS[position](secret)
        text = page.text
    finally:
        page.logs.close()
    assert (MASK in text) is (position != "wrong arguments")
    assert "said" in text or "rror" in text
    assert not [part for part in SECRET_PARTS if part in text], text


@pytest.mark.blocks("waits for the thread that writes")
@pytest.mark.parametrize("secret", [CANARY, TOKENS["telegram"]])
async def test_the_event_loop_tells_no_secret(page: Page, secret: str) -> None:
    loop = asyncio.get_running_loop()
    page.logs.watch(loop)

    async def fail() -> None:
        raise_chain(secret)

    task = asyncio.create_task(fail(), name="worker")
    await asyncio.wait([task])
    del task
    gc.collect()
    await asyncio.sleep(0)
    loop.call_exception_handler({"message": f"said {secret}", "transport": Talkative(secret)})
    text = page.text
    assert "worker" in text
    assert text.count(MASK) >= 2
    assert not [part for part in SECRET_PARTS if part in text], text


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "api_key",
        "bot-token",
        "Authorization",
        "password",
        "prompt",
        "negative_prompt",
        "cookie",
        "client_secret",
    ],
)
def test_a_fact_whose_name_says_that_it_is_private_is_never_written(page: Page, name: str) -> None:
    log.info("said", extra={name: "plain", "deep": {name: ["plain"]}, "pin": {name: 4711}})
    assert "plain" not in page.text
    assert "4711" not in page.text


def test_a_masked_type_stays_masked(page: Page) -> None:
    log.info("said %s", SecretStr("plain"), extra={"it": SecretStr("plain")})
    assert "plain" not in page.text


def test_a_secret_may_be_registered_later(page: Page) -> None:
    page.logs.register("late-canary")
    log.info("said late-canary")
    assert "late" not in page.text


def test_an_ordinary_line_is_left_alone(text_page: Page) -> None:
    words = "job 0bzk3v8c1mq7w2e5r9t4y6g8ah waited 12:30:45 at 2026-11-21T09:22:01 for sha256 9f86d081884c7d65 (key frames: 48)"
    log.info(words)
    assert words in text_page.text
    assert MASK not in text_page.text


def test_a_text_line_is_good_to_read(text_page: Page) -> None:
    with about(job="j1"):
        log.warning("retrying", extra={"after": 2.5, "why": "no answer yet", "empty": "", "fine": True})
    (line,) = text_page.text.splitlines()
    time, rest = line.split(" ", 1)
    assert len(time) == len("2026-11-21T09:22:01.123Z")
    assert rest == 'WARNING reelay.test  retrying  job=j1  after=2.5  why="no answer yet"  empty=""  fine=true'


def test_a_json_line_is_one_object_with_the_same_facts(json_page: Page) -> None:
    with about(job="j1"):
        log.info("said", extra={"after": 2.5, "level": "forged", "exception": "forged", "odd": float("inf")})
        structlog.get_logger("reelay.other").error("broke", price=4)
    first, second = json_page.events
    assert (
        first.items()
        >= {"level": "info", "logger": "reelay.test", "message": "said", "job": "j1", "after": 2.5}.items()
    )
    assert first["level_"] == "forged"
    assert "exception" not in first
    assert (
        second.items()
        >= {"level": "error", "logger": "reelay.other", "message": "broke", "job": "j1", "price": 4}.items()
    )


@pytest.mark.blocks("waits for the thread that writes")
async def test_a_context_belongs_to_its_task(json_page: Page) -> None:
    started = asyncio.Event()

    async def work(job: str) -> None:
        with about(job=job):
            started.set()
            await asyncio.sleep(0)
            log.info("said", extra={"mine": job})

    await asyncio.gather(work("a"), work("b"))
    log.info("after", extra={"mine": None})
    assert [(event.get("job"), event["mine"]) for event in json_page.events] == [("a", "a"), ("b", "b"), (None, None)]


FORGED = "one\n2026-01-01T00:00:00.000Z INFO    reelay  two\r\x1b[2J\x9b31m\u202e\u2028\x00\ud800"


def test_nobody_forges_a_line_or_steers_a_terminal(page: Page) -> None:
    log.info("said %s", FORGED, extra={"it": FORGED, FORGED: 1})
    logging.getLogger(FORGED).info("said")
    *lines, end = page.text.split("\n")
    assert end == ""
    assert len(lines) == 2
    assert all(letter.isprintable() for line in lines for letter in line)


def test_a_traceback_cannot_pose_as_another_line(text_page: Page) -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        log.exception("failed")
    first, *rest = text_page.text.rstrip("\n").split("\n")
    assert first.endswith("failed")
    assert rest
    assert all(line.startswith("    | ") and line.isprintable() for line in rest)


ADAPTER = """
def check(answer):
    raise ValueError("the vendor said " + answer)
def wrapped(answer):
    try:
        check(answer)
    except ValueError as error:
        raise ExceptionGroup(answer, [KeyError(answer)]) from error
"""
PROMPT = "a wish that nobody else may read"


@pytest.mark.parametrize("module", ["providers.vendor", "bot.platforms.chat"])
@pytest.mark.parametrize("call", ["check", "wrapped"])
def test_what_an_adapter_s_exception_says_is_not_written(page: Page, module: str, call: str) -> None:
    """A prompt has no shape that a pattern could find, and vendors quote prompts in what they answer."""
    adapter: dict[str, Any] = {"__name__": module}
    exec(compile(ADAPTER, "adapter.py", "exec"), adapter)
    try:
        try:
            adapter[call](PROMPT)
        except Exception as error:
            raise RuntimeError(f"a step of ours: {error}") from error
    except RuntimeError:
        log.exception("a step broke")
    text = page.text
    assert PROMPT not in text
    for told in ("RuntimeError", "ValueError", "test_logs.py", "adapter.py", f"in {call}", "is not written"):
        assert told in text


def test_a_fault_of_ours_says_what_it_says(page: Page) -> None:
    in_traceback("plain")
    assert "first plain" in page.text


def test_a_chain_that_bites_its_tail_ends(page: Page) -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    log.error("failed", exc_info=one)
    assert "one" in page.text


def test_a_json_traceback_stays_in_its_line(json_page: Page) -> None:
    in_traceback("plain")
    (event,) = json_page.events
    assert "first plain" in event["exception"]
    assert "\n" in event["exception"]


def test_a_thing_that_cannot_be_shown_costs_only_itself(page: Page) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    log.info("said %s", Broken(), extra={"it": Broken(), "fine": 1})
    text = page.text
    assert "cannot be shown" in text
    assert "fine" in text


def test_a_formatter_that_fails_leaves_a_trace_of_the_line(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redactor, "text", lambda *_: 1 / 0)
    log.info("said")
    monkeypatch.undo()
    assert "reelay.test  a log line could not be written: ZeroDivisionError" in page.text


def test_a_huge_text_is_cut_and_still_clean(page: Page) -> None:
    log.info("%s", "x" * 32_760 + CANARY + "y" * 10_000_000)
    assert len(page.text) < 40_000
    assert 'ca"' not in page.text


def test_hostile_text_takes_linear_time() -> None:
    redactor = Redactor([CANARY])
    for piece in ("1", "a.", "0a-", ":", "bot1", "eyJa.", "-----BEGIN ", "Bearer ", "a://", "?sig=", "_", "AIza"):
        redactor.text(piece * 32_768)  # a pattern that backtracks would meet the timeout of the test


def test_libraries_that_write_addresses_are_quiet(json_page: Page) -> None:
    for name in ("httpx", "aiohttp.access", "telegram.ext.Updater", "discord.gateway"):
        logging.getLogger(name).info("GET /")
        logging.getLogger(name).warning("heard")
    assert {event["message"] for event in json_page.events} == {"heard"}


def test_handlers_of_others_are_put_aside_and_given_back() -> None:
    other = logging.StreamHandler(io.StringIO())
    for logger in (logging.getLogger(), logging.getLogger("library")):
        logger.addHandler(other)
    hook = sys.excepthook
    page = Page("text")
    try:
        logging.getLogger("library").error("said %s", CANARY)
        assert other.stream.getvalue() == ""
        assert MASK in page.text
    finally:
        page.logs.close()
        page.logs.close()
        given_back = [other in logger.handlers for logger in (logging.getLogger(), logging.getLogger("library"))]
        for logger in (logging.getLogger(), logging.getLogger("library")):
            logger.removeHandler(other)
    assert given_back == [True, True]
    assert sys.excepthook is hook
    assert logging.raiseExceptions


def test_what_is_said_to_the_operator_is_not_masked(page: Page) -> None:
    page.logs.say("open http://127.0.0.1:8080/?signin=abcdefghijklmnop0123")
    assert page.text == "open http://127.0.0.1:8080/?signin=abcdefghijklmnop0123\n"


# Where the lines go


@contextlib.contextmanager
def open_logs(descriptor: int) -> Iterator[Logs]:
    with os.fdopen(descriptor, "w") as stream:
        logs = configure("text", stream=stream)
        try:
            yield logs
        finally:
            logs.close()


def test_a_full_disk_loses_lines_and_says_so_when_there_is_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, full = os.write, threading.Event()

    def write(descriptor: int, data: memoryview) -> int:
        if full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    reader, writer = os.pipe()
    monkeypatch.setattr(os, "write", write)
    with open_logs(writer) as logs:
        full.set()
        log.info("lost")
        log.info("lost")
        assert logs.flush()
        full.clear()
        log.info("heard")
        assert logs.flush()
        assert logs.lost == 2
    with os.fdopen(reader) as heard:
        lines = heard.read().splitlines()
    assert lines[0] == "(2 log lines were lost)"
    assert lines[1].endswith("heard")
    assert len(lines) == 2


def test_a_real_full_device_does_no_harm() -> None:
    with open_logs(os.open("/dev/full", os.O_WRONLY)) as logs:
        log.error("lost")
        assert logs.flush()
        assert logs.lost == 1


def test_a_closed_pipe_does_no_harm() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open_logs(writer) as logs:
        for _ in range(3):
            log.error("lost")
            assert logs.flush()
        assert logs.lost == 3


def test_a_closed_stream_does_no_harm(page: Page) -> None:
    page.stream.close()
    log.error("lost")
    assert page.logs.flush()
    assert page.logs.lost == 1


def test_a_reader_that_stalls_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_writer, "MOST_LINES", 50)
    reader, writer = os.pipe()
    with open_logs(writer) as logs:
        for _ in range(400):
            log.info("x" * 1000)  # 64 KiB fill the pipe
        assert not logs.flush(0.1)
        assert logs.lost > 200
        os.set_blocking(reader, False)
        heard = 0
        while not logs.flush(0.01):
            with contextlib.suppress(BlockingIOError):
                heard += len(os.read(reader, 1 << 20))
        os.close(reader)
    assert heard > 60_000


@pytest.mark.parametrize("ending", ["crash", "exit", "closed stdout"])
def test_a_process_writes_its_last_words_and_ends_as_it_would(ending: str) -> None:
    program = f"""
        import logging, os, sys
        from bot.logs import configure
        configure("text", ["canary-4711"])
        logging.getLogger("reelay").info("one")
        if {ending!r} == "closed stdout":
            os.close(1)
        logging.getLogger("reelay").info("two canary-4711")
        if {ending!r} == "crash":
            raise RuntimeError("canary-4711")
        sys.exit(3)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "canary" not in done.stdout + done.stderr
    assert done.stderr == ""
    assert done.returncode == (1 if ending == "crash" else 3)
    if ending != "closed stdout":
        assert "one" in done.stdout
        assert f"two {MASK}" in done.stdout
    if ending == "crash":
        assert f"RuntimeError: {MASK}" in done.stdout


def test_escape_keeps_what_people_write() -> None:
    assert escape("Grüße, 世界 … 🎬") == "Grüße, 世界 … 🎬"
