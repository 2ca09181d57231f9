"""Founding: people, groups and topics come into being, change and vanish, and the bots hear of it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, Final

from tests.lab.telegram.office import Office
from tests.lab.telegram.payloads import RIGHTS
from tests.lab.telegram.world import (
    GENERAL,
    GROUP,
    PRIVATE,
    SUPERGROUP,
    Bot,
    Chat,
    Member,
    Place,
    Status,
    Topic,
    User,
)

Json = dict[str, Any]
ANONYMOUS: Final = User(1_087_968_824, "Group", "GroupAnonymousBot", is_bot=True)
"""Stands as the sender of what administrators write who are anonymous; ``sender_chat`` is the group."""


class Founding:
    """See above."""

    def __init__(self, office: Office) -> None:
        self.office, self.world = office, office.world

    # ----------------------------------------------------------------------------------------------------------------------- groups

    def add_group(self, kind: str, title: str, people: list[User], bots: list[Bot], *, forum: bool) -> Chat:
        """A group; the first of the people has made it."""
        chat = self.world.add_chat(kind, title)
        chat.forum = forum
        if forum:
            chat.topics[GENERAL] = Topic(GENERAL, "General")
        creator = people[0]
        chat.members = {user.id: Member(user) for user in people}
        chat.members[creator.id].status = "creator"
        service = "supergroup_chat_created" if kind == SUPERGROUP else "group_chat_created"
        self.office.announce(chat, creator, **{service: True})
        for bot in bots:
            self.join(chat, bot, creator)
        return chat

    def join(self, chat: Chat, user: User, by: User) -> None:
        """Somebody comes in, or a bot is added."""
        sees_all = isinstance(user, Bot) and user.sees_all
        chat.members[user.id] = Member(user, chat.members.get(user.id, Member(user, "left")).status, sees_all=sees_all)
        self.change(chat, user, "member", by)
        self.office.announce(chat, by, new_chat_members=[self.office.forms.user(user)])

    def part(self, chat: Chat, user: User, by: User, *, kicked: bool = False) -> None:
        """Somebody leaves, or is removed."""
        self.office.announce(chat, by, left_chat_member=self.office.forms.user(user))
        self.change(chat, user, "kicked" if kicked else "left", by)

    def change(self, chat: Chat, user: User, status: Status, by: User, **more: Any) -> None:
        """Somebody's standing in a group changes; the bot is told of its own, and of others' if it is an administrator and asks."""
        member = chat.members.setdefault(user.id, Member(user, "left"))
        old = self.office.forms.member(member)
        member.status = status
        for name, value in more.items():
            setattr(member, name, value)
        said = self._changed(chat, by, old, self.office.forms.member(member))
        if isinstance(user, Bot):
            self.office.queues[user.id].push("my_chat_member", said)
        for bot in self.world.bots_in(chat):
            if bot is not user and chat.members[bot.id].boss:
                self.office.queues[bot.id].push("chat_member", said)

    def _changed(self, chat: Chat, by: User, old: Json, new: Json) -> Json:
        return {
            "chat": self.office.forms.chat(chat),
            "from": self.office.forms.user(by),
            "date": int(self.office.clock()),
            "old_chat_member": old,
            "new_chat_member": new,
        }

    def promote(
        self, chat: Chat, user: User, by: User, *, anonymous: bool = False, rights: set[str] | None = None
    ) -> None:
        """Make somebody an administrator."""
        granted = set(RIGHTS) if rights is None else rights
        member = chat.member(user)
        status: Status = "creator" if member is not None and member.status == "creator" else "administrator"
        self.change(chat, user, status, by, anonymous=anonymous, rights=granted)

    def block(self, chat: Chat, *, blocked: bool) -> None:
        """The person of a private chat blocks the bot, or takes it back."""
        bot, user = chat.bot, chat.user
        if chat.kind != PRIVATE or bot is None or user is None or chat.blocked is blocked:
            return
        chat.blocked = blocked
        states: list[Status] = ["member", "kicked"] if blocked else ["kicked", "member"]
        old, new = (self.office.forms.member(Member(bot, status)) for status in states)
        self.office.queues[bot.id].push("my_chat_member", self._changed(chat, user, old, new))

    # ------------------------------------------------------------------------------------------------------------------------ topics

    def add_topic(self, chat: Chat, name: str, by: User | None = None) -> Topic:
        """A thread; its id is that of the message that tells of it."""
        actor = by or next(each.user for each in chat.members.values() if each.status == "creator")
        message = self.office.message(
            chat, actor, service={"forum_topic_created": {"name": name, "icon_color": 7322096}}
        )
        message.thread, message.in_topic = message.id, True
        topic = chat.topics[message.id] = Topic(message.id, name)
        self.office.post(message)
        return topic

    def close_topic(self, place: Place, *, closed: bool = True) -> None:
        """Only who manages topics may write there from now on, or again everybody."""
        if place.topic is None:
            raise ValueError("that is no topic")
        place.topic.closed = closed
        word = "forum_topic_closed" if closed else "forum_topic_reopened"
        actor = next(each.user for each in place.chat.members.values() if each.status == "creator")
        message = self.office.message(place.chat, actor, service={word: {}})
        if place.topic.id != GENERAL:
            message.thread, message.in_topic = place.topic.id, True
        self.office.post(message)

    def delete_topic(self, place: Place) -> None:
        """It is gone with all that stands in it; nobody is told."""
        if place.topic is None:
            raise ValueError("that is no topic")
        place.topic.deleted = True
        for message in self.world.within(place.chat):
            if message.in_topic and message.thread == place.topic.id:
                self.world.drop(message)

    # --------------------------------------------------------------------------------------------------------------------- migration

    def migrate(self, chat: Chat) -> Chat:
        """A group becomes a supergroup: another id, its own message numbers, and a service message on either side."""
        if chat.kind != GROUP:
            raise ValueError("only a group becomes a supergroup")
        creator = next(each.user for each in chat.members.values() if each.status == "creator")
        new = self.world.add_chat(SUPERGROUP, chat.title)
        new.members = {key: replace(each) for key, each in chat.members.items()}
        self.office.announce(chat, creator, migrate_to_chat_id=new.id)
        chat.upgraded = new
        said = {"migrate_from_chat_id": chat.id}
        self.office.post(self.office.message(new, ANONYMOUS, sender_chat=new, service=said))
        return new


def fresh_token(number: int) -> str:
    """What BotFather would hand out."""
    return f"{number}:AA{secrets.token_urlsafe(25)[:33]}"
