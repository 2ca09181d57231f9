// What stands in front of the page when it cannot be used: no sign-in, everything erased, no server at the first start.

import { byId, button, el } from "./dom.js";
import { icon } from "./icons.js";

/** Show one message instead of the page. `action` = {label, run} is optional. */
export function showGate({ sign, title, paragraphs, action = null }) {
  const gate = byId("gate");
  const heading = el("h1", { text: title, tabindex: -1 });
  gate.replaceChildren(el("div", { class: "gate-box" }, el("span", { class: "gate-sign" }, icon(sign)), heading,
    ...paragraphs.map((text) => (text instanceof Node ? text : el("p", { text }))),
    action ? button(action.label, { class: "is-primary", on: { click: action.run } }) : ""));
  gate.hidden = false;
  byId("app").inert = true;
  document.body.dataset.phase = "gate";
  heading.focus();
}

/** Back to the page. */
export function hideGate() {
  byId("gate").hidden = true;
  byId("gate").replaceChildren();
  byId("app").inert = false;
}

/** Without a catalogue there are no words: the mark, a sign, and a picture of trying again. */
export function showSpeechless(retry) {
  const gate = byId("gate");
  gate.replaceChildren(el("div", { class: "gate-box" }, el("span", { class: "gate-sign" }, icon("cloud")), el("h1", { text: "Reelay" }),
    el("button", { class: "icon-button is-framed", type: "button", "aria-label": "Reelay ↻", icon: "again", on: { click: retry } })));
  gate.hidden = false;
  document.body.dataset.phase = "gate";
}
