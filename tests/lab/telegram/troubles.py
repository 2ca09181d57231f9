"""What goes wrong, and what others do to a bot, in one line each. Finer faults: ``Telegram.on``, and the switches of the parts."""

from __future__ import annotations

from collections.abc import Callable

from tests.lab.telegram.door import Door
from tests.lab.telegram.founding import Founding, fresh_token
from tests.lab.telegram.media import Shelf
from tests.lab.telegram.office import Office
from tests.lab.telegram.person import Person
from tests.lab.telegram.refusal import Refusal
from tests.lab.telegram.sight import Seen
from tests.lab.telegram.world import PRIVATE, Bot, Chat, Message, Place, Topic, User, World


class Troubles:
    """Mixed into ``Telegram``."""

    world: World
    door: Door
    office: Office
    shelf: Shelf
    founding: Founding
    bot: Bot

    def later(self, work: Callable[[], None]) -> None:
        """Do something on the simulator's loop."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------------------------------ faults

    def delay(self, seconds: float, method: str = "*") -> None:
        """Every request but getUpdates takes so much longer from now on, or one method's do; 0 ends it."""
        self.door.latency[method] = seconds

    def fail(self, method: str, status: int, times: float = 1) -> None:
        """The next ``times`` calls of a method end with HTML and 502 or 504, or with 429 and a second to wait."""
        rule = self.door.faults.on(method).times(times)
        if status == 429:
            rule.rate_limit(1)
        else:
            rule.status(status)

    def lose_answers(self, method: str, times: float = 1) -> None:
        """The next calls do what they should, and nobody hears of it."""
        self.door.faults.on(method).times(times).cut_after()

    def refuse(self, method: str, description: str, status: int = 400, times: float = 1) -> None:
        """The next calls are refused in these words, such as ``Bad Request: message thread not found``."""
        self.door.faults.on(method).times(times).refuse(status, description)

    def revoke_token(self) -> None:
        """BotFather hands out another token: the old one is 401 from now on, also for the poll that is held open."""
        self.world.bots.pop(self.bot.token)
        self.bot.token = fresh_token(self.bot.id)
        self.world.bots[self.bot.token] = self.bot
        queue = self.office.queues[self.bot.id]
        self.later(lambda: queue.cut(Refusal(401, "Unauthorized")))

    def refuse_uploads_above(self, size: int | None) -> None:
        """413 for larger files; None: as Telegram has it."""
        self.shelf.upload_limit = size

    # ------------------------------------------------------------------------------------------------------------------- what others do

    def _somebody(self, chat: Chat) -> User:
        return next(each.user for each in chat.members.values() if each.status == "creator")

    def remove_bot(self, chat: Chat, *, kicked: bool = True) -> None:
        """An administrator removes the bot from a group."""
        self.founding.part(chat, self.bot, self._somebody(chat), kicked=kicked)

    def add_bot_to(self, chat: Chat) -> None:
        """Somebody adds the bot, which takes its privacy mode of now with it."""
        self.founding.join(chat, self.bot, self._somebody(chat))

    def promote(self, chat: Chat, who: Person | Bot | None = None, *, anonymous: bool = False) -> None:
        """Make somebody an administrator with every right; nobody named: the bot, which sees everything from then on."""
        user = who.user if isinstance(who, Person) else who or self.bot
        self.founding.promote(chat, user, self._somebody(chat), anonymous=anonymous)

    def restrict_bot(self, chat: Chat, *allowed: str) -> None:
        """The bot may do in a group only this, such as ``can_send_messages``."""
        self.founding.change(chat, self.bot, "restricted", self._somebody(chat), rights=set(allowed))

    def migrate(self, chat: Chat) -> Chat:
        """A group becomes a supergroup, which is returned."""
        return self.founding.migrate(chat)

    def add_topic(self, chat: Chat, name: str) -> Place:
        """A topic of a forum."""
        return Place(chat, self.founding.add_topic(chat, name))

    def general(self, chat: Chat) -> Place:
        """The topic that is always there."""
        return Place(chat, chat.topics[1])

    def close_topic(self, place: Place, *, closed: bool = True) -> None:
        """Only administrators may write there, or again everybody."""
        self.founding.close_topic(place, closed=closed)

    def delete_topic(self, place: Place) -> None:
        """It is gone with all its messages."""
        self.founding.delete_topic(place)

    def delete_message(self, target: Seen | Message) -> None:
        """Somebody who may deletes a message; the bot is not told."""
        self.world.drop(target.message if isinstance(target, Seen) else target)

    def deactivate(self, person: Person) -> None:
        """An account is given up."""
        person.user.deactivated = True

    def add_private_topic(self, person: Person, name: str) -> Place:
        """A topic of a private chat, for a bot that has them."""
        chat = self.world.direct(self.bot, person.user)
        assert chat.kind == PRIVATE
        self.bot.private_topics = chat.started = True
        number = self.world.number(chat)
        chat.topics[number] = Topic(number, name)
        return Place(chat, chat.topics[number])

    def reacted(self, user: User, message: Message, emoji: str) -> None:
        """Somebody puts an emoji under a message; bots hear of it in private and where they are administrators, if they ask."""
        old = message.reactions.pop(user.id, None)
        if emoji:
            message.reactions[user.id] = emoji
        self.world.seen("reacted", message)
        said = {
            "chat": self.office.forms.chat(message.chat),
            "message_id": message.id,
            "user": self.office.forms.user(user),
            "date": int(self.office.clock()),
            "old_reaction": [{"type": "emoji", "emoji": old}] if old else [],
            "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
        }
        for bot in self.world.bots_in(message.chat):
            member = message.chat.member(bot)
            if message.chat.kind == PRIVATE or (member is not None and member.boss):
                self.office.queues[bot.id].push("message_reaction", said)

    def edits_of(self, target: Seen | Message) -> list[float]:
        """When a message was edited, in Unix seconds."""
        return list((target.message if isinstance(target, Seen) else target).edits)
