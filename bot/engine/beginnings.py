"""What of somebody's own earlier clips a new one begins with: the same pictures once more, or a clip that is to go on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.engine.parts import Parts
from core.attachments import Attachment
from core.capabilities import Applied, Capabilities
from core.errors import BadOption, NotFound
from core.jobs import AssetKind
from core.requests import parse_label


@dataclass(frozen=True, slots=True)
class Beginning:
    """``like``: what was applied to the clip whose pictures are used again, or which goes on."""

    like: Applied | None = None
    clip: str | None = None
    """Key of the clip that is to go on."""
    origin_id: str | None = None
    """Its job."""

    @property
    def pictures(self) -> int:
        """How many pictures it brings, apart from the one with which the clip ends. The last one of a clip is one."""
        if self.clip is not None:
            return 1
        return 0 if self.like is None else len(self.like.pictures) - int(self.ends_with_picture)

    @property
    def ends_with_picture(self) -> bool:
        """Whether one of them is where the clip ends."""
        return self.clip is None and self.like is not None and self.like.last_picture is not None

    def goes_on_natively(self, can: Capabilities) -> bool:
        """Whether this generator made the clip and goes on from the clip itself."""
        return self.clip is not None and can.extend and self.like is not None and self.like.provider == can.name

    def fields(self, fields: Mapping[str, Any], there: Collection[str]) -> tuple[dict[str, Any], frozenset[str]]:
        """The order's fields, and which of them the person did not say: a clip that goes on looks like the one before, and comes from
        the same generator while that is among those that are ``there``.
        """
        if self.clip is None or self.like is None:
            return dict(fields), frozenset()
        said = {name: value for name, value in fields.items() if value not in (None, "")}
        same = {"aspect_ratio": self.like.aspect_ratio, "resolution": self.like.resolution}
        unsaid = frozenset(same) - set(said)
        maker = {"provider": self.like.provider} if self.like.provider in there else {}
        return {**maker, **same, **said}, unsaid

    def applied(self, applied: Applied, can: Capabilities) -> Applied:
        """``applied`` with what it begins with, as far as that is kept already."""
        if self.goes_on_natively(can):
            return replace(applied, extends=self.clip)
        if self.clip is not None or self.like is None:
            return applied
        keys = self.like.pictures
        last = keys[-1:] if self.ends_with_picture else ()
        first = keys[: len(keys) - len(last)]
        return applied.with_pictures((*first[: can.pictures_used(len(first))], *last), ends_with_last=bool(last))

    def attachment(self, can: Capabilities) -> Attachment | None:
        """The picture that has still to be taken from the clip which goes on."""
        if self.clip is None or self.goes_on_natively(can):
            return None
        return Attachment("last frame", "image/png", frame_of=self.clip)


class Beginnings:
    """Finds what an order names of earlier clips. Raises NotFound for what is gone or somebody else's, BadOption for both at once."""

    def __init__(self, parts: Parts) -> None:
        """Reads jobs and clips."""
        self._parts = parts

    async def find(self, fields: Mapping[str, Any], account_id: str | None, *, attached: bool) -> Beginning:
        """What ``extend_of`` (a clip) or ``reuse_image_of`` (a job) names; ``attached``: the order brings pictures of its own."""
        extended = parse_label(fields.get("extend_of"), "extend_of")
        reused = parse_label(fields.get("reuse_image_of"), "reuse_image_of")
        if extended is not None:
            if attached or reused is not None:
                raise BadOption("extend_of", "a clip with a picture", "given without a picture")
            return await self._clip(extended, account_id)
        if reused is not None and not attached:
            return await self._again(reused, account_id)
        return Beginning()

    async def _again(self, job_id: str, account_id: str | None) -> Beginning:
        """For Again and Remix: the same pictures, or the same clip to go on from."""
        if account_id is None:
            raise NotFound("no such job", message_id="error.picture_gone")
        like = (await self._parts.store.view(job_id, account_id)).job.applied
        keys = like.pictures if like.extends is None else (like.extends,)
        if not keys or None in [await self._parts.clips.size(key) for key in keys]:
            gone = "error.picture_gone" if like.extends is None else "error.clip_gone"
            raise NotFound("what it began with is gone", message_id=gone)
        return Beginning(like, like.extends)

    async def _clip(self, clip_id: str, account_id: str | None) -> Beginning:
        """The own clip that is to go on."""
        gone = NotFound("no such clip", message_id="error.clip_gone")
        if account_id is None:
            raise gone
        clip = await self._parts.store.clip(clip_id)
        if clip.account_id != account_id or clip.kind is not AssetKind.CLIP or clip.job_id is None:
            raise gone
        row = await self._parts.store.view(clip.job_id, account_id)
        if row.clip is None:
            raise gone
        return Beginning(row.job.applied, row.clip.key, row.job.id)
