"""The page and the server's news: two tabs, a lost connection, a lost answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from playwright.async_api import Request, Route, expect

from tests.journeys.page.visitor import SOON


async def test_two_tabs_stay_in_step(visit: Callable[..., Any]) -> None:
    one = await visit()
    other = await visit(beside=one, clean=False)
    await one.shortest()
    await one.order("Seen by both tabs")
    await expect(other.card("Seen by both")).to_be_visible()
    await one.wait_for("Seen by both", "done")
    await other.wait_for("Seen by both", "done")
    await expect(one.card("Seen by both")).to_have_count(1)
    await one.action("Seen by both", "favourite").click()
    await expect(other.action("Seen by both", "unfavourite")).to_be_visible()
    await other.action("Seen by both", "delete").click()
    await other.card("Seen by both").locator('[data-answer="yes"]').click()
    await expect(one.card("Seen by both")).to_have_count(0)


async def test_after_a_lost_connection_the_page_catches_up(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven += ["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK_CHANGED"]
    other = await visit(clean=False)
    await other.shortest()
    await person.shortest()
    await person.make("Before the gap")
    streams: list[Request] = []
    person.page.on("request", lambda request: streams.append(request) if request.url.endswith("/api/events") else None)
    await person.page.context.set_offline(True)
    await expect(person.page.locator("#connection")).to_contain_text("Offline")
    await other.make("During the gap")
    await person.page.context.set_offline(False)
    await expect(person.card("During the gap")).to_be_visible()
    await expect(person.page.locator("#connection")).to_be_empty()
    await expect(person.card("Before the gap")).to_have_count(1)
    resumed = [await request.header_value("Last-Event-ID") for request in streams]
    assert any(resumed), resumed


async def test_a_lost_answer_gives_the_same_job(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven.append("ERR_FAILED")
    await person.shortest()
    tries: list[str] = []

    async def lose_the_first(route: Route) -> None:
        tries.append(json.loads(route.request.post_data or "{}")["idempotency_key"])
        if len(tries) == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await person.page.route("**/api/video_chat/generate", lose_the_first)
    await person.prompt.fill("Asked for once")
    await person.prompt.press("Enter")
    retry = person.page.locator('.card[data-state="unsent"] [data-verb="retry"]')
    await retry.click()
    await person.wait_for("Asked for once", "done")
    await expect(person.card("Asked for once")).to_have_count(1)
    assert tries == [tries[0]] * 2
    assert len(await person.jobs("Asked for once")) == 1


async def test_a_server_without_history_is_said_and_asked_again(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven.append("503")
    await person.page.route(
        "**/api/video_chat/operations*",
        lambda route: route.fulfill(status=503, json={"error_code": "DISK_FULL", "message": "No."}),
    )
    await person.page.reload()
    again = person.page.locator(".trouble button")
    await expect(again).to_be_visible()
    await person.page.unroute("**/api/video_chat/operations*")
    await again.click()
    await person.ready()
    await expect(person.page.locator("#welcome")).to_be_visible()


async def test_what_happens_before_the_news_arrive_is_not_missed(visit: Callable[..., Any]) -> None:
    """Between the history's answer and the first event a job may end; its card must not run on."""
    person = await visit()
    order = {"prompt": "A brook forever, unheard", "provider": "lab"}
    job = (await person.api("POST", "/api/video_chat/generate", order))["operation_id"]
    opened = asyncio.Event()

    async def hold(route: Route) -> None:
        await opened.wait()
        await route.continue_()

    await person.page.route("**/api/events", hold)
    await person.page.reload()
    await person.ready()
    await expect(person.card("unheard")).to_be_visible()
    other = await visit(beside=person, clean=False)  # whoever listens is told, and so the news are over
    await person.api("POST", "/api/video_chat/cancel", {"operation_id": job})
    await other.wait_for("unheard", "cancelled", within=SOON)
    assert await person.card("unheard").get_attribute("data-state") != "cancelled"
    opened.set()
    await person.wait_for("unheard", "cancelled", within=SOON)


async def test_a_sign_in_link_that_is_used_up_is_called_that(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven.append("401")
    await person.page.goto(f"{person.address}/?signin=reelay_used-up")
    await person.ready()
    assert await person.page.evaluate("location.search") == ""
    await expect(person.page.locator("#gate")).to_be_hidden()  # signed in anyway: no word about it
    answer = {"error": "NotSignedIn", "error_code": "AUTHENTICATION_ERROR", "message": "", "details": ""}
    await person.page.route("**/api/session", lambda route: route.fulfill(status=401, json=answer))
    await person.page.goto(f"{person.address}/?signin=reelay_used-up")
    await expect(person.page.locator("#gate h1")).to_have_text("That link is used up")
    await expect(person.page.locator("#gate")).to_contain_text("reelay admin token web:name --signin")
    await person.page.reload()
    await expect(person.page.locator("#gate h1")).to_have_text("Sign in to make clips")


async def test_without_a_sign_in_the_page_says_where_the_link_is(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven.append("401")
    answer = {"error": "NotSignedIn", "error_code": "NOT_SIGNED_IN", "message": "Sign in first."}
    await person.page.route("**/api/session", lambda route: route.fulfill(status=401, json=answer))
    await person.page.reload()
    gate = person.page.locator("#gate")
    await expect(gate.locator("h1")).to_be_focused()
    await expect(gate).to_contain_text("reelay admin token")


async def test_a_session_that_ends_meanwhile_is_said(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven += ["401", "ERR_INTERNET_DISCONNECTED"]
    await person.page.route(
        "**/api/events", lambda route: route.fulfill(status=401, json={"error_code": "NOT_SIGNED_IN"})
    )
    await person.page.context.set_offline(True)
    await person.page.context.set_offline(False)
    await expect(person.page.locator("#gate h1")).to_be_focused()


async def test_the_end_of_everything_needs_a_typed_word(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.page.route("**/api/forget", lambda route: route.fulfill(json={"erased": {"jobs": 3, "clips": 2}}))
    await person.page.click("#account-toggle")
    await person.page.locator("#account .is-danger-quiet").click()
    erase = person.page.locator('#account form button[type="submit"]')
    await expect(erase).to_be_disabled()
    await person.page.fill("#forget-word", "forge")
    await expect(erase).to_be_disabled()
    await person.page.fill("#forget-word", "forget")
    async with person.page.expect_request("**/api/forget") as asked:
        await erase.click()
    assert (await asked.value).post_data_json == {"confirm": "forget"}
    await expect(person.page.locator("#gate h1")).to_be_visible()
    assert await person.page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('reelay.'))") == []
