"""The bot itself: who it is, what it hears, its menus and words, and the files that it fetches."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from tests.lab.server import cut
from tests.lab.telegram.door import Call, Door, Work
from tests.lab.telegram.hooks import Hooks
from tests.lab.telegram.office import Office
from tests.lab.telegram.refusal import Refusal, bad
from tests.lab.telegram.world import PRIVATE, Bot, Chat, User

Json = dict[str, Any]
COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")
LANGUAGE: Final = re.compile(r"[a-z]{2}|")
MOST_COMMANDS: Final = 100
MOST_DESCRIPTION: Final = 256
WORDS: Final = {
    "Name": ("name", 64),
    "Description": ("description", 512),
    "ShortDescription": ("short_description", 120),
}
PIECE: Final = 1 << 18


@dataclass(slots=True)
class Profile:
    """What a bot has told Telegram about itself."""

    menus: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    """By scope and language."""
    words: dict[tuple[str, str], str] = field(default_factory=dict)
    """Name, description and short description by language."""
    syncs: int = 0
    """How often menus were set or taken away."""


class Account:
    """See above."""

    def __init__(self, office: Office, hooks: Hooks, door: Door) -> None:
        self.office, self.hooks, self.door = office, hooks, door
        self.profiles: dict[int, Profile] = {}

    def methods(self) -> dict[str, Work]:
        """By name."""
        made: dict[str, Work] = {
            "getMe": lambda call: self.office.forms.me(call.bot),
            "getUpdates": self.get_updates,
            "setWebhook": self.set_webhook,
            "deleteWebhook": self.delete_webhook,
            "getWebhookInfo": lambda call: self.hooks.info(self.office.queues[call.bot.id]),
            "setMyCommands": self.set_commands,
            "getMyCommands": self.get_commands,
            "deleteMyCommands": self.delete_commands,
            "getFile": self.get_file,
            "logOut": self.log_out,
            "close": lambda call: True,
        }
        for what in WORDS:
            made |= {f"setMy{what}": self._set_word(what), f"getMy{what}": self._get_word(what)}
        return made

    def profile(self, bot: Bot) -> Profile:
        """One bot's."""
        return self.profiles.setdefault(bot.id, Profile())

    # ----------------------------------------------------------------------------------------------------------------------- hearing

    async def get_updates(self, call: Call) -> list[Json]:
        """getUpdates: holds the line until there is news."""
        queue = self.office.queues[call.bot.id]
        queue.want(call.get("allowed_updates"))
        return await queue.poll(call.get("offset", 0), call.get("limit", 100), call.get("timeout", 0), call.alive)

    def set_webhook(self, call: Call) -> bool:
        """setWebhook."""
        if "certificate" in call.files:
            call.file("certificate")
        self.hooks.set(self.office.queues[call.bot.id], call.params)
        return True

    def delete_webhook(self, call: Call) -> bool:
        """deleteWebhook."""
        self.hooks.set(self.office.queues[call.bot.id], call.params | {"url": ""})
        return True

    def log_out(self, call: Call) -> bool:
        """logOut: from the cloud server, before a local one is used."""
        call.bot.logged_out = True
        return True

    # ------------------------------------------------------------------------------------------------------------------------- menus

    def _scope(self, call: Call) -> tuple[str, str]:
        scope = call.get("scope") or {"type": "default"}
        language = _language(call)
        name = scope["type"]
        if "chat_id" in scope:
            chat = self.office.world.chat(call.bot, scope["chat_id"])
            if chat.kind == PRIVATE:
                if not self._knows(call.bot, chat):
                    raise bad("chat not found")
                if name != "chat":
                    raise bad("can't change bot commands in private chats")
            name += f" {chat.id}"
        return name + (f" {scope['user_id']}" if "user_id" in scope else ""), language

    def _knows(self, bot: Bot, chat: Chat) -> bool:
        """Whether somebody has written to the bot, or is in a group with it: Telegram tells a bot of nobody else."""
        return chat.started or any(
            bot.id in group.members and chat.id in group.members for group in list(self.office.world.chats.values())
        )

    def set_commands(self, call: Call) -> bool:
        """setMyCommands."""
        commands = call.get("commands")
        if len(commands) > MOST_COMMANDS:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        for each in commands:
            if not COMMAND.fullmatch(each["command"].removeprefix("/")):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(each["description"]) <= MOST_DESCRIPTION:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        profile = self.profile(call.bot)
        profile.menus[self._scope(call)] = commands
        profile.syncs += 1
        return True

    def get_commands(self, call: Call) -> list[Json]:
        """getMyCommands."""
        return self.profile(call.bot).menus.get(self._scope(call), [])

    def delete_commands(self, call: Call) -> bool:
        """deleteMyCommands."""
        profile = self.profile(call.bot)
        profile.menus.pop(self._scope(call), None)
        profile.syncs += 1
        return True

    def menu(self, bot: Bot, user: User, chat: Chat) -> list[Json]:
        """What somebody is offered after a slash: the narrowest scope that has something, in their language if it has that."""
        member = chat.member(user)
        boss = member is not None and member.boss
        if chat.kind == PRIVATE:
            scopes = [f"chat {chat.id}", "all_private_chats", "default"]
        else:
            scopes = [f"chat_member {chat.id} {user.id}"]
            scopes += [f"chat_administrators {chat.id}"] if boss else []
            scopes += [f"chat {chat.id}"]
            scopes += ["all_chat_administrators"] if boss else []
            scopes += ["all_group_chats", "default"]
        menus = self.profile(bot).menus
        for scope in scopes:
            for language in ((user.language or "")[:2], ""):
                if found := menus.get((scope, language)):
                    return found
        return []

    def _set_word(self, what: str) -> Work:
        name, most = WORDS[what]

        def work(call: Call) -> bool:
            text = call.get(name, "")
            if len(text) > most:
                raise bad(f"BOT_{name.upper()}_TOO_LONG")
            words, place = self.profile(call.bot).words, (name, _language(call))
            words[place] = text
            if not text:  # takes away what that language had of its own
                del words[place]
            return True

        return work

    def _get_word(self, what: str) -> Callable[[Call], Json]:
        name, _ = WORDS[what]

        def work(call: Call) -> Json:
            words = self.profile(call.bot).words
            return {name: words.get((name, _language(call)), words.get((name, ""), ""))}

        return work

    # ------------------------------------------------------------------------------------------------------------------------- files

    def get_file(self, call: Call) -> Json:
        """getFile."""
        try:
            media, stored = self.office.shelf.known(call.bot.id, call.get("file_id"))
        except Refusal:
            raise bad("invalid file_id") from None
        path = self.office.shelf.link(stored, media.kind if stored in media.files else "thumbnail")
        said = {"file_id": call.get("file_id"), "file_unique_id": stored.unique, "file_size": stored.size}
        return said | {"file_path": path}

    async def download(self, request: web.Request) -> web.StreamResponse:
        """``/file/bot<token>/<file_path>``."""
        fault = self.door.faults.next("download")
        try:
            bot = self.door.bot(request)
            stored = self.office.shelf.download(request.match_info["path"])
            if stored is None:
                raise Refusal(404, "Not Found")
        except Refusal as refusal:
            self.office.world.journal.write("download", status=refusal.status)
            return web.json_response(refusal.body(), status=refusal.status)
        self.office.world.journal.write("download", status=200, bot=bot.username, file=stored.unique)
        if fault is not None and fault.kind in {"status", "page"}:
            return web.Response(status=fault.code)
        answer = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        answer.content_length = stored.size
        await answer.prepare(request)
        return await self._pour(request, answer, stored.path, half=fault is not None and fault.kind == "cut after")

    @staticmethod
    async def _pour(request: web.Request, answer: web.StreamResponse, path: Path, *, half: bool) -> web.StreamResponse:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                await answer.write(piece[: len(piece) // 2] if half else piece)
                if half:
                    cut(request)
                    return answer
        await answer.write_eof()
        return answer


def _language(call: Call) -> str:
    found: str = call.get("language_code", "")
    if not LANGUAGE.fullmatch(found):
        raise bad("invalid language code specified")
    return found
