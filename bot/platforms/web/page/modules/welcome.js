// The empty page: four prompts as stills; a click runs one.

import { byId, el } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

const EXAMPLES = [1, 2, 3, 4];

/** A function that shows or hides the welcome; `run(prompt)` orders the example that was clicked. */
export function makeWelcome(run) {
  const box = byId("welcome");
  let drawn = false;
  return function show(visible) {
    if (visible && !drawn) {
      drawn = true;
      box.replaceChildren(
        el("h2", { text: t("page.welcome.title") }),
        el("p", { class: "quiet", text: t("page.welcome.text") }),
        el("ul", { class: "examples", role: "list" }, ...EXAMPLES.map((at) => example(at, run))));
    }
    box.hidden = !visible;
    document.body.dataset.empty = String(visible);
  };
}

function example(at, run) {
  const prompt = t(`page.example.${at}`);
  const still = el("img", { src: `/page/examples/${at}.jpg`, alt: "", width: 640, height: 360, decoding: "async" });
  still.addEventListener("error", () => still.remove());
  return el("li", {}, el("button", { type: "button", class: "example", data: { example: at }, on: { click: () => run(prompt) } },
    el("span", { class: "example-still" }, still, el("span", { class: "example-play" }, icon("send"))),
    el("span", { class: "example-prompt", text: prompt, dir: "auto" })));
}
