"""The routes about the application, its commands, people and guilds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.lab.discord.commands import Commands
from tests.lab.discord.forms import Forms
from tests.lab.discord.gateway import Gateway
from tests.lab.discord.refusal import Refusal, wrong
from tests.lab.discord.rest import Answer, Call, Route
from tests.lab.discord.world import Guild, World

Json = dict[str, Any]


class Account:
    """Who the bot is and where."""

    def __init__(self, world: World, forms: Forms, commands: Commands, gateway: Gateway, public_key: str) -> None:
        self.world, self.forms, self.commands, self.gateway = world, forms, commands, gateway
        self._public_key = public_key
        self.endpoint: str | None = None

    def routes(self) -> list[Route]:
        """All of them."""
        ours, theirs = (
            "/applications/{application_id}/commands",
            "/applications/{application_id}/guilds/{guild_id}/commands",
        )
        guild = ("guild_id",)
        return [
            Route("GET", "/gateway", lambda call: (200, {"url": self.gateway.url}), bot=False),
            Route("GET", "/gateway/bot", self.gateway_bot),
            Route("GET", "/oauth2/applications/@me", lambda call: (200, self.application())),
            Route("GET", "/applications/@me", lambda call: (200, self.application())),
            Route("GET", "/users/@me", lambda call: (200, self.forms.me())),
            Route(
                "GET", "/users/{user_id}", lambda call: (200, self.forms.user(self.world.user(call.path["user_id"])))
            ),
            Route("GET", ours, self.get_commands),
            Route("PUT", ours, self.put_commands),
            Route("GET", theirs, self.get_commands, major=guild),
            Route("PUT", theirs, self.put_commands, major=guild),
            Route("GET", "/guilds/{guild_id}", self._of_guild(self.forms.guild), major=guild),
            Route("GET", "/guilds/{guild_id}/channels", self._of_guild(self._rooms), major=guild),
            Route("GET", "/guilds/{guild_id}/roles", self._of_guild(self._roles), major=guild),
            Route("GET", "/guilds/{guild_id}/members/{user_id}", self.member, major=guild),
            Route("DELETE", "/users/@me/guilds/{guild_id}", self.leave),
        ]

    def gateway_bot(self, call: Call) -> Answer:
        """Where the gateway is and how often one may identify there."""
        del call
        since = self.world.clock() - 86_400
        used = sum(at > since for at in self.gateway.identifies)
        limit = {
            "total": self.gateway.identify_budget,
            "remaining": max(0, self.gateway.identify_budget - used),
            "reset_after": 86_400_000,
            "max_concurrency": self.gateway.max_concurrency,
        }
        return 200, {"url": self.gateway.url, "shards": self.gateway.shards, "session_start_limit": limit}

    def application(self) -> Json:
        """The application; libraries log in with it."""
        return {
            "id": self.world.application_id,
            "name": self.world.bot.name,
            "icon": None,
            "description": "",
            "type": None,
            "bot": self.forms.user(self.world.bot),
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": self._public_key,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "interactions_endpoint_url": self.endpoint,
            "role_connections_verification_url": None,
            "event_webhooks_url": None,
            "event_webhooks_status": 1,
            "owner": self.forms.user(self.world.owner),
            "team": None,
            "approximate_guild_count": len(self.world.guilds),
            "approximate_user_install_count": sum(user.installed for user in self.world.users.values()),
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": ["applications.commands", "bot"],
            "integration_types_config": {"0": {}, "1": {}},
        }

    def _own(self, call: Call) -> str | None:
        if call.path["application_id"] != self.world.application_id:
            raise Refusal(50001)
        guild_id = call.path.get("guild_id")
        if guild_id is not None and (
            guild_id not in self.world.guilds or not self.world.guilds[guild_id].has_application
        ):
            raise Refusal(50001)
        return guild_id

    def get_commands(self, call: Call) -> Answer:
        """What is registered; localisations only when they are asked for."""
        found = self.commands.of(self._own(call))
        if call.query.get("with_localizations", "false").lower() in {"true", "1"}:
            return 200, found
        return 200, [_plain(each) for each in found]

    def put_commands(self, call: Call) -> Answer:
        """Replace what is registered."""
        if not isinstance(call.body.data, list):
            raise wrong("", "must be a list", "LIST_TYPE_CONVERT")
        return 200, self.commands.overwrite(self._own(call), call.body.data)

    def _of_guild(self, form: Callable[[Guild], Any]) -> Callable[[Call], Answer]:
        return lambda call: (200, form(self.world.guild(call.path["guild_id"])))

    def _rooms(self, guild: Guild) -> list[Json]:
        return [self.forms.channel(channel) for channel in guild.channels.values() if not channel.is_thread]

    def _roles(self, guild: Guild) -> list[Json]:
        return [self.forms.role(role) for role in guild.roles.values()]

    def member(self, call: Call) -> Answer:
        """A member, or 10007."""
        guild = self.world.guild(call.path["guild_id"])
        self.world.user(call.path["user_id"])
        if call.path["user_id"] not in guild.members:
            raise Refusal(10007)
        return 200, self.forms.member(guild.members[call.path["user_id"]])

    def leave(self, call: Call) -> Answer:
        """The bot goes."""
        guild = self.world.guild(call.path["guild_id"])
        guild.members.pop(self.world.bot.id)
        guild.has_application = False
        self.world.emit("GUILD_DELETE", {"id": guild.id}, guild)
        return 204, None


def _plain(thing: Json) -> Json:
    said = {name: value for name, value in thing.items() if not name.endswith("_localizations")}
    for inner in ("options", "choices"):
        if inner in said:
            said[inner] = [_plain(each) for each in said[inner]]
    return said
