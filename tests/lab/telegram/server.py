"""The simulator itself: everything put together, in a thread of its own on 127.0.0.1."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from tests.lab.clock import Clock
from tests.lab.faults import Rule
from tests.lab.journal import Journal
from tests.lab.server import Simulator
from tests.lab.telegram.account import Account
from tests.lab.telegram.answers import Answers
from tests.lab.telegram.door import Door
from tests.lab.telegram.editing import Editing
from tests.lab.telegram.founding import Founding, fresh_token
from tests.lab.telegram.hooks import Hooks
from tests.lab.telegram.limits import Limits
from tests.lab.telegram.media import Media, Shelf
from tests.lab.telegram.office import Office
from tests.lab.telegram.payloads import Forms
from tests.lab.telegram.person import Person
from tests.lab.telegram.refusal import LAB
from tests.lab.telegram.rooms import Rooms
from tests.lab.telegram.sending import Sending
from tests.lab.telegram.sight import look
from tests.lab.telegram.troubles import Troubles
from tests.lab.telegram.updates import Queue
from tests.lab.telegram.world import GROUP, SUPERGROUP, Bot, Chat, Message, Moment, User, World

Json = dict[str, Any]
BOT_ID = 7_000_000_001


class Telegram(Troubles, Simulator):
    """See ``tests.lab.telegram``."""

    def __init__(
        self,
        *,
        username: str = "reelay_bot",
        token: str | None = None,
        journal: Path | None = None,
        now: Callable[[], float] = time.time,
        local: bool = False,
        validate: bool = True,
    ) -> None:
        """``journal``: a file for the JSON lines; ``local``: the operator's own Bot API server, with ``--local``.

        ``validate``: hold answers and updates against the official document, as requests always are (not so only for measuring).
        """
        Simulator.__init__(self)
        self.clock = Clock(now)
        self.folder = Path(tempfile.mkdtemp(prefix="lab-telegram-"))
        self.journal = Journal(self.clock, journal)
        self.world = World(self.clock, self.journal)
        self.shelf = Shelf(self.clock, self.folder)
        self.shelf.local = local
        self.limits = Limits(self.clock)
        self.office = Office(self.world, Forms(self.world, self.shelf), self.shelf, self.limits)
        self.door = Door(self.world, self.journal, self.shelf, validate=validate)
        self.hooks = Hooks(self.journal, lambda: self.shelf.local)
        self.founding = Founding(self.office)
        sending = Sending(self.office)
        self.answers = Answers(self.office, sending)
        self.account = Account(self.office, self.hooks, self.door)
        rooms, editing = Rooms(self.office, self.founding), Editing(self.office, sending)
        for each in (sending, editing, self.answers, self.account, rooms):
            self.door.methods |= each.methods()
        self.people: dict[int, Person] = {}
        self.world.seen = self._seen
        self.bot = self.add_bot(username, token)

    # --------------------------------------------------------------------------------------------------------------------- addresses

    @property
    def token(self) -> str:
        """The first bot's; another one after ``revoke_token``."""
        return self.bot.token

    @property
    def api_url(self) -> str:
        """The root, as TELEGRAM_API_URL has it: ``/bot<token>/<method>`` and ``/file/bot<token>/<path>`` come behind it."""
        return self.url

    @property
    def queue(self) -> Queue:
        """The first bot's updates."""
        return self.office.queues[self.bot.id]

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/bot{token:[^/]+}/{method:[^/]+}", self.door.handle)
        app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", self.account.download)
        app.router.add_route("*", "/{rest:.*}", self._unknown)
        app.on_cleanup.append(self._end)

    async def _unknown(self, request: web.Request) -> web.Response:
        self.journal.write("unknown", method=request.method)
        return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)

    async def _end(self, app: web.Application) -> None:
        del app
        await self.hooks.close()

    def __exit__(self, *failure: object) -> None:
        self.stop()
        self.journal.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        wrong = [*self.door.own_faults, *(each for queue in self.office.queues.values() for each in queue.own_faults)]
        if failure[0] is None and wrong:
            raise AssertionError(f"the simulator itself was wrong: {wrong[:5]}")

    def __enter__(self) -> Self:
        return self.start()

    # ---------------------------------------------------------------------------------------------------------------------- founding

    def add_bot(self, username: str, token: str | None = None, **more: Any) -> Bot:
        """Another bot, with a token of its own."""
        number = int(token.partition(":")[0]) if token else BOT_ID + len(self.world.bots)
        bot = Bot(number, username.removesuffix("_bot").title(), username, is_bot=True, **more)
        bot.token = token or fresh_token(number)
        self.world.add_user(bot)
        self.world.bots[bot.token] = bot
        queue = Queue(self.clock, self.journal, username, validate=self.door.validate)
        queue.wake = lambda: self.later(lambda: self._news(queue))
        self.office.queues[bot.id] = queue
        return bot

    def later(self, work: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(work)

    def _news(self, queue: Queue) -> None:
        queue.ring()
        self.hooks.carry(queue)

    def add_person(
        self, name: str, *, language: str | None = "en", started: bool = False, photo: Media | None = None
    ) -> Person:
        """Somebody. ``started``: has written to the bot before, without the bot being told of it now."""
        user = User(0, name.title(), name, language, photos=[photo] if photo else [])
        self.world.add_user(user)
        self.world.direct(self.bot, user).started = started
        self.people[user.id] = Person(self, user)
        return self.people[user.id]

    def add_group(self, title: str, *people: Person, bots: list[Bot] | None = None) -> Chat:
        """A basic group that the first of the people made, with the bot (or these bots) in it."""
        return self._group(GROUP, title, people, bots, forum=False)

    def add_supergroup(self, title: str, *people: Person, forum: bool = False, bots: list[Bot] | None = None) -> Chat:
        """A supergroup; ``forum``: with topics."""
        return self._group(SUPERGROUP, title, people, bots, forum=forum)

    def _group(self, kind: str, title: str, people: tuple[Person, ...], bots: list[Bot] | None, *, forum: bool) -> Chat:
        users = [person.user for person in people]
        return self.founding.add_group(kind, title, users, [self.bot] if bots is None else bots, forum=forum)

    # ------------------------------------------------------------------------------------------------------------------------ seeing

    def on(self, method: str) -> Rule:
        """Script a fault: ``on("sendVideo").after(1).cut_after()``."""
        return self.door.faults.on(method)

    def malformed(self) -> list[Json]:
        """Requests that break the official document, or say what the simulator does not know: always a bug of the program."""
        return [line for line in self.journal.requests() if LAB in (line["description"] or "")]

    def rate_limited(self) -> list[Json]:
        """Requests that were answered 429."""
        return self.journal.requests(status=429)

    def complaints(self) -> list[str]:
        """What a program did that no person and no Telegram should have to put up with; a good journey leaves none."""
        said = [f"{line['operation']}: {line['description']}" for line in self.journal.requests() if _clumsy(line)]
        said += [f"a pressed button was not answered: {each.data}" for each in self.answers.unanswered()]
        said += [f"{line['operation']}: thumbnail ignored, {line['why']}" for line in self.journal.of("ignored")]
        return said + [
            f"{line['operation']}: nobody asked for the files {line['files']}" for line in self.journal.of("unused")
        ]

    def clips(self, chat: Chat) -> list[Message]:
        """The films that stand in a chat."""
        return [each for each in self.world.within(chat) if each.media is not None and each.media.kind == "video"]

    def _seen(self, what: str, message: Message) -> None:
        """Somebody's screen has changed: write it down, ring bells."""
        seen = look(message)
        if what != "deleted":
            message.history.append(Moment(self.clock(), seen))
        self.journal.write(
            what,
            chat=message.chat.id,
            thread=seen.thread,
            message=message.id,
            sender=seen.sender,
            kind=seen.kind,
            text=seen.text,
            labels=seen.labels,
            reply_to=seen.reply_to,
            reactions=list(seen.reactions),
        )
        if what == "created" and not message.silent:
            for user_id in [message.chat.id] if message.chat.bot else list(message.chat.members):
                person = self.people.get(user_id)
                if person is not None and person.user is not message.sender:
                    person.notifications.append(message)


def _clumsy(line: Json) -> bool:
    """Malformed, or refused for what the program could have known without asking; not what a test has scripted."""
    if line["fault"] is not None:
        return False
    words = (LAB, "can't parse", "is too long", "_INVALID", "TOO_LONG", "is empty", "too big", "TOO_M")
    return line["status"] == 400 and any(each in (line["description"] or "") for each in words)
