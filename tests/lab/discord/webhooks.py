"""The routes of interactions and their tokens. None of them takes the bot's token."""

from __future__ import annotations

from tests.lab.discord.interactions import Desk, Interaction
from tests.lab.discord.rest import Answer, Call, Route

HOOK = "/webhooks/{webhook_id}/{webhook_token}"
MAJOR = ("webhook_id", "webhook_token")


class Webhooks:
    """A token's powers."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> list[Route]:
        """All of them."""
        found = [
            Route(
                "POST",
                "/interactions/{interaction_id}/{interaction_token}/callback",
                self.callback,
                bot=False,
                major=("interaction_id",),
            ),
            Route("POST", HOOK, self.follow_up, bot=False, major=MAJOR),
        ]
        for which in ("@original", "{message_id}"):
            place = f"{HOOK}/messages/{which}"
            found += [
                Route("GET", place, self.get, bot=False, major=MAJOR),
                Route("PATCH", place, self.edit, bot=False, major=MAJOR),
                Route("DELETE", place, self.delete, bot=False, major=MAJOR),
            ]
        return found

    def callback(self, call: Call) -> Answer:
        """The first answer."""
        wanted = call.query.get("with_response", "false").lower() in {"true", "1"}
        place = call.path["interaction_id"], call.path["interaction_token"]
        return self.desk.callback(*place, call.body, with_response=wanted)

    def _found(self, call: Call) -> tuple[Interaction, str]:
        found = self.desk.by_token(call.path["webhook_id"], call.path["webhook_token"])
        return found, call.path.get("message_id", "@original")

    def follow_up(self, call: Call) -> Answer:
        """One more message. An interaction's webhook always answers with it, whether ``wait`` is asked for or not."""
        found, _ = self._found(call)
        return self.desk.follow_up(found, call.body)

    def get(self, call: Call) -> Answer:
        """One of its messages."""
        found, which = self._found(call)
        return 200, self.desk.form(self.desk.standing(found, which))

    def edit(self, call: Call) -> Answer:
        """Edit one of its messages."""
        found, which = self._found(call)
        return self.desk.edit(found, which, call.body)

    def delete(self, call: Call) -> Answer:
        """Delete one of its messages."""
        found, which = self._found(call)
        return self.desk.delete(found, which)
