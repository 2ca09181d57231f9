"""Who is calling: the local account, a signed-in or anonymous browser, or a program with a token (docs/how-to/sign-in-and-access.md)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from aiohttp import web

from core.errors import NotAllowed, NotSignedIn
from core.jobs import Actor, Place
from core.ports import Clock
from storage.keys import KeyRing
from storage.store import SqliteStore

COOKIE: Final = "reelay_session"
COOKIE_DAYS: Final = 90
SIGNIN_HOURS: Final = 24
PURPOSE: Final = "web session v1"
ANONYMOUS: Final = "web:anonymous"
"""All anonymous browsers share this one allowance."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Caller:
    """An account that calls. ``actor`` is the identity that acts."""

    account_id: str
    kind: Literal["local", "signed_in", "anonymous", "program"]
    actor: Actor
    language: str = "en"
    """Of what this call is answered with, and of the cards of what it orders."""

    @property
    def subject(self) -> str:
        """Whose allowance counts."""
        return self.actor.allowance_subject or self.account_id

    @property
    def name(self) -> str:
        """Who acts, as the audit trail names people."""
        return f"{self.actor.platform}:{self.actor.external_id}"

    @property
    def place(self) -> Place:
        """The caller's own conversation on the page."""
        return Place("web", chat=self.account_id, visibility="only_owner", language=self.language)


def hash_token(token: str) -> str:
    """What is stored of a token. It is 256 random bits, so a plain hash cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """A token for a program or a sign-in link; its prefix lets the log filter know it."""
    return f"reelay_{secrets.token_urlsafe(32)}"


class Doorkeeper:
    """Tells callers apart and refuses forged ones."""

    def __init__(
        self,
        store: SqliteStore,
        keys: KeyRing,
        clock: Clock,
        *,
        loopback: bool,
        public_url: str | None,
        open_to_all: bool,
    ) -> None:
        """``loopback``: the server is bound to this machine only."""
        self._store, self._keys, self._clock = store, keys, clock
        self._public = None if public_url is None else urlsplit(public_url)
        self._may_be_local = loopback and public_url is None
        self._open_to_all = open_to_all

    @property
    def needs_signin(self) -> bool:
        """Whether a browser from elsewhere has to sign in."""
        return not self._may_be_local and not self._open_to_all

    def is_local(self, request: web.Request) -> bool:
        """Whether this call is the machine's own: bound to loopback, addressed to loopback, and not passed on by a proxy."""
        return (
            self._may_be_local
            and _host_name(request) in LOOPBACK
            and not any(name in request.headers for name in FORWARDED)
        )

    async def open_local(self) -> str:
        """The local account, made when the server starts so that a first GET finds it."""
        return await self._store.open_account("web", "local")

    @property
    def may_be_local(self) -> bool:
        """Whether the local account exists here."""
        return self._may_be_local

    def check_origin(self, request: web.Request) -> None:
        """Refuse a state-changing call that another page makes with our cookie or from this machine's browser.

        Raises NotAllowed. A browser always sends Origin with these; programs with a token or on this machine need none.
        """
        if request.method in SAFE or _bearer(request) is not None:
            return
        origin = request.headers.get("Origin")
        if origin is None:
            if COOKIE in request.cookies and not self.is_local(request):
                raise NotAllowed("no Origin", message_id="error.origin")
            return
        try:
            said = urlsplit(origin)
        except ValueError as error:  # such as "http://["
            raise NotAllowed("broken Origin", message_id="error.origin") from error
        ours = said.netloc == request.headers.get("Host") and said.scheme in ("http", "https")
        public = self._public is not None and (said.scheme, said.netloc) == (self._public.scheme, self._public.netloc)
        if not ours and not public:
            raise NotAllowed("foreign Origin", message_id="error.origin")

    async def caller(self, request: web.Request) -> Caller:
        """Return who calls. Raises NotSignedIn. Makes no account, except the local one again after it was forgotten."""
        token = _bearer(request)
        if token is not None:
            account_id = await self._store.account_of_token(hash_token(token))
            if account_id is None:
                raise NotSignedIn("unknown token")
            return Caller(account_id, "program", await self._actor(account_id))
        account_id = self._cookie_account(request)
        if account_id is not None and await self._store.is_account(account_id):
            actor = await self._actor(account_id)
            kind: Literal["anonymous", "signed_in"] = (
                "anonymous" if actor.external_id.startswith("anonymous:") else "signed_in"
            )
            return Caller(account_id, kind, actor)
        if self.is_local(request):
            account_id = await self._store.find_account("web", "local") or await self.open_local()
            return Caller(account_id, "local", Actor("web", "local"))
        raise NotSignedIn("no session")

    async def begin(self, request: web.Request) -> tuple[Caller, str | None]:
        """The page's first call: return (caller, cookie to set or None). Raises NotSignedIn where a link is needed."""
        try:
            return await self.caller(request), None
        except NotSignedIn:
            if not self._open_to_all or _bearer(request) is not None:
                raise
        external = f"anonymous:{secrets.token_hex(16)}"
        account_id = await self._store.open_account("web", external)
        return Caller(account_id, "anonymous", Actor("web", external, allowance_subject=ANONYMOUS)), self.cookie_for(
            account_id
        )

    async def sign_in(self, token: str) -> str | None:
        """Use up a sign-in link; return the cookie to set, or None when it is unknown, used or too old."""
        account_id = await self._store.use_signin(hash_token(token))
        return None if account_id is None else self.cookie_for(account_id)

    async def signin_token(self, external_id: str = "operator") -> str:
        """Make a token for a sign-in link that works once within a day, for the web account ``external_id``."""
        account_id = await self._store.open_account("web", external_id)
        token = new_token()
        await self._store.add_token(
            hash_token(token), "signin", account_id, self._clock.now() + SIGNIN_HOURS * 3_600_000
        )
        return token

    def cookie_for(self, account_id: str) -> str:
        """A signed session cookie."""
        expires = self._clock.now() + COOKIE_DAYS * DAY_MS
        kid, mac = self._keys.sign(PURPOSE, f"{account_id}.{expires}".encode())
        return f"{account_id}.{expires}.{kid}.{mac.hex()}"

    def set_cookie(self, response: web.StreamResponse, value: str) -> None:
        """Hand the cookie to the browser."""
        secure = self._public is not None and self._public.scheme == "https"
        response.set_cookie(
            COOKIE, value, max_age=COOKIE_DAYS * 86_400, httponly=True, samesite="Lax", secure=secure, path="/"
        )

    def _cookie_account(self, request: web.Request) -> str | None:
        parts = request.cookies.get(COOKIE, "").split(".")
        if len(parts) != 4 or not parts[1].isdecimal() or len(parts[1]) > 16:
            return None
        account_id, expires, kid, mac = parts
        try:
            genuine = self._keys.verify(PURPOSE, kid, f"{account_id}.{expires}".encode(), bytes.fromhex(mac))
        except ValueError:
            return None
        return account_id if genuine and self._clock.now() < int(expires) else None

    async def _actor(self, account_id: str) -> Actor:
        actor = await self._store.actor_of(account_id)
        if actor is None:
            raise NotSignedIn("the account is gone")
        if actor.platform == "web" and actor.external_id.startswith("anonymous:"):
            return Actor("web", actor.external_id, allowance_subject=ANONYMOUS)
        return actor


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _host_name(request: web.Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    except ValueError:
        return ""
