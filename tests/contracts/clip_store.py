"""What every clip store promises (``core.ports.ClipStore``)."""

from __future__ import annotations

import hashlib

import pytest

from core.errors import NotFound, OversizedMedia
from core.ports import ClipStore


class ClipStoreContract:
    """Inherit, and give a fixture ``clips``."""

    async def kept(self, clips: ClipStore, data: bytes) -> str:
        async with clips.incoming(suffix=".mp4", max_bytes=1 << 20) as incoming:
            await incoming.write(data)
            stored = await incoming.keep()
        assert (stored.bytes, stored.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        return stored.key

    async def test_what_was_kept_comes_back(self, clips: ClipStore) -> None:
        data = bytes(range(256)) * 100
        key = await self.kept(clips, data)
        assert await clips.size(key) == len(data)
        for start, length in ((0, len(data)), (5, 10), (len(data) - 1, 1), (0, 0), (10, len(data))):
            got = b"".join([piece async for piece in clips.open_range(key, start, length)])
            assert got == data[start : start + length]
        async with clips.checkout(key) as path:
            assert path.stat().st_size == len(data)

    async def test_what_was_not_kept_is_gone(self, clips: ClipStore) -> None:
        before = await clips.usage()
        async with clips.incoming(suffix=".mp4", max_bytes=100) as incoming:
            await incoming.write(b"x")
            path = incoming.path
        assert not path.exists()
        with pytest.raises(OversizedMedia):
            async with clips.incoming(suffix=".mp4", max_bytes=100) as incoming:
                await incoming.write(bytes(101))
        assert await clips.usage() == before

    async def test_keys_are_names_of_nothing_else(self, clips: ClipStore) -> None:
        one, two = await self.kept(clips, b"a"), await self.kept(clips, b"a")
        assert one != two
        for key in ("", "../x", "0" * 32 + ".mp4", one + "x", one.upper()):
            assert await clips.size(key) is None
            with pytest.raises(NotFound):
                _ = [piece async for piece in clips.open_range(key, 0, 1)]
            with pytest.raises(NotFound):
                async with clips.checkout(key):
                    pass

    async def test_delete_is_final_and_twice_is_fine(self, clips: ClipStore) -> None:
        key = await self.kept(clips, b"abc")
        held = await clips.usage()
        await clips.delete(key)
        await clips.delete(key)
        assert await clips.size(key) is None
        after = await clips.usage()
        assert (held.files - after.files, held.bytes - after.bytes) == (1, 3)
        assert await clips.free_bytes() > 0
