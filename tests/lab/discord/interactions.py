"""An interaction from the moment somebody does something until its token is dead (interactions/receiving-and-responding.mdx).

The first answer must come within 3 seconds (10062), only once (40060); afterwards the token may edit, follow up and delete for 15
minutes (401, 50027). Nothing here knows of networks: ``Desk`` is asked by the REST routes and by the HTTP way of delivery alike.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.lab.discord import bodies, modals
from tests.lab.discord.bodies import Rules
from tests.lab.discord.commands import check_choices
from tests.lab.discord.permissions import May, app_permissions, may
from tests.lab.discord.refusal import Refusal, wrong
from tests.lab.discord.uploads import Body
from tests.lab.discord.world import (
    DM,
    EPHEMERAL,
    LOADING,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    TIERS,
    V2,
    Channel,
    Message,
    User,
    World,
)

Json = dict[str, Any]
Answer = tuple[int, Any]

PING, COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 1, 2, 3, 4, 5
PONG, REPLY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, OPEN_MODAL = 1, 4, 5, 6, 7, 8, 9
LEGAL: Final[dict[int, frozenset[int]]] = {
    PING: frozenset({PONG}),
    COMMAND: frozenset({REPLY, DEFER, OPEN_MODAL}),
    COMPONENT: frozenset({REPLY, DEFER, DEFER_UPDATE, UPDATE, OPEN_MODAL}),
    AUTOCOMPLETE: frozenset({CHOICES}),
    MODAL: frozenset({REPLY, DEFER, DEFER_UPDATE, UPDATE}),
}
ANSWER_SECONDS, TOKEN_SECONDS, FOLLOWUPS = 3.0, 900.0, 5
NEW_FLAGS: Final = SUPPRESS_EMBEDS | EPHEMERAL | SUPPRESS_NOTIFICATIONS | V2
EDIT_FLAGS: Final = SUPPRESS_EMBEDS | V2


@dataclass(slots=True, eq=False)
class Interaction:
    """One, with everything that came of it."""

    id: str
    token: str
    kind: int
    user: User
    channel: Channel
    born: float
    data: Json
    message: Message | None = None
    """Where the button stands."""
    focused: Json = field(default_factory=dict)
    """Definition of the option that is being typed."""
    opened_by: Interaction | None = None
    """What opened the modal that this submits."""
    metadata: Json = field(default_factory=dict)
    answer: int | None = None
    answered_at: float | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    followup_count: int = 0
    choices: list[Json] | None = None
    modal: Json | None = None
    failed: str | None = None
    """What the person is told instead of an answer."""
    payload: Json = field(default_factory=dict)

    @property
    def owners(self) -> Json:
        """``authorizing_integration_owners``."""
        found: Json = {}
        guild = self.channel.guild
        if guild is not None and guild.has_application:
            found["0"] = guild.id
        if self.channel.kind == DM and self.context == 1:
            found["0"] = "0"
        return found | ({"1": self.user.id} if self.user.installed else {})

    @property
    def context(self) -> int:
        """0 guild, 1 direct message with the bot, 2 elsewhere."""
        if self.channel.guild is not None:
            return 0
        return 1 if self.channel.kind == DM and any(user.bot for user in self.channel.people) else 2

    @property
    def by_user_install_only(self) -> bool:
        """Whether the application is here only because this person brought it."""
        return "0" not in self.owners

    @property
    def must_be_ephemeral(self) -> bool:
        """Without USE_EXTERNAL_APPS an application that a member brought along answers that member alone."""
        inside = self.channel.guild is not None
        return inside and self.by_user_install_only and not may(self.user, self.channel, May.USE_EXTERNAL_APPS)


class Desk:
    """All interactions. ``deliver`` takes the finished object to the program."""

    def __init__(self, world: World, write: Callable[[Interaction], Json], form: Callable[[Message], Json]) -> None:
        """``write`` makes the object that is delivered, ``form`` the message object."""
        self.world, self._write, self.form = world, write, form
        self.known: dict[str, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}
        self.deliver: Callable[[Interaction], None] = lambda interaction: None
        self.registration_seconds = 0.0
        """After an answer its token is unknown (10015) for so long: discord-api-docs#6851."""
        self.over_report = 0
        """``attachment_size_limit`` promises so many bytes too many: discord-api-docs#7603."""
        self.request_bytes: int | None = None
        self.revoked: set[str] = set()
        """Ids of interactions whose token is dead before its time (50027)."""

    # ------------------------------------------------------------------------------------------------------------------ beginning

    def begin(self, kind: int, user: User, channel: Channel, data: Json, **more: Any) -> Interaction:
        """Somebody did something."""
        now = self.world.clock()
        token = secrets.token_urlsafe(120)
        found = Interaction(self.world.ids(), token, kind, user, channel, now, data, **more)
        self.known[found.id] = self._by_token[token] = found
        found.payload = self._write(found)
        self.deliver(found)
        return found

    def limit(self, interaction: Interaction) -> int:
        """Bytes that a file of an answer may have: the better of guild and person."""
        guild = interaction.channel.guild
        return max(interaction.user.upload_limit, 0 if guild is None else TIERS[guild.tier])

    def app_permissions(self, interaction: Interaction) -> int:
        """What the object says about the application's permissions."""
        return app_permissions(self.world, interaction.channel)

    # -------------------------------------------------------------------------------------------------------------- first answer

    def callback(self, interaction_id: str, token: str, body: Body, *, with_response: bool) -> Answer:
        """``POST /interactions/{id}/{token}/callback``."""
        found = self.due(interaction_id, token)
        said = body.fields()
        kind = said["type"]
        if kind not in LEGAL[found.kind] or (kind in {DEFER_UPDATE, UPDATE} and found.message is None):
            raise wrong("type", f"{kind} is no answer to an interaction of type {found.kind}", "INTERACTION_TYPE")
        self._first(found, kind, said.get("data") or {}, body, has_data="data" in said and said["data"] is not None)
        found.answer, found.answered_at = kind, self.world.clock()
        return (200, self.told(found)) if with_response else (204, None)

    def due(self, interaction_id: str, token: str) -> Interaction:
        """The interaction that still waits for its first answer: 10062 for one that is unknown or too old, 40060 for a second answer."""
        found = self.known.get(interaction_id)
        if found is None or not secrets.compare_digest(found.token.encode(), token.encode()):
            raise Refusal(10062)
        if found.answer is not None:
            raise Refusal(40060)
        if self.world.clock() - found.born > ANSWER_SECONDS:
            found.failed = found.failed or "The application did not respond"
            raise Refusal(10062)
        return found

    def _first(self, found: Interaction, kind: int, data: Json, body: Body, *, has_data: bool) -> None:
        if kind in {REPLY, UPDATE, CHOICES, OPEN_MODAL} and not has_data:
            raise wrong("data", "This field is required", "BASE_TYPE_REQUIRED")
        if kind not in {REPLY, UPDATE} and body.files:
            raise wrong("files[0]", "this answer has no files", "FORM_INVALID")
        if kind == REPLY:
            found.original = self._send(found, data, body)
        elif kind == DEFER:
            self._defer(found, data)
        elif kind == UPDATE:
            assert found.message is not None
            self._rewrite(found, found.message, data, body)
            found.original = found.message
        elif kind == DEFER_UPDATE:
            found.original = found.message
        elif kind == CHOICES:
            found.choices = check_choices(data["choices"], found.focused["type"], "data.choices")
        elif kind == OPEN_MODAL:
            modals.check(data)
            found.modal = modals.numbered(data)

    def _defer(self, found: Interaction, data: Json) -> None:
        if set(data) - {"flags"} or (data.get("flags") or 0) & ~EPHEMERAL:
            raise wrong("data.flags", "a deferred answer takes EPHEMERAL and nothing else", "MESSAGE_FLAGS_INVALID")
        self._stand(self.thinking(found, ephemeral=bool(data.get("flags"))))

    def thinking(self, found: Interaction, *, ephemeral: bool) -> Message:
        """The message of a deferred answer, before anybody has seen it."""
        message = found.original = self._blank(found, ephemeral=ephemeral)
        message.flags |= LOADING
        return message

    def told(self, found: Interaction) -> Json:
        said: Json = {"id": found.id, "type": found.kind}
        message = found.original
        if message is not None:
            said["response_message_id"] = message.id
            said["response_message_loading"] = bool(message.flags & LOADING)
            said["response_message_ephemeral"] = bool(message.flags & EPHEMERAL)
        resource: Json = {"type": found.answer}
        if found.answer in {REPLY, UPDATE} and message is not None:
            resource["message"] = self.form(message)
        return {"interaction": said, "resource": resource}

    # ------------------------------------------------------------------------------------------------------------- with the token

    def by_token(self, application_id: str, token: str) -> Interaction:
        """The interaction behind a webhook address: 10015 while nothing is known of it, 50027 once it is dead."""
        if application_id != self.world.application_id:
            raise Refusal(10015)
        found = self._by_token.get(token)
        if found is None:
            raise Refusal(50027)
        now = self.world.clock()
        if now - found.born > TOKEN_SECONDS or found.id in self.revoked:
            raise Refusal(50027)
        if found.answered_at is None or now - found.answered_at < self.registration_seconds:
            raise Refusal(10015)
        return found

    def standing(self, found: Interaction, which: str) -> Message:
        """The message that a token may touch: ``@original`` or one of its follow-ups, or 10008."""
        mine = [found.original, *found.followups]
        wanted = found.original if which == "@original" else next((m for m in mine if m and m.id == which), None)
        if wanted is None or wanted.deleted:
            raise Refusal(10008)
        return wanted

    def edit(self, found: Interaction, which: str, body: Body) -> Answer:
        """PATCH of an answer."""
        message = self.standing(found, which)
        self._rewrite(found, message, body.fields(), body)
        return 200, self.form(message)

    def follow_up(self, found: Interaction, body: Body) -> Answer:
        """One more message. Straight after a deferral it becomes the deferred message, for compatibility."""
        waiting = found.original
        if waiting is not None and waiting.flags & LOADING and not waiting.deleted and found.answer == DEFER:
            data = {
                name: value for name, value in body.fields().items() if name not in {"tts", "username", "avatar_url"}
            }
            if data.get("flags"):
                data["flags"] &= ~EPHEMERAL
            self._rewrite(found, waiting, data, body)
            return 200, self.form(waiting)
        if found.by_user_install_only and found.followup_count >= FOLLOWUPS:
            raise Refusal(40094)
        message = self._send(found, body.fields(), body)
        found.followup_count += 1
        found.followups.append(message)
        return 200, self.form(message)

    def delete(self, found: Interaction, which: str) -> Answer:
        """DELETE of an answer."""
        self.world.drop_message(self.standing(found, which))
        return 204, None

    # ------------------------------------------------------------------------------------------------------------------- messages

    def _rules(self, found: Interaction, *, new: bool) -> Rules:
        return Rules(NEW_FLAGS if new else EDIT_FLAGS, self.limit(found), self.request_bytes)

    def _blank(self, found: Interaction, *, ephemeral: bool) -> Message:
        self._need_place(found)
        message = Message(
            self.world.ids(), found.channel, self.world.bot, owner=found, metadata=found.metadata, kind=20
        )
        if found.kind != COMMAND:
            message.kind = 0
        if ephemeral or found.must_be_ephemeral:
            message.flags, message.only = EPHEMERAL, found.user
        return message

    def _need_place(self, found: Interaction) -> None:
        if found.channel.id not in self.world.channels:
            raise Refusal(10003)
        if found.channel.archived:
            raise Refusal(50083)

    def _send(self, found: Interaction, data: Json, body: Body) -> Message:
        message = self._blank(found, ephemeral=bool((data.get("flags") or 0) & EPHEMERAL))
        bodies.write(self.world, message, data, body.files, self._rules(found, new=True), new=True)
        self._stand(message)
        return message

    def _stand(self, message: Message) -> None:
        self.world.messages[message.id] = message
        self.world.seen("created", message)

    def _rewrite(self, found: Interaction, message: Message, data: Json, body: Body) -> None:
        if message.deleted:
            raise Refusal(10008)
        self._need_place(found)
        was_loading = bool(message.flags & LOADING)
        bodies.write(self.world, message, data, body.files, self._rules(found, new=False), new=False)
        now = self.world.clock()
        message.edits.append(now)
        message.edited = None if was_loading else now
        self.world.seen("edited", message)
