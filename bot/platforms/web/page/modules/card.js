// One card: the anatomy of every job on this page. Built once, then only what differs is written, so that a playing
// clip, a text selection and the keyboard focus survive every update.

import { drawActions } from "./actions.js";
import { drawDetails } from "./details.js";
import { button, el, setText } from "./dom.js";
import { FilmPart } from "./film_part.js";
import { setIcon } from "./icons.js";
import { Stage } from "./stage.js";
import { isLive } from "./store.js";
import { t } from "./words.js";

const SIGNS = { done: "check", awaiting: "film", failed: "alert", cancelled: "stop", unclear: "alert", unsent: "cloud" };

let lastCard = 0;

export class CardView {
  /** `run(verb, view)` carries out an action of the card. */
  constructor(job, run) {
    this.run = run;
    const name = `card-${(lastCard += 1)}`;
    this.day = el("h2", { class: "day", hidden: true });
    this.headline = el("h3", { class: "card-headline", id: name, dir: "auto" });
    this.thumb = el("img", { class: "card-thumb", alt: "", hidden: true, loading: "lazy", decoding: "async" });
    this.stateText = el("span");
    this.state = el("p", { class: "card-state", dir: "auto" }, this.stateText);
    this.fill = el("span", { class: "bar-fill" });
    this.bar = el("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-labelledby": name, hidden: true }, this.fill);
    this.facts = el("p", { class: "card-facts", dir: "auto" });
    this.money = el("p", { class: "card-money", dir: "auto" });
    this.changed = el("p", { class: "card-changed", dir: "auto" });
    this.told = el("p", { class: "card-changed card-told", dir: "auto" });
    this.error = el("p", { class: "card-error", dir: "auto" });
    this.stage = new Stage();
    this.actions = el("div", { class: "card-actions", role: "group", "aria-label": t("page.card.actions") });
    this.question = el("div", { class: "card-question", role: "group", hidden: true });
    this.note = el("p", { class: "card-note", role: "status" });
    this.details = el("div", { class: "card-details", hidden: true });
    this.card = el("article", { class: "card", "aria-labelledby": name, tabindex: -1 },
      el("div", { class: "card-lines" },
        el("div", { class: "card-head" }, el("div", { class: "card-title" }, this.headline, this.state), this.thumb),
        this.bar,
        el("div", { class: "card-meta" }, this.facts, this.money),
        this.changed, this.told, this.error),
      this.stage.root,
      el("div", { class: "card-end" }, this.actions, this.question, this.note, this.details));
    this.root = el("li", { class: "item" }, this.day, this.card);
    this.film = null; // storyboard, scenes and timeline, as soon as the job turns out to be a film
    this.update(job);
  }

  update(job) {
    this.job = job;
    const lines = job.card ?? {};
    const { card } = this;
    this.root.dataset.id = job.operation_id;
    card.dataset.state = job.state;
    const [width, height] = shape(job);
    const isFilm = job.kind === "film";
    card.dataset.kind = job.kind ?? "clip";
    card.dataset.shape = width < height && !isFilm ? "tall" : "wide"; // a storyboard needs the whole width
    setText(this.headline, lines.headline || job.prompt);
    setText(this.stateText, lines.state_line);
    this.state.hidden = !lines.state_line;
    setIcon(this.state, SIGNS[job.state] ?? "live");
    setText(this.facts, lines.facts_line);
    setText(this.money, lines.money_line && lines.error_line?.includes(lines.money_line) ? "" : lines.money_line); // said once is enough
    setText(this.changed, lines.changed_line);
    setText(this.told, lines.note_line);
    setText(this.error, lines.error_line);
    if (lines.changed_line) setIcon(this.changed, "info");
    if (lines.note_line) setIcon(this.told, "info");
    if (lines.error_line) setIcon(this.error, "alert");
    this.#drawBar(lines, job);
    this.#drawThumb(job);
    this.stage.update(job, width, height);
    if (isFilm && !this.film) {
      this.film = new FilmPart(this);
      this.stage.root.after(this.film.root);
    }
    this.film?.update(job);
    drawActions(this.actions, job, (verb) => this.run(verb, this), card);
    if (!isLive(job) && this.questionVerb === "cancel") this.answer?.(false);
    if (!this.details.hidden) drawDetails(this.details, job, (verb, value) => this.run(verb, this, value));
  }

  #drawBar(lines, job) {
    const known = typeof lines.bar === "number" && isLive(job);
    this.bar.hidden = !known;
    if (!known) return;
    const percent = Math.floor(Math.min(1, Math.max(0, lines.bar)) * 100 + 1e-6);
    this.bar.classList.toggle("is-estimate", Boolean(lines.bar_is_estimate));
    this.fill.style.setProperty("--fraction", String(percent / 100));
    this.bar.setAttribute("aria-valuenow", String(percent));
    this.bar.setAttribute("aria-valuetext", lines.state_line || `${percent} %`);
  }

  #drawThumb(job) {
    const source = job.source_url;
    this.thumb.hidden = !source;
    if (source && this.thumb.getAttribute("src") !== source) {
      this.thumb.src = source;
      this.thumb.alt = t("page.card.source");
    }
  }

  /** Name the day above this card, or nothing. */
  setDay(text) {
    setText(this.day, text);
  }

  /** Show or hide the details; answers whether they are open now. */
  toggleDetails() {
    this.details.hidden = !this.details.hidden;
    if (!this.details.hidden) drawDetails(this.details, this.job, (verb, value) => this.run(verb, this, value));
    this.actions.querySelector('[data-verb="details"]')?.setAttribute("aria-expanded", String(!this.details.hidden));
    return !this.details.hidden;
  }

  /** Say something that belongs to this card; "bad" for a failure. It stays until the next one. */
  say(text, tone = "") {
    this.note.dataset.tone = tone;
    setText(this.note, text);
  }

  /** Ask in place of the actions; true when the person agrees. Escape and the second button mean no. */
  ask(verb, question, yes, { danger = false, no: refusal = t("page.no") } = {}) {
    this.answer?.(false);
    const opener = document.activeElement;
    return new Promise((resolve) => {
      const settle = (agreed) => {
        if (this.answer !== settle) return;
        this.answer = null;
        this.questionVerb = null;
        this.question.hidden = true;
        this.actions.hidden = false;
        if (this.question.contains(document.activeElement)) (!agreed && opener?.isConnected ? opener : this.card).focus();
        this.question.replaceChildren();
        resolve(agreed);
      };
      this.answer = settle;
      this.questionVerb = verb;
      const no = button(refusal, { data: { answer: "no" }, on: { click: () => settle(false) } });
      const agree = button(yes, { class: danger ? "is-danger" : "is-primary", data: { answer: "yes" }, on: { click: () => settle(true) } });
      this.question.replaceChildren(el("p", { text: question, id: `${this.headline.id}-question` }), agree, no);
      this.question.setAttribute("aria-labelledby", `${this.headline.id}-question`);
      this.question.onkeydown = (event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        settle(false);
      };
      this.question.hidden = false;
      this.actions.hidden = true;
      no.focus();
    });
  }

  /** Bring attention here: focus, and a short outline. */
  point() {
    this.card.focus({ preventScroll: true });
    this.card.classList.add("is-pointed");
    setTimeout(() => this.card.classList.remove("is-pointed"), 1600);
  }

  dispose() {
    this.answer?.(false);
    this.film?.dispose();
    this.stage.dispose();
    this.root.remove();
  }
}

/** [width, height] of the clip that this job makes, from what was applied, else wanted. */
export function shape(job) {
  const text = job.applied?.aspect_ratio || job.wanted?.aspect_ratio || "16:9";
  const [width, height] = text.split(":").map(Number);
  return width > 0 && height > 0 ? [width, height] : [16, 9];
}
