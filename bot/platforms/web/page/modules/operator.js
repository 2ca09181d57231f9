// What an operator may do about somebody's clip. Whether they may is asked of the server again at every call.

import { ApiError, api } from "./api.js";
import { button, el, setText } from "./dom.js";
import { t } from "./words.js";

const LINK = /\/(?:get_video|clip)\/([0-9a-f]{32})(?:[/?#]|$)/;
const NUMBER = /^[0-9A-Za-z_-]{1,64}$/;

/**
 * The buttons, their question and what came of it. `wanted()` gives the clip or job; `removed()` is called when it is gone.
 * `gone`: it is already, so nothing but its maker is left to act on.
 */
export function operatorVerbs({ wanted, removed = () => {}, gone = false }) {
  const note = el("p", { class: "field-note", role: "status", hidden: true });
  const question = el("div", { class: "button-row", role: "group", hidden: true });
  const verbs = el("div", { class: "button-row" });
  const say = (text, bad = false) => {
    note.classList.toggle("is-bad", bad);
    setText(note, text);
  };
  const close = (focused) => {
    question.hidden = true;
    verbs.hidden = false;
    focused.focus();
  };
  const ask = (opener, text, yes, act) => {
    const id = wanted();
    if (!id) return;
    say("");
    const name = el("p", { text, id: "operator-question" });
    const no = button(t("page.no"), { data: { answer: "no" }, on: { click: () => close(opener) } });
    question.replaceChildren(name, button(yes, { class: "is-danger", data: { answer: "yes" }, on: { click: () => carryOut(id, act, opener) } }), no);
    question.setAttribute("aria-labelledby", name.id);
    question.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close(opener);
    };
    question.hidden = false;
    verbs.hidden = true;
    no.focus();
  };
  const carryOut = async (id, act, opener) => {
    close(opener);
    try {
      const { message } = await act(id);
      say(message);
    } catch (problem) {
      say(problem instanceof ApiError && problem.message ? problem.message : t("page.unreachable"), true);
    }
  };
  const takedown = button(t("page.operator.takedown"), { class: "is-danger-quiet", data: { verb: "takedown" }, on: { click: () => ask(takedown, t("page.operator.takedown_question"), t("page.operator.takedown"), async (id) => {
    const done = await api.takedown(id);
    removed(done);
    return done;
  }) } }, "trash");
  const block = button(t("page.operator.block"), { class: "is-danger-quiet", data: { verb: "block" }, on: { click: () => ask(block, t("page.operator.block_question"), t("page.operator.block"), api.block) } }, "stop");
  verbs.append(...(gone ? [block] : [takedown, block]));
  return el("div", { class: "operator" }, verbs, question, note);
}

/** The operator's part of the account panel: the same verbs for any clip, by its link or the number that a report names. */
export function operatorSection() {
  const input = el("input", { class: "input", id: "operator-clip", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const wanted = () => {
    const text = input.value.trim();
    const id = LINK.exec(text)?.[1] ?? (NUMBER.test(text) ? text : null);
    if (!id) input.focus();
    return id;
  };
  // A clip that is gone has no link any more, but its job still has a maker.
  const removed = (done) => {
    input.value = done.operation_id;
  };
  return el("section", { class: "account-section" }, el("h3", { text: t("page.operator.title") }),
    el("label", { class: "field-name", for: input.id, text: t("page.operator.field") }), input, operatorVerbs({ wanted, removed }));
}
