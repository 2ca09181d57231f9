"""The methods about chats and who is in them."""

from __future__ import annotations

from typing import Any

from tests.lab.telegram.door import Call, Work
from tests.lab.telegram.founding import Founding
from tests.lab.telegram.office import Office
from tests.lab.telegram.refusal import Refusal, bad
from tests.lab.telegram.world import PRIVATE, SUPERGROUP, Bot, Chat, Member, User

Json = dict[str, Any]


class Rooms:
    """See above."""

    def __init__(self, office: Office, founding: Founding) -> None:
        self.office, self.world, self.founding = office, office.world, founding

    def methods(self) -> dict[str, Work]:
        """By name."""
        return {
            "getChat": lambda call: self.office.forms.chat_full(self._chat(call)),
            "getChatMember": self.get_member,
            "getChatAdministrators": self.get_administrators,
            "getChatMemberCount": lambda call: sum(each.here for each in list(self._group(call).members.values())),
            "leaveChat": self.leave,
            "getUserProfilePhotos": self.get_photos,
            "createForumTopic": self.create_topic,
        }

    def _chat(self, call: Call) -> Chat:
        chat = self.world.chat(call.bot, call.get("chat_id"))
        self.office.inside(call.bot, chat)
        return chat

    def _group(self, call: Call) -> Chat:
        chat = self._chat(call)
        if chat.kind == PRIVATE:
            raise bad("there are no administrators in the private chat")
        return chat

    def _user(self, user_id: int) -> User:
        if user_id not in self.world.users:
            raise bad("user not found")
        return self.world.users[user_id]

    def get_member(self, call: Call) -> Json:
        """getChatMember. Of others a bot is told for certain only where it is an administrator; here it always is."""
        chat, user = self._chat(call), self._user(call.get("user_id"))
        if chat.kind == PRIVATE:
            if user not in {chat.user, chat.bot}:
                raise bad("user not found")
            return self.office.forms.member(Member(user))
        return self.office.forms.member(chat.member(user) or Member(user, "left"))

    def get_administrators(self, call: Call) -> list[Json]:
        """getChatAdministrators: no other bots, unless asked for."""
        members = [each for each in list(self._group(call).members.values()) if each.boss]
        members = [
            each
            for each in members
            if not isinstance(each.user, Bot) or each.user is call.bot or call.get("return_bots")
        ]
        return [self.office.forms.member(each) for each in members]

    def leave(self, call: Call) -> bool:
        """leaveChat."""
        self.founding.part(self._group(call), call.bot, call.bot)
        return True

    def get_photos(self, call: Call) -> Json:
        """getUserProfilePhotos."""
        user = self._user(call.get("user_id"))
        begin, most = call.get("offset", 0), call.get("limit", 100)
        wanted = user.photos[begin : begin + most]
        return {
            "total_count": len(user.photos),
            "photos": [self.office.forms.sizes(call.bot, each) for each in wanted],
        }

    def create_topic(self, call: Call) -> Json:
        """createForumTopic."""
        chat = self._chat(call)
        if chat.kind != SUPERGROUP or not chat.forum:
            raise bad("the chat is not a forum")
        if not self.office.may(call.bot, chat, "can_manage_topics"):
            raise Refusal(400, "Bad Request: not enough rights to create a topic")
        topic = self.founding.add_topic(chat, call.get("name"), by=call.bot)
        return {"message_thread_id": topic.id, "name": topic.name, "icon_color": 7322096}
