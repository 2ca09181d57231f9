"""The one aiohttp server: page, API, health, and the rules that hold for every call."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from bot.engine.words import Words
from bot.platforms.web.accounts import LOOPBACK
from bot.platforms.web.answers import TooManyRequests, answer, error_answer, refusal
from bot.platforms.web.clips import ClipRoutes
from bot.platforms.web.films import FilmRoutes
from bot.platforms.web.jobs import JobRoutes
from bot.platforms.web.me import MeRoutes
from bot.platforms.web.moderation import ModerationRoutes
from bot.platforms.web.music_videos import MusicVideoRoutes
from bot.platforms.web.site import Site
from bot.platforms.web.templates import TemplateRoutes
from core.errors import NotFound, ReelayError
from core.ports import Clock

PAGE: Final = Path(__file__).parent / "page"
MOST_BODY: Final = 32 << 20
BURST: Final = 600
PER_SECOND: Final = 20.0
CALLERS: Final = 10_000
TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self';"
    " font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; manifest-src 'self'"
)
SECURITY: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

Readiness = Callable[[], Awaitable[tuple[bool, object]]]
Metrics = Callable[[], Awaitable[bytes]]

log = logging.getLogger("reelay.web")


class CalmLog(logging.Filter):
    """What a stranger sends as HTTP and is none is one quiet line: no traceback, and nothing of what was sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record where it is about a call that could not be read."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | web.RequestPayloadError):
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.args = "a call was not HTTP: %s", (type(error).__name__,)
            record.exc_info = record.exc_text = None
        return True


http_log = logging.getLogger("reelay.web.http")
http_log.addFilter(CalmLog())


class RateLimit:
    """A token bucket for each caller's address; the oldest callers are forgotten first."""

    def __init__(self, clock: Clock, burst: int = BURST, per_second: float = PER_SECOND) -> None:
        """``burst`` calls at once, then ``per_second``."""
        self._clock, self._burst, self._per_second = clock, burst, per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, who: str) -> None:
        """Count a call. Raises TooManyRequests with the seconds to wait."""
        now = self._clock.monotonic()
        left, at = self._buckets.pop(who, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) * self._per_second)
        if left < 1:
            self._buckets[who] = (left, now)
            raise TooManyRequests("too fast", values={"retry_after": (1 - left) / self._per_second})
        self._buckets[who] = (left - 1, now)
        if len(self._buckets) > CALLERS:
            self._buckets.popitem(last=False)


class WebServer:
    """Built by ``bot/app.py`` around a site."""

    def __init__(self, site: Site, clock: Clock, readiness: Readiness, metrics: Metrics) -> None:
        """``readiness`` gives (ready, details); ``metrics`` the Prometheus text."""
        self._site, self._clock = site, clock
        self._readiness, self._metrics = readiness, metrics
        self._limit = RateLimit(clock)
        self._runner: web.AppRunner | None = None
        site.hub.tell_me = site.me
        self._files = {path.relative_to(PAGE).as_posix(): path for path in PAGE.rglob("*") if path.suffix in TYPES}
        self.more_routes: list[Callable[[web.Application], None]] = []
        """What other platforms receive by HTTP; added by ``bot/app.py`` before the start."""
        self.port = 0

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(middlewares=[self._guard()], client_max_size=MOST_BODY)
        app.on_response_prepare.append(_secure)
        app.router.add_get("/", self._index)
        app.router.add_get("/clip/{id}", self._clip)
        app.router.add_get("/page/{name:.+}", self._page)
        app.router.add_get("/favicon.ico", self._favicon)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metricsz)
        for routes in (JobRoutes, ClipRoutes, MusicVideoRoutes, FilmRoutes, TemplateRoutes, ModerationRoutes, MeRoutes):
            routes(self._site).add_to(app)
        for add in self.more_routes:
            add(app)
        return app

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError when it is taken."""
        if self._site.doorkeeper.may_be_local:
            await self._site.doorkeeper.open_local()
        self._runner = web.AppRunner(
            self.app(),
            logger=http_log,
            access_log=None,
            handle_signals=False,
            keepalive_timeout=75,
            shutdown_timeout=5.0,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self.port

    async def stop(self) -> None:
        """End the streams, let answers in flight end, close."""
        self._site.hub.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # ---------------------------------------------------------------------------------------------------------------- for every call

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._answered(request, handler)

        return guard

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        words, now = self._site.words(self._site.language(request)), self._clock.now()
        try:
            if (
                request.path.startswith("/api/") or "signin" in request.query
            ):  # trying a link costs a look at the database
                self._limit.check(self._whence(request))
            if request.path.startswith("/api/"):
                self._site.doorkeeper.check_origin(request)
            return await handler(request)
        except ReelayError as error:
            if error.code == "INTERNAL":
                log.warning("a call failed", extra={"path": request.path, "error": str(error)})
            return refusal(error, words, now, self._site.backends())
        except web.HTTPRequestEntityTooLarge:
            return _plain(413, "TooLarge", words, now, "error.body_too_large", most=MOST_BODY)
        except web.HTTPNotFound:
            return refusal(NotFound("no such address"), words, now)
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            response = _plain(405, "MethodNotAllowed", words, now, "error.method", methods=allowed)
            response.headers["Allow"] = allowed
            return response
        except web.HTTPException:
            raise
        except TimeoutError:
            return _plain(408, "Timeout", words, now, "error.request")
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("a call broke", extra={"path": request.path})
            return _plain(500, "InternalError", words, now, "error.internal", code="INTERNAL")

    def _whence(self, request: web.Request) -> str:
        """The caller's address; behind a proxy of ours (a public address is set) the one that the proxy saw."""
        if self._site.public_url is not None and request.remote in LOOPBACK:
            return request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip() or request.remote
        return request.remote or "?"

    # ------------------------------------------------------------------------------------------------------------------ page, health

    async def _index(self, request: web.Request) -> web.StreamResponse:
        token = request.query.get("signin")
        if token is not None and request.method == "GET":  # a look with HEAD, as link checkers take, uses nothing up
            cookie = await self._site.doorkeeper.sign_in(token[:200])
            response = web.HTTPSeeOther("/" if cookie is not None else "/?signin_failed=1")
            if cookie is not None:
                self._site.doorkeeper.set_cookie(response, cookie)
            return response
        return self._file("index.html", request)

    async def _clip(self, request: web.Request) -> web.StreamResponse:
        """The page around a shared clip; whether there is one, it asks by itself."""
        response = self._file("clip.html", request)
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return self._file(request.match_info["name"], request)

    async def _favicon(self, request: web.Request) -> web.StreamResponse:
        return self._file("icon.svg", request)

    def _file(self, name: str, request: web.Request) -> web.StreamResponse:
        path = self._files.get(name)
        if path is None:
            raise NotFound("no such file")
        del request
        response = web.FileResponse(path, headers={"Cache-Control": "no-cache"})
        response.content_type = TYPES[path.suffix]
        if path.suffix in (".html", ".js", ".css", ".svg"):
            response.charset = "utf-8"
        return response

    async def _healthz(self, request: web.Request) -> web.Response:
        del request
        return answer({"status": "alive"})

    async def _readyz(self, request: web.Request) -> web.Response:
        del request
        ready, details = await self._readiness()
        return answer(details, 200 if ready else 503)

    async def _metricsz(self, request: web.Request) -> web.Response:
        del request
        return web.Response(
            body=await self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )


async def _secure(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer, streams included, carries the same protections."""
    del request
    response.headers["Server"] = "Reelay"
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)


def _plain(
    status: int, name: str, words: Words, now: int, message_id: str, code: str = "INVALID_REQUEST", **values: object
) -> web.Response:
    return error_answer(status, name=name, code=code, message=words.say(message_id, **values), now=now)
