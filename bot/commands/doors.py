"""Who may use Reelay in a chat: the operator's list, the chats' own rules, and who counts as an operator."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from core.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Doors:
    """``allowed``: everybody, the operator's admins only, or these subjects (``discord:guild:1``, ``discord:user:2`` …)."""

    allowed: Literal["open", "admins"] | Collection[str]
    admins: Collection[str]
    """Such as ``discord:2``."""

    def is_admin(self, platform: str, user_id: str) -> bool:
        """Whether this person is one of the operators."""
        return f"{platform}:{user_id}" in self.admins

    def check(self, platform: str, user_id: str, subjects: Collection[str]) -> None:
        """Raise NotAllowed unless one of ``subjects`` (the person, the chat, the guild) may use it; an operator always may."""
        if not self.lets_in(platform, user_id, subjects):
            raise NotAllowed("not on the operator's list", message_id="error.not_invited")

    def lets_in(self, platform: str, user_id: str, subjects: Collection[str]) -> bool:
        """Whether one of ``subjects`` may use it."""
        if self.allowed == "open" or self.is_admin(platform, user_id):
            return True
        return self.allowed != "admins" and bool(set(subjects) & set(self.allowed))
