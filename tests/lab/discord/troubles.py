"""What goes wrong by itself, in one line each. Finer faults: ``Discord.on``, and the switches of the parts."""

from __future__ import annotations

from collections.abc import Coroutine
from secrets import token_urlsafe
from typing import Any

from tests.lab.discord.gateway import Gateway
from tests.lab.discord.interactions import Desk, Interaction
from tests.lab.discord.rest import Door
from tests.lab.discord.sight import Seen
from tests.lab.discord.world import Message, World


class Troubles:
    """Mixed into ``Discord``."""

    world: World
    door: Door
    desk: Desk
    gateway: Gateway

    def calm(self) -> None:
        """No fault is scripted any more and every switch is as it was at first. What there is stays, and so do the time and the token."""
        self.door.faults.rules.clear()
        self.door.latency.clear()
        self.desk.registration_seconds, self.desk.over_report, self.desk.request_bytes = 0.0, 0, None
        self.desk.revoked.clear()
        self.world.upload_cap = None
        self.gateway.copies, self.gateway.replay_more = 1, 0
        self.gateway.acknowledges = True
        self.use_endpoint(None)

    def use_endpoint(self, url: str | None) -> None:
        """The simulator's own."""
        raise NotImplementedError

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The simulator's own."""
        raise NotImplementedError

    def drop_gateway(self, code: int = 0) -> None:
        """End every gateway connection: 0 without a word, else with this close code."""
        self.run(self.gateway.close(code))

    def delay(self, seconds: float, operation: str = "*") -> None:
        """Every REST call takes so much longer from now on, or one operation's calls; 0 ends it."""
        self.door.latency[operation] = seconds

    def fail(self, operation: str, status: int, times: float = 1) -> None:
        """The next ``times`` calls of an operation end with 500, 502, 503 …, or with 429 and half a second to wait."""
        rule = self.door.faults.on(operation).times(times)
        if status == 429:
            rule.rate_limit(0.5)
        else:
            rule.status(status)

    def lose_answers(self, operation: str, times: float = 1) -> None:
        """The next calls of an operation do what they should, and nobody hears of it."""
        self.door.faults.on(operation).times(times).cut_after()

    def revoke_token(self) -> None:
        """The operator resets the bot's token: 401 everywhere, sessions end with 4004."""
        self.world.token = f"{self.world.token.split('.')[0]}.reset.{token_urlsafe(24)}"
        self.drop_gateway(4004)
        self.gateway.sessions.clear()

    def kill_token(self, interaction: Interaction) -> None:
        """An interaction's token dies before its time: 401, 50027."""
        self.desk.revoked.add(interaction.id)

    def refuse_uploads_above(self, size: int | None) -> None:
        """Files of more bytes are refused (413, 40005) whatever was promised; None: as promised again."""
        self.world.upload_cap = size

    def delete_message(self, target: Seen | Message) -> None:
        """Somebody who may deletes a message."""
        message = target.message if isinstance(target, Seen) else target
        self.world.drop_message(message)

    def edits_of(self, target: Seen | Message) -> list[float]:
        """When a message was edited, in Unix seconds."""
        message = target.message if isinstance(target, Seen) else target
        return list(message.edits)
