"""The log: one line per event, for people (``text``) or machines (``json``), in which no secret can be read.

Any part may use ``logging.getLogger`` with ``extra`` or ``structlog.get_logger`` with keywords; both end here.
``about(job=…)`` names what a block of code is about, and every line written inside it says so, also those of libraries.

::

    logs = configure("text", settings.secrets())
    logs.watch(asyncio.get_running_loop())
    with about(job=job_id):
        log.info("accepted", price=4)       →  2026-11-21T09:22:01.123Z INFO    reelay.engine  accepted  job=0bz… price=4
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, TextIO

import structlog
from structlog.contextvars import bound_contextvars as about
from structlog.typing import EventDict, WrappedLogger

from bot.log_writer import LineWriter
from bot.redaction import Redactor, escape, in_words

__all__ = ["Logs", "about", "configure"]

Style = Literal["text", "json"]

QUIET: Final = (
    *(
        "aiohttp.access",
        "aiohttp.client",
        "aiohttp.internal",
        "aiohttp.web",
        "asyncio",
        "discord",
        "google_genai",
        "hpack",
    ),
    *("httpcore", "httpx", "httpx2", "PIL", "replicate", "telegram", "urllib3"),
)
"""Loggers of libraries that are heard from WARNING on: below it they write addresses, which may hold tokens."""

FOREIGN: Final = ("providers.", "bot.platforms.")
"""Modules that talk with vendors and people. What is raised in there or below may quote a vendor's answer or a prompt, which no
pattern can find; ``ReelayError`` kinds are told by their code, so a traceback from there is of a fault that nobody foresaw.
"""

MOST_IN_A_CHAIN: Final = 50

_OWN_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "facts", "taskName"}


def configure(
    style: Style = "text", secrets: Iterable[str] = (), *, level: int = logging.INFO, stream: TextIO | None = None
) -> Logs:
    """Send every log of the process to ``stream`` (standard output), ``secrets`` masked, until its result is closed."""
    return Logs(style, Redactor(secrets), LineWriter(stream or sys.stdout), level)


class Logs:
    """The log of this process while it is open; ``close`` puts back what was there before."""

    def __init__(self, style: Style, redactor: Redactor, writer: LineWriter, level: int) -> None:
        self.redactor = redactor
        self._writer = writer
        self._log = logging.getLogger("reelay")
        handler = _Handler(_TextFormatter(redactor) if style == "text" else _JsonFormatter(redactor), writer)
        self._before: _Before | None = _take_over(handler, level)
        self._hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._crashed, self._thread_crashed, self._unraisable
        logging.captureWarnings(capture=True)
        structlog.configure(
            processors=[structlog.stdlib.PositionalArgumentsFormatter(), _to_stdlib],
            wrapper_class=structlog.stdlib.BoundLogger,
            logger_factory=structlog.stdlib.LoggerFactory(),
            cache_logger_on_first_use=False,
        )
        atexit.register(self.close)

    @property
    def lost(self) -> int:
        """Lines that could not be written since the start."""
        return self._writer.lost

    def register(self, secret: str) -> None:
        """Mask ``secret`` in everything written from now on."""
        self.redactor.register(secret)

    def say(self, text: str) -> None:
        """Write ``text`` as it is, for the person who started Reelay: an address, a sign-in link. Nothing is masked."""
        self._writer.put(text)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Log what nobody caught in ``loop``."""
        loop.set_exception_handler(self._loop_error)

    def flush(self, seconds: float = 2.0) -> bool:
        """Wait, at most ``seconds``, until everything is written; return whether it is."""
        return self._writer.flush(seconds)

    def close(self) -> None:
        """Write what waits, for at most two seconds, and undo ``configure``. May be called twice."""
        if self._before is None:
            return
        atexit.unregister(self.close)
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._hooks
        _give_back(self._before)
        self._before = None
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
        self._writer.close()

    def _crashed(self, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._log.info("interrupted")
        else:
            self._log.critical("ended by an error that nobody caught", exc_info=(kind, error, where))

    def _thread_crashed(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            facts = {"thread": args.thread.name if args.thread else None}
            self._log.error("a thread ended by an error", exc_info=args.exc_value, extra={"facts": facts})

    def _unraisable(self, args: sys.UnraisableHookArgs) -> None:
        facts = {"where": args.err_msg or "in a finalizer", "type": type(args.object).__name__}
        self._log.error("an error could not be raised", exc_info=args.exc_value, extra={"facts": facts})

    def _loop_error(self, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        # Only names: the repr of a future or transport shows results and addresses.
        task = context.get("task") or context.get("future")
        facts = {"task": task.get_name() if isinstance(task, asyncio.Task) else None}
        self._log.error(
            "in the event loop: %s", context.get("message"), exc_info=context.get("exception"), extra={"facts": facts}
        )


class _Handler(logging.Handler):
    """Formats in the thread that logs, where the context is known, and writes in another."""

    def __init__(self, formatter: logging.Formatter, writer: LineWriter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Write ``record``; if it cannot be put into words, say where it came from."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001  # logging must not raise, and its own report would show the arguments
            line = escape(
                f"{_time(record)} ERROR   {record.name}  a log line could not be written: {type(error).__name__}"
            )
        self._writer.put(line)


class _Formatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def _event(self, record: logging.LogRecord) -> tuple[str, dict[str, object], str]:
        """Return the message, the facts and the traceback (or nothing), all without secrets."""
        facts = dict(structlog.contextvars.get_contextvars())
        facts |= {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}
        facts |= getattr(record, "facts", {})
        told = {self._redactor.text(in_words(name)): self._redactor.fact(name, value) for name, value in facts.items()}
        return self._redactor.text(_message(record)), told, self._redactor.text(_trace(record))


class _TextFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message, facts, trace = self._event(record)
        head = f"{_time(record)} {record.levelname:<7} {self._redactor.text(record.name)}"
        words = [head, message.replace("\n", "\\n"), *(f"{name}={_quoted(value)}" for name, value in facts.items())]
        return "\n".join([escape("  ".join(words)), *(escape(f"    | {line}") for line in trace.split("\n") if line)])


class _JsonFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message, facts, trace = self._event(record)
        event: dict[str, object] = {"time": _time(record), "level": record.levelname.lower()}
        event |= {"logger": self._redactor.text(record.name), "message": message}
        event |= {"exception": trace} if trace else {}
        # A fact may not pose as one of the names above.
        event |= {f"{name}_" if name in event or name == "exception" else name: value for name, value in facts.items()}
        return escape(json.dumps(event, ensure_ascii=False))


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001  # a wrong % in a library must not lose its line
        return f"{in_words(record.msg)} (its arguments do not fit: {type(error).__name__})"


def _trace(record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[1] is not None:
        parts.append(_told(record.exc_info[1]))
    elif record.exc_text:
        parts.append(record.exc_text)
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(part.rstrip("\n") for part in parts)


def _told(error: BaseException) -> str:
    """A traceback; without the words of any exception in it when one of them came through code that quotes strangers."""
    chain = _chain(error)
    if not any(_is_foreign(each) for each in chain):
        return "".join(traceback.format_exception(error))
    told = ("".join([*traceback.format_tb(each.__traceback__), type(each).__qualname__]) for each in chain)
    return "\n".join([*told, "(what it says is not written: it may quote a prompt or a vendor)"])


def _chain(error: BaseException) -> list[BaseException]:
    """The exception, what it came of and, of a group, what is in it: the latest last."""
    found: list[BaseException] = []
    ahead: list[BaseException | None] = [error]
    while ahead and len(found) < MOST_IN_A_CHAIN:
        each = ahead.pop()
        if each is None or each in found:
            continue
        found.append(each)
        ahead += [each.__context__, each.__cause__]
        if isinstance(each, BaseExceptionGroup):
            ahead += each.exceptions
    return found[::-1]


def _is_foreign(error: BaseException) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return any(str(frame.f_globals.get("__name__")).startswith(FOREIGN) for frame, _ in frames)


def _quoted(value: object) -> str:
    if isinstance(value, str) and value and not any(letter in ' "=\n\\' for letter in value):
        return value
    return json.dumps(value, ensure_ascii=False)


class _Before(NamedTuple):
    handlers: dict[logging.Logger, list[logging.Handler]]
    levels: dict[logging.Logger, int]


def _take_over(handler: logging.Handler, level: int) -> _Before:
    """Make ``handler`` the only one of the process, because another one would write what this one masks."""
    root = logging.getLogger()
    known = [root, *(each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger))]
    quiet = [logging.getLogger(name) for name in QUIET]
    before = _Before(
        {each: each.handlers[:] for each in known if each.handlers}, {each: each.level for each in (root, *quiet)}
    )
    for each in before.handlers:
        each.handlers.clear()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for each in quiet:
        each.setLevel(max(level, logging.WARNING))
    logging.raiseExceptions = False
    return before


def _give_back(before: _Before) -> None:
    logging.getLogger().handlers.clear()
    for logger, handlers in before.handlers.items():
        logger.handlers[:] = handlers
    for logger, level in before.levels.items():
        logger.setLevel(level)
    logging.raiseExceptions = True


def _to_stdlib(_logger: WrappedLogger, _method: str, event: EventDict) -> tuple[tuple[str], dict[str, Any]]:
    """End structlog's chain: its keywords travel apart, so that none can collide with what a log record calls its own."""
    keywords = {name: event.pop(name) for name in ("exc_info", "stack_info", "stacklevel") if name in event}
    return (in_words(event.pop("event", "")),), {**keywords, "extra": {"facts": dict(event)}}
