"""The whole of it: a REST root, a gateway, a CDN and people, on one port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from tests.lab.discord import bodies, payloads
from tests.lab.discord.account import Account
from tests.lab.discord.cdn import Cdn
from tests.lab.discord.channels import Channels
from tests.lab.discord.commands import Commands
from tests.lab.discord.faults import Rule
from tests.lab.discord.forms import Forms
from tests.lab.discord.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS, Gateway
from tests.lab.discord.hooks import Endpoint, Signer
from tests.lab.discord.interactions import PING, Desk, Interaction
from tests.lab.discord.journal import Journal
from tests.lab.discord.limits import Limits
from tests.lab.discord.people import Founding
from tests.lab.discord.permissions import May, may
from tests.lab.discord.person import File
from tests.lab.discord.rest import Door
from tests.lab.discord.sight import Seen, see
from tests.lab.discord.times import Clock
from tests.lab.discord.troubles import Troubles
from tests.lab.discord.uploads import Upload
from tests.lab.discord.webhooks import Webhooks
from tests.lab.discord.world import (
    DM,
    MIB,
    SUPPRESS_NOTIFICATIONS,
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Moment,
    User,
    World,
)
from tests.lab.server import Simulator

Json = dict[str, Any]
TOKEN = "MTE0NzA0NDQ4MTQ1MzMwMTg0MQ.GlabOr.4f1d0c5e9b7a-lab-discord-token-not-real"
"""The bot's token: of the real shape, so that a log that shows it is caught."""


class Discord(Simulator, Founding, Troubles):
    """Start it with ``with``; read the package's docstring for what can be done with it."""

    def __init__(
        self,
        *,
        now: Callable[[], float] | None = None,
        journal: Path | None = None,
        token: str = TOKEN,
        validate: bool = True,
    ) -> None:
        """``now``: a source of Unix seconds; ``journal``: a file for the JSON lines; ``validate``: hold everything against the
        OpenAPI document (leave it out only for measuring).
        """
        Simulator.__init__(self)
        self.clock = Clock() if now is None else Clock(now)
        self.folder = Path(tempfile.mkdtemp(prefix="lab-discord-"))
        self.journal = Journal(self.clock, journal)
        self.world = World(self.clock, self.folder, token)
        self.forms = Forms(self.world, secrets.token_bytes(32))
        self.commands = Commands(self.clock, self.world.ids, self.world.application_id)
        self.limits = Limits(self.clock)
        self.gateway = Gateway(self.world, self.forms, self.journal)
        self.desk = Desk(
            self.world, lambda found: payloads.interaction(self.desk, self.forms, found), self.forms.message
        )
        self.signer = Signer()
        self.endpoint = Endpoint(self.desk, self.journal, self.signer, self.clock)
        self.cdn = Cdn(self.world, self.forms, self.journal)
        self.door = Door(self.world, self.journal, self.limits, self.folder, validate=validate)
        self.account = Account(self.world, self.forms, self.commands, self.gateway, self.signer.public)
        self.channels = Channels(self.world, self.forms)
        self._webhooks = Webhooks(self.desk)
        self._mail: asyncio.Queue[tuple[str, Json, Guild | None, int]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        Founding.__init__(self)
        self.desk.deliver = self._deliver
        self.world.emit = lambda name, data, guild: self._post(name, data, guild, GUILDS)
        self.world.seen = self._seen

    # ------------------------------------------------------------------------------------------------------------------- addresses

    @property
    def token(self) -> str:
        """The bot's token; another one after a reset."""
        return self.world.token

    @property
    def api_url(self) -> str:
        """The REST root: ``http://127.0.0.1:PORT/api/v10``."""
        return f"{self.url}/api/v10"

    @property
    def gateway_url(self) -> str:
        """The gateway: ``ws://127.0.0.1:PORT/gateway``."""
        return f"ws://127.0.0.1:{self.port}/gateway"

    @property
    def public_key(self) -> str:
        """The application's key for signed interactions, in hex."""
        return self.signer.public

    def routes(self, app: web.Application) -> None:
        app.on_startup.append(self._begin)
        for route in (*self.account.routes(), *self.channels.routes(), *self._webhooks.routes()):
            app.router.add_route(route.method, f"/api/v10{route.template}", self.door.handler(route))
        app.router.add_get("/gateway", self.gateway.connect)
        app.router.add_get("/gateway/resume", self.gateway.connect)
        self.cdn.routes(app)
        app.router.add_route("*", "/{rest:.*}", self._unknown)

    async def _begin(self, app: web.Application) -> None:
        del app
        self._mail = asyncio.Queue()
        task = asyncio.create_task(self._carry(self._mail))
        self._tasks.add(task)

    async def _unknown(self, request: web.Request) -> web.Response:
        self.journal.write("unknown", method=request.method, path=request.path)
        body = b'{"message": "404: Not Found", "code": 0}'
        return web.Response(status=404, body=body, headers={"Content-Type": "application/json"})

    def start(self, port: int = 0) -> Self:
        super().start(port)
        self.gateway.url = self.gateway_url
        self.forms.cdn = self.url
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()
        self.journal.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if failure[0] is None and self.door.own_faults:
            raise AssertionError(f"the simulator itself was wrong: {self.door.own_faults[:5]}")

    # -------------------------------------------------------------------------------------------------------------------- telling

    def _post(self, name: str, data: Json, guild: Guild | None, intents: int) -> None:
        mail, loop = self._mail, self._loop
        if mail is not None and loop is not None:
            loop.call_soon_threadsafe(mail.put_nowait, (name, data, guild, intents))

    async def _carry(self, mail: asyncio.Queue[tuple[str, Json, Guild | None, int]]) -> None:
        while True:
            name, data, guild, intents = await mail.get()
            if self.door.validate:
                self.door.own_faults += payloads.faults(name, data)
            await self.gateway.tell(name, data, guild, intents)

    def _deliver(self, found: Interaction) -> None:
        if self.endpoint.url is None:
            self._post("INTERACTION_CREATE", found.payload, found.channel.guild, 0)
            return
        if self._loop is None:
            raise RuntimeError("not started")
        if self.door.validate:
            self.door.own_faults += payloads.interaction_faults(found.payload)
        asyncio.run_coroutine_threadsafe(self.endpoint.deliver(found), self._loop)

    def _seen(self, what: str, message: Message) -> None:
        """Somebody's screen has changed: write it down, tell the gateway, ring bells."""
        shown = self.see(message)
        if what != "deleted":
            message.history.append(Moment(self.clock(), shown))
        self._note_unshown(message, shown)
        self.journal.write(
            what,
            message=message.id,
            channel=message.channel.id,
            author=message.author.name,
            only=None if message.only is None else message.only.name,
            text=shown.text,
            buttons=[button.label for button in shown.buttons],
            media=[[picture.kind, picture.filename] for picture in shown.media],
        )
        if what == "created" and not message.flags & SUPPRESS_NOTIFICATIONS:
            self._ring(message)
        channel = message.channel
        if message.only is not None or not may(self.world.bot, channel, May.VIEW_CHANNEL):
            return
        intents = DIRECT_MESSAGES if channel.kind == DM else GUILD_MESSAGES
        if what == "deleted":
            gone: Json = {"id": message.id, "channel_id": channel.id}
            gone |= {} if channel.guild is None else {"guild_id": channel.guild.id}
            self._post("MESSAGE_DELETE", gone, channel.guild, intents)
        else:
            name = "MESSAGE_CREATE" if what == "created" else "MESSAGE_UPDATE"
            self._post(name, payloads.dispatched(self.forms, message), channel.guild, intents)

    def _note_unshown(self, message: Message, shown: Seen) -> None:
        """A file that no component shows is taken by Discord and seen by nobody: legal, and hardly ever meant."""
        known = {each.attachment.id for each in shown.media if each.attachment is not None}
        for each in message.attachments if message.is_v2 else []:
            if each.id not in known:
                self.journal.write("unshown", message=message.id, filename=each.filename)

    def _ring(self, message: Message) -> None:
        loud = message.mention_everyone or message.mention_roles
        near = [user.id for user in (*message.mentions, *message.channel.people)]
        for person in [self.people[each] for each in (list(self.people) if loud else near) if each in self.people]:
            guild = message.channel.guild
            member = None if guild is None else guild.members.get(person.id)
            held = set[str]() if member is None else {role.id for role in member.roles}
            meant = (
                person.user in message.mentions
                or message.mention_everyone
                or bool(held & set(message.mention_roles))
                or (message.channel.kind == DM and message.owner is None)
            )
            if meant and message.author is not person.user and person.sees(message):
                person.notifications.append(message)
                self.journal.write("notified", person=person.user.name, message=message.id)

    # ------------------------------------------------------------------------------------------------------------ for tests and Person

    def on(self, operation: str) -> Rule:
        """Script a fault; see ``faults.Rule``."""
        return self.door.faults.on(operation)

    def see(self, message: Message) -> Seen:
        """A message as it is now, for whoever sees it."""
        return see(self.forms.message(message), message)

    def partial_member(self, member: Member, channel: Channel) -> Json:
        """A member in ``resolved``: without user, deaf and mute."""
        said = self.forms.interaction_member(member, channel)
        return {name: value for name, value in said.items() if name not in {"user", "deaf", "mute"}}

    def store(self, file: Any, channel: Channel, *, ephemeral: bool = False) -> Attachment:
        """Upload a file as a person does."""
        if not isinstance(file, File):
            raise TypeError(f"a File is wanted, not {type(file).__name__}")
        path = self.folder / secrets.token_hex(16)
        path.write_bytes(file.data)
        upload = Upload(file.name, "application/octet-stream", path, len(file.data))
        stored = bodies.stored(self.world, channel, upload, {})
        stored.ephemeral = ephemeral
        self.world.attachments[stored.id] = stored
        return stored

    def post(self, user: User, channel: Channel, text: str, files: Sequence[File], embed_image: str | None) -> Message:
        """Put a person's message there."""
        message = Message(self.world.ids(), channel, user)
        uploads = {}
        for number, file in enumerate(files):
            path = self.folder / secrets.token_hex(16)
            path.write_bytes(file.data)
            uploads[number] = Upload(file.name, "application/octet-stream", path, len(file.data))
        if embed_image is not None:
            message.embeds = [
                {"type": "image", "url": embed_image, "thumbnail": {"url": embed_image, "proxy_url": embed_image}}
            ]
        bodies.write(self.world, message, {"content": text}, uploads, bodies.Rules(0, 500 * MIB), new=True)
        self.world.messages[message.id] = message
        self.world.seen("created", message)
        return message

    def use_endpoint(self, url: str | None) -> None:
        """Deliver interactions by signed POST from now on, after the checks that Discord makes; None: by gateway again.

        Raises ValueError with what the endpoint did wrong.
        """
        if url is not None:
            ping = Interaction("", "ping", PING, self.world.owner, Channel("", DM, people=[self.world.owner]), 0.0, {})
            ping.id = self.world.ids()
            complaints = self.run(self.endpoint.probe(url, payloads.interaction(self.desk, self.forms, ping)))
            if complaints:
                raise ValueError("; ".join(complaints))
        self.endpoint.url = self.account.endpoint = url

    def tell(self, name: str, data: Json, guild: Guild | None = None) -> None:
        """Dispatch anything, also what Discord would never send: no check looks at it."""
        self.run(self.gateway.tell(name, data, guild))
