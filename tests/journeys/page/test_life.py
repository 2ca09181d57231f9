"""A clip's life on the page: asked for, watched, played, kept over a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from tests.journeys.page.visitor import MADE
from tests.lab.waiting import until_async

PLAY = """
async (video) => {
  video.muted = true;
  await video.play();
  await new Promise((done, fail) => {
    const stop = setTimeout(() => fail(new Error("the clip did not move")), 15000);
    video.addEventListener("timeupdate", () => { if (video.currentTime > 0.3) { clearTimeout(stop); done(); } });
  });
  video.pause();
  return [video.videoWidth, video.videoHeight, video.currentTime];
}
"""


async def idle(person: Any) -> bool:
    """Whether nothing of theirs is under way. (Chromium is asked each time: a wait for an async function in the page does not wait.)"""
    me = await person.api("GET", "/api/me")
    return bool(me["running"] + me["waiting"] == 0)


async def test_a_prompt_becomes_a_clip_that_plays(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    estimate = await person.api("POST", "/api/video_chat/estimate", {"duration": 4, "resolution": "720p"})
    await expect(person.page.locator("#price")).to_have_text(f"{estimate['price']} credits")
    card = await person.order("A paper boat goes slowly over a quiet sea")
    await expect(person.prompt).to_have_value("")
    await expect(card.locator('[data-verb="cancel"]')).to_be_visible()
    await person.wait_for("A paper boat", "done")
    await expect(card.locator(".card-state")).to_contain_text("AI-generated")
    await expect(card.locator(".bar")).to_be_hidden()
    video = card.locator("video")
    await expect(video).to_have_attribute("preload", "metadata")
    assert await video.evaluate(
        "video => video.controls && video.playsInline && !video.autoplay && Boolean(video.poster)"
    )
    width, height, at = await video.evaluate(PLAY)
    assert width * 9 == height * 16
    assert at > 0.3


async def test_the_card_tells_every_step_and_announces_states_not_percents(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    await person.page.evaluate(
        """() => {
             window.told = [];
             window.drawn = new Set();
             const region = document.querySelector("#announcer");
             const hear = () => region.textContent && window.told.push(region.textContent);
             new MutationObserver(hear).observe(region, {childList: true, characterData: true, subtree: true});
             const note = () => document.querySelectorAll(".card").forEach((card) => window.drawn.add(card.dataset.state));
             new MutationObserver(note).observe(document.querySelector("#thread"), {attributes: true, childList: true, subtree: true});
           }"""
    )
    await person.make("Snow falls slowly on a village")
    drawn = set(await person.page.evaluate("[...window.drawn]"))
    assert {"sending", "done"} <= drawn
    assert drawn & {"preparing", "queued", "submitting", "generating"}
    told = await person.page.evaluate("window.told")
    assert any("Snow falls slowly" in line for line in told)
    assert len(told) <= 8, told


async def test_a_reload_keeps_the_conversation_in_its_order(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    await person.make("First: hills at dawn")
    await person.make("Second: a harbour at dusk")
    await person.page.reload()
    await person.ready()
    headlines = person.page.locator(".card-headline")
    await expect(headlines).to_have_text(["First: hills at dawn", "Second: a harbour at dusk"])
    await expect(person.page.locator("#welcome")).to_be_hidden()
    at_end = "() => { const box = document.querySelector('#scroller'); return box.scrollHeight - box.scrollTop - box.clientHeight < 80; }"
    await until_async(lambda: person.page.evaluate(at_end), what="the end of the conversation in sight")


async def test_an_example_runs_at_a_click(visit: Callable[..., Any]) -> None:
    person = await visit()
    example = person.page.locator('[data-example="1"]')
    prompt = await example.locator(".example-prompt").inner_text()
    await expect(example.locator("img")).to_be_visible()
    assert await example.locator("img").evaluate("image => image.complete && image.naturalWidth > 0")
    await example.click()
    await expect(person.card(prompt)).to_be_visible()
    await expect(person.page.locator("#welcome")).to_be_hidden()
    await person.wait_for(prompt, "done", within=MADE)


async def test_an_old_clip_is_found_in_the_sidebar_and_its_page_is_loaded(visit: Callable[..., Any]) -> None:
    person = await visit()
    for number in range(24):
        await person.api("POST", "/api/video_chat/generate", {"prompt": f"Clip number {number}", "provider": "instant"})
        if number % 12 == 11:  # no more may wait in line at once than the account's cap
            await until_async(lambda: idle(person), seconds=MADE / 1000, what="twelve clips")
    await person.page.reload()
    await person.ready()
    first = person.page.locator(".card-headline", has_text="Clip number 0")
    await expect(first).to_have_count(0)
    await person.page.click("#tab-history")
    await person.page.locator("#sidebar-list .sidebar-item", has_text="Clip number 0").click()
    await expect(person.card("Clip number 0")).to_be_focused()
    await expect(first).to_be_in_viewport()
    headlines = await person.page.locator(".card-headline").all_text_contents()
    assert sorted(headlines) == sorted(f"Clip number {number}" for number in range(24))


async def test_the_first_use_says_once_who_gets_the_prompt(visit: Callable[..., Any]) -> None:
    person = await visit()
    told = (await person.api("GET", "/api/privacy"))["first_use"]
    await expect(person.page.locator("#first-use")).to_contain_text(told)
    await person.shortest()
    await person.order("Clouds over a field")
    await expect(person.page.locator("#first-use")).to_be_hidden()
    await person.page.reload()
    await person.ready()
    await expect(person.page.locator("#first-use")).to_be_hidden()


async def test_settings_are_sent_remembered_and_reset(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    await person.page.locator('input[name="aspect_ratio"][value="9:16"] + label').click()
    await person.page.fill("#option-seed", "7")
    await person.page.fill("#option-negative", "people")
    await person.make("A tall waterfall")
    [job] = await person.jobs("A tall waterfall")
    assert job["wanted"]["aspect_ratio"] == "9:16"
    assert job["wanted"]["seed"] == 7
    assert job["negative_prompt"] == "people"
    await expect(person.card("A tall waterfall")).to_have_attribute("data-shape", "tall")
    await person.page.reload()
    await person.ready()
    await expect(person.page.locator('input[name="aspect_ratio"][value="9:16"]')).to_be_checked()
    await person.page.click("#options-reset")
    await expect(person.page.locator('input[name="aspect_ratio"][value="16:9"]')).to_be_checked()
