"""Somebody with a Discord client: types commands, presses buttons, submits modals, and sees what there is to see.

The client is honest: it offers only what is registered, stands on the message now, and may be used there. What it does not offer
raises ``Impossible``. Nothing here waits; a ``Use`` is looked at until it has what a test wants (``tests.lab.waiting``).
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.lab.discord import commands as definitions
from tests.lab.discord import interactions as on
from tests.lab.discord import layout, modals
from tests.lab.discord.offers import Impossible, offered, resolve
from tests.lab.discord.permissions import May, may
from tests.lab.discord.sight import Picture, Seen
from tests.lab.discord.world import EPHEMERAL, LOADING, Channel, Message, Moment, User

if TYPE_CHECKING:
    from tests.lab.discord.server import Discord

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A file in somebody's hand."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that somebody did, and what came of it so far."""

    person: Person
    interaction: on.Interaction

    @property
    def acknowledged(self) -> bool:
        """Whether the program has answered at all."""
        return self.interaction.answer is not None

    @property
    def seconds(self) -> float | None:
        """How long the first answer took."""
        found = self.interaction
        return None if found.answered_at is None else found.answered_at - found.born

    @property
    def failed(self) -> str | None:
        """What the person is told when the program did not answer in time, or wrongly."""
        late = self.person.discord.clock() - self.interaction.born > on.ANSWER_SECONDS
        silent = "The application did not respond" if late and not self.acknowledged else None
        return self.interaction.failed or silent

    @property
    def message(self) -> Seen | None:
        """The answer as the person sees it now; None while there is none or once it is gone."""
        found = self.interaction.original
        return None if found is None or found.deleted else self.person.look(found)

    @property
    def history(self) -> list[Moment]:
        """The answer from its first appearance through every edit, each with its time."""
        return [] if self.interaction.original is None else list(self.interaction.original.history)

    @property
    def text(self) -> str:
        """What the answer says now, the thinking aside."""
        found = self.message
        return "" if found is None or found.thinking else found.text

    @property
    def followups(self) -> list[Seen]:
        """Further messages, those that were deleted left out."""
        return [self.person.look(each) for each in self.interaction.followups if not each.deleted]

    @property
    def modal(self) -> Json | None:
        """The form that opened."""
        return self.interaction.modal

    @property
    def choices(self) -> list[tuple[str, Any]] | None:
        """What autocomplete suggested: (name as this person reads it, value)."""
        if self.interaction.choices is None:
            return None
        locale = self.person.user.locale
        return [
            (str((choice.get("name_localizations") or {}).get(locale, choice["name"])), choice["value"])
            for choice in self.interaction.choices
        ]


class Person:
    """See above."""

    def __init__(self, discord: Discord, user: User) -> None:
        self.discord, self.user = discord, user
        self.notifications: list[Message] = []
        """Messages that rang this person's bell. Edits never ring."""
        self.place: Channel | None = None
        """Where this person is when nothing else is said."""

    @property
    def id(self) -> str:
        """The user id."""
        return self.user.id

    def enter(self, channel: Channel) -> Person:
        """Go to a channel, thread, post, direct message or group, and do there whatever follows."""
        self.place = channel
        return self

    def _where(self, channel: Channel | None) -> Channel:
        found = channel or self.place
        if found is None:
            raise Impossible("in which channel? Name one, or enter it first")
        return found

    # ---------------------------------------------------------------------------------------------------------------------- seeing

    def look(self, message: Message) -> Seen:
        """A message as it is now."""
        return self.discord.see(message)

    def messages(self, channel: Channel | None = None) -> list[Seen]:
        """What stands in a channel for this person, oldest first."""
        return [self.look(each) for each in self.discord.world.in_channel(self._where(channel)) if self.sees(each)]

    def history(self, target: Seen | Message) -> list[Moment]:
        """A message as it was at its beginning and after every edit."""
        return list((target.message if isinstance(target, Seen) else target).history)

    def download(self, picture: Picture) -> bytes:
        """Fetch a picture, clip or file by its link, as a browser does. Raises HTTPError for a link that has died."""
        with urllib.request.urlopen(picture.url, timeout=20) as answer:
            return bytes(answer.read())

    def sees(self, message: Message) -> bool:
        """Whether it is there for this person."""
        there = may(self.user, message.channel, May.VIEW_CHANNEL)
        return there and not message.deleted and message.only in {None, self.user}

    def direct(self) -> Channel:
        """The direct message with the bot."""
        return self.discord.world.direct(self.user)

    # ----------------------------------------------------------------------------------------------------------------------- doing

    def slash(self, name: str, channel: Channel | None = None, /, **options: Any) -> Use:
        """Type a slash command; ``name`` with its sub-commands, as in ``"admin quota"``. Files are ``File``, people ``Person``."""
        return self._run(on.COMMAND, self._where(channel), name, options, None)

    def autocomplete(
        self, name: str, option: str, typed: str, channel: Channel | None = None, /, **options: Any
    ) -> Use:
        """Be in the middle of typing ``option``, with ``typed`` in it so far and other ``options`` filled in."""
        return self._run(on.AUTOCOMPLETE, self._where(channel), name, {**options, option: typed}, option)

    def _run(self, kind: int, channel: Channel, name: str, options: Mapping[str, Any], focused: str | None) -> Use:
        command, path, leaf = self._offered(channel, definitions.CHAT, name)
        resolved: Json = {}
        filled: list[Json] = []
        for option in leaf:
            if option["name"] in options and options[option["name"]] is not None:
                filled.append(resolve(self, channel, option, options[option["name"]], resolved, focused))
            elif option.get("required") and focused is None:
                raise Impossible(f"/{name} needs {option['name']!r}")
        known = {option["name"]: option for option in leaf}
        if strange := set(options) - set(known):
            raise Impossible(f"/{name} has no option {min(strange)!r}; it has {sorted(known)}")
        if focused is not None and not known.get(focused, {}).get("autocomplete"):
            raise Impossible(f"/{name} does not complete {focused!r}")
        for step, step_kind in reversed(path):
            filled = [{"name": step, "type": step_kind, "options": filled}]
        data = (
            self._data(command) | ({"options": filled} if filled else {}) | ({"resolved": resolved} if resolved else {})
        )
        return self._begin(kind, channel, data, focused=known[focused] if focused is not None else {})

    def _offered(self, channel: Channel, kind: int, name: str) -> tuple[Json, list[tuple[str, int]], list[Json]]:
        steps = name.removeprefix("/").split(" ") if kind == definitions.CHAT else [name]
        found = [each for each in offered(self.discord, self.user, channel) if each["type"] == kind]
        command = next((each for each in found if each["name"] == steps[0]), None)
        if command is None:
            raise Impossible(
                f"no command {steps[0]!r} is offered here; there are {sorted(each['name'] for each in found)}"
            )
        path, options = [], command.get("options") or []
        for step in steps[1:]:
            inner = next((each for each in options if each["name"] == step and each["type"] in {1, 2}), None)
            if inner is None:
                raise Impossible(f"/{name}: there is no {step!r}")
            path.append((step, inner["type"]))
            options = inner.get("options") or []
        if any(each["type"] in {1, 2} for each in options):
            raise Impossible(f"/{name} needs one of {[each['name'] for each in options]}")
        return command, path, options

    def _data(self, command: Json) -> Json:
        said = {"id": command["id"], "name": command["name"], "type": command["type"]}
        return said | ({"guild_id": command["guild_id"]} if "guild_id" in command else {})

    def user_menu(self, name: str, target: Person, channel: Channel | None = None) -> Use:
        """Choose an entry of a person's menu."""
        place = self._where(channel)
        command, _, _ = self._offered(place, definitions.USER_MENU, name)
        resolved: Json = {"users": {target.id: self.discord.forms.user(target.user)}}
        member = None if place.guild is None else place.guild.members.get(target.id)
        if member is not None:
            resolved["members"] = {target.id: self.discord.partial_member(member, place)}
        return self._begin(on.COMMAND, place, self._data(command) | {"target_id": target.id, "resolved": resolved})

    def menu(self, name: str, target: Seen | Message) -> Use:
        """Choose an entry of a message's menu."""
        world = self.discord.world
        message = target.message if isinstance(target, Seen) else target
        if not self.sees(message) or (message.flags & (EPHEMERAL | LOADING)) or message.id not in world.messages:
            raise Impossible("that message has no menu for this person")
        command, _, _ = self._offered(message.channel, definitions.MESSAGE_MENU, name)
        resolved: Json = {"messages": {message.id: self.discord.forms.message(message)}}
        return self._begin(
            on.COMMAND, message.channel, self._data(command) | {"target_id": message.id, "resolved": resolved}
        )

    def press(self, target: Seen | Message, button: str) -> Use:
        """Press a button by label, emoji, custom_id or verb (see ``Seen.button``), as the message stands now."""
        message = self._here(target)
        found = self.look(message).button(button)
        if found.disabled or found.custom_id is None:
            raise Impossible(f"{button!r} cannot be pressed")
        return self._component(message, found.custom_id, {})

    def choose(self, target: Seen | Message, custom_id: str, *values: str) -> Use:
        """Choose from a select."""
        message = self._here(target)
        menu = next((each for each in self.look(message).menus if each.custom_id == custom_id), None)
        if menu is None or menu.disabled or not set(values) <= {value for _, value in menu.options}:
            raise Impossible(f"{custom_id!r} does not offer {values}")
        return self._component(message, custom_id, {"values": list(values)})

    def _here(self, target: Seen | Message) -> Message:
        message = target.message if isinstance(target, Seen) else target
        if not self.sees(message):
            raise Impossible("that message is not there for this person")
        return message

    def _component(self, message: Message, custom_id: str, more: Json) -> Use:
        each = next(each for _, each in layout.walk(message.components) if each.get("custom_id") == custom_id)
        data = {"custom_id": custom_id, "component_type": each["type"], "id": each["id"], **more}
        return self._begin(on.COMPONENT, message.channel, data, message=message)

    def submit(self, form: Use, values: Mapping[str, Any] | None = None, **more: Any) -> Use:
        """Fill in a modal by custom_id or label, and send it. Raises Impossible for what its fields do not take."""
        if form.modal is None:
            raise Impossible("no modal is open")
        given, resolved = dict(values or {}, **more), dict[str, Any]()
        channel = form.interaction.channel
        for name, value in given.items():
            listed = value if isinstance(value, (list, tuple)) else [value]
            if listed and all(isinstance(each, File) for each in listed):
                stored = [self.discord.store(each, channel, ephemeral=True) for each in listed]
                resolved.setdefault("attachments", {}).update({s.id: self.discord.forms.attachment(s) for s in stored})
                given[name] = [each.id for each in stored]
        try:
            components = modals.filled(form.modal, given)
        except modals.CannotSubmit as error:
            raise Impossible(str(error)) from None
        data: Json = {"custom_id": form.modal["custom_id"], "components": components}
        more_data = {"resolved": resolved} if resolved else {}
        source = form.interaction.message
        return self._begin(on.MODAL, channel, data | more_data, message=source, opened_by=form.interaction)

    def _begin(self, kind: int, channel: Channel, data: Json, **more: Any) -> Use:
        return Use(self, self.discord.desk.begin(kind, self.user, channel, data, **more))

    # ------------------------------------------------------------------------------------------------------------ ordinary chatting

    def say(self, channel: Channel, text: str = "", *files: File, embed_image: str | None = None) -> Seen:
        """Send an ordinary message; ``embed_image`` makes it one with a link preview."""
        if not may(self.user, channel, May.VIEW_CHANNEL | May.SEND_MESSAGES):
            raise Impossible("not allowed to write there")
        return self.look(self.discord.post(self.user, channel, text, files, embed_image))

    def delete(self, target: Seen | Message) -> None:
        """Delete a message: one's own, one that answers oneself in private, or anybody's with MANAGE_MESSAGES."""
        message = self._here(target)
        private = message.only is self.user
        if not (message.author is self.user or private or may(self.user, message.channel, May.MANAGE_MESSAGES)):
            raise Impossible("not allowed to delete that")
        self.discord.world.drop_message(message)
