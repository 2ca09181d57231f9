"""Webhooks of vendors at the real process: a hundred at once, again, forged, too early and too late."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import aiohttp
import pytest

from tests.lab.api import Api
from tests.lab.billing import PaidVendor, Script, VendorJob
from tests.lab.checker import check
from tests.lab.fal import Fal
from tests.lab.reelay import Reelay
from tests.lab.replicate import ReplicateVendor, signed
from tests.lab.vendors import KINDS, Kind, hurry
from tests.lab.waiting import until

pytestmark = pytest.mark.journey
PUBLIC = "https://films.example.org"
"""Nobody is there: the test delivers what the vendor would."""
TOKEN = "reelay_the_films_of_ann"
HARDLY_EVER = (900.0, 900.0)
"""Seconds between two looks, so that what is seen sooner was seen because a webhook came."""
FORGED = signed(b"{}", "whsec_c29tZWJvZHkgZWxzZQ==")
Message = tuple[str, Mapping[str, str], bytes]


def said(vendor: PaidVendor, job: VendorJob) -> Message:
    """What the vendor says of a job as it stands now: path, headers, body."""
    if isinstance(vendor, ReplicateVendor):
        headers, body = vendor.delivery(job, number=f"msg_{job.id}")
        return f"/hooks/replicate/{job.attempt}", headers, body
    return f"/hooks/fal/{job.attempt}", {}, cast(Fal, vendor).webhook(job)


def forgeries(vendor: PaidVendor, jobs: Sequence[VendorJob]) -> list[Message]:
    """Each of them is to be refused: of nobody's attempt, of another's job, or signed by somebody else."""
    (name,) = {said(vendor, job)[0].split("/")[2] for job in jobs}
    paths = [f"/hooks/{name}/{'0' * 31}", f"/hooks/{name}/x"]
    if isinstance(vendor, ReplicateVendor):
        paths += [f"/hooks/{name}/{'f' * 32}", *(f"/hooks/{name}/{job.attempt}" for job in jobs)]
    return [(path, FORGED, b"{}") for path in paths]


async def deliver(url: str, messages: Sequence[Message]) -> Counter[int]:
    """All at once; how often each status was the answer."""

    async def post(session: aiohttp.ClientSession, message: Message) -> int:
        path, headers, body = message
        async with session.post(url + path, headers=headers, data=body) as answer:
            return answer.status

    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        return Counter(await asyncio.gather(*(post(session, message) for message in messages)))


@pytest.mark.parametrize("kind", [KINDS["replicate"], KINDS["ovi"]], ids=lambda kind: kind.generator)
def test_a_hundred_webhooks_bring_each_clip_once(make: Callable[..., Reelay], kind: Kind) -> None:
    dice = random.Random(20261122)
    with kind.simulator(Script(seconds=None)) as vendor:
        reelay = make(
            environ={**kind.settings(vendor), "REELAY_PUBLIC_URL": PUBLIC, "LAB_TOKENS": json.dumps({"ann": TOKEN})}
        )
        hurry(reelay.data, kind.generator, HARDLY_EVER)
        reelay.start()
        api = Api(reelay.url, token=TOKEN)
        prompts = [f"wave {number}" for number in range(5)]
        jobs = [api.ordered(prompt) for prompt in prompts]
        until(lambda: all(vendor.of(prompt) for prompt in prompts), what="the submits")
        billed = [vendor.of(prompt)[0] for prompt in prompts]
        for job in jobs:
            reelay.wait_state(job, "generating")
        early = [said(vendor, job) for job in billed]
        assert asyncio.run(deliver(reelay.url, early)) == {204: 5}, "that it has begun is no news"
        assert {reelay.job(job)["state"] for job in jobs} == {"generating"}

        for prompt in prompts:
            vendor.finish(prompt)
        forged = forgeries(vendor, billed)
        genuine = [said(vendor, job) for job in billed] * 18 + early
        mixed = [*genuine, *forged]
        dice.shuffle(mixed)
        assert len(mixed) >= 97
        assert asyncio.run(deliver(reelay.url, mixed)) == {204: len(genuine), 401: len(forged)}
        for job in jobs:
            assert reelay.wait_state(job) == "done"
        reelay.kill()
        reelay.restart()
        late = [said(vendor, job) for job in billed] * 20
        assert asyncio.run(deliver(reelay.url, late)) == {204: len(late)}
        reelay.wait_quiet()
        assert set(vendor.paid.values()) == {1}
        assert len(vendor.paid) == 5
        assert reelay.value("SELECT count(*) FROM jobs WHERE state = 'done'") == 5
        assert reelay.value("SELECT count(*) FROM attempts") == 5
        assert reelay.stop() == 0
        assert "Traceback" not in reelay.text
        assert check(reelay.data, None, reelay.text) == []
