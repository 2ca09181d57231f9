// One scene of a film: its words while the storyboard is written, how far its clip is, the clip itself, and what can be done about it.

import { button, el, iconButton, setChildren, setText } from "./dom.js";
import { icon, setIcon } from "./icons.js";
import { pauseOthers } from "./stage.js";
import { store } from "./store.js";
import { number, t } from "./words.js";

const RUNNING = new Set(["preparing", "queued", "submitting", "generating", "storing", "unclear"]);
const LONGEST = 1500;
const HAS_OWN_HEIGHT = CSS.supports("field-sizing", "content");

let lastRow = 0;

export class SceneRow {
  /** `film` carries out what is asked here: see FilmPart. */
  constructor(film, scene) {
    this.film = film;
    this.number = scene.number;
    this.base = scene.description; // what the server had when the person began to write
    this.saving = false;
    this.id = `scene-${(lastRow += 1)}`;
    this.handle = el("button", { type: "button", class: "scene-handle", "aria-describedby": film.hintId, data: { handle: "" } }, icon("grip"), (this.place = el("span", { class: "scene-place" })));
    this.thumb = el("button", { type: "button", class: "scene-thumb", on: { click: () => this.watch() } });
    this.words = el("textarea", { class: "scene-words input", id: this.id, rows: 2, dir: "auto", maxlength: LONGEST, on: { input: () => this.#typed(), blur: () => this.save(), keydown: (event) => this.#key(event) } });
    this.words.value = this.base;
    this.text = el("p", { class: "scene-text", dir: "auto" });
    this.stateText = el("span", { dir: "auto" });
    this.state = el("p", { class: "scene-state" }, this.stateText);
    this.fill = el("span", { class: "bar-fill" });
    this.bar = el("div", { class: "bar scene-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, hidden: true }, this.fill);
    this.clash = el("div", { class: "scene-clash", role: "status", hidden: true });
    this.tools = el("div", { class: "scene-tools" });
    this.choices = el("div", { class: "scene-choices", role: "group", hidden: true });
    this.box = el("div", { class: "scene-watch", hidden: true });
    this.root = el("li", { class: "scene", data: { number: scene.number } },
      this.handle, this.thumb,
      el("div", { class: "scene-body" }, this.words, this.text, this.bar, this.state, this.clash),
      this.tools, this.choices, this.box);
  }

  get dirty() {
    return this.words.value.trim() !== this.base.trim();
  }

  /** Take what the server says of this scene. `phase`: edit (a storyboard), busy, or ended; `place` counts from 1. */
  update(scene, { place, places, phase, canMove }) {
    const was = this.scene;
    this.scene = scene;
    this.phase = phase;
    this.placeNow = place;
    const name = t("page.scene.name", { place });
    this.root.dataset.state = this.#kind();
    this.root.setAttribute("aria-label", name);
    setText(this.place, number(place));
    this.handle.disabled = !canMove;
    this.handle.setAttribute("aria-label", t("page.scene.handle", { place }));
    this.words.setAttribute("aria-label", t("page.scene.words", { place }));
    this.bar.setAttribute("aria-label", name);
    this.#drawWords(scene, was);
    this.#drawThumb(place);
    this.#drawState(was);
    this.#drawTools(place, places, canMove);
  }

  /** Show that it stands at another place while it is being moved. */
  standAt(place) {
    setText(this.place, number(place));
  }

  #kind() {
    const { scene } = this;
    if (scene.rewriting) return "rewriting";
    if (RUNNING.has(scene.state)) return "running";
    if (scene.video_url) return "made";
    if (scene.state === "failed" || scene.state === "cancelled") return "failed";
    return "planned";
  }

  get failed() {
    return this.#kind() === "failed";
  }

  #drawWords(scene, was) {
    const writes = this.phase === "edit" || this.rewording;
    this.words.hidden = !writes;
    this.text.hidden = writes;
    setText(this.text, scene.description);
    this.text.hidden = writes;
    this.words.readOnly = Boolean(scene.rewriting);
    this.root.setAttribute("aria-busy", String(Boolean(scene.rewriting)));
    if (this.saving) return;
    const isNews = was && was.description !== scene.description;
    if (!this.dirty) {
      this.base = scene.description;
      if (this.words.value !== scene.description && !this.#isSpaced(scene.description)) this.words.value = scene.description;
    } else if (isNews && scene.description !== this.words.value.trim()) {
      this.#askWhose(scene);
      return;
    } else if (isNews) this.base = scene.description;
    this.#fit();
  }

  // A space at the end, while somebody writes, is the beginning of the next word.
  #isSpaced(text) {
    return document.activeElement === this.words && this.words.value.trim() === text.trim();
  }

  // What a person has written is never thrown away because somebody, or they themselves in another window, was faster.
  #askWhose(scene) {
    const settle = (mine) => {
      this.base = this.scene.description;
      if (!mine) this.words.value = this.base;
      this.clash.hidden = true;
      this.#fit();
      this.words.focus();
      if (mine) this.save();
    };
    this.clash.replaceChildren(
      el("p", {}, el("strong", { text: t("page.scene.changed") }), " ", el("span", { text: scene.description, dir: "auto" })),
      button(t("page.scene.take_theirs"), { class: "is-small", data: { answer: "theirs" }, on: { click: () => settle(false) } }),
      button(t("page.scene.keep_mine"), { class: "is-small", data: { answer: "mine" }, on: { click: () => settle(true) } }));
    this.clash.hidden = false;
  }

  #drawThumb(place) {
    const { scene, thumb } = this;
    const kind = this.#kind();
    this.thumb.hidden = this.phase === "edit" && kind !== "made";
    const isShown = kind === "made" && Boolean(scene.thumbnail_url);
    const signature = `${kind} ${scene.thumbnail_url ?? ""} ${kind === "running" ? scene.progress : ""}`;
    thumb.disabled = !scene.video_url;
    thumb.setAttribute("aria-label", scene.video_url ? t("page.scene.watch_name", { place }) : t("page.scene.no_clip"));
    thumb.setAttribute("aria-expanded", String(!this.box.hidden));
    if (thumb.dataset.signature === signature) return;
    thumb.dataset.signature = signature;
    const picture = isShown ? el("img", { src: scene.thumbnail_url, alt: "", loading: "lazy", decoding: "async" }) : null;
    const figure = kind === "running" && typeof scene.progress === "number" ? el("span", { class: "scene-figure", text: `${number(scene.progress)} %` }) : null;
    const sign = { made: "play", failed: "alert", running: figure ? null : "clock" }[kind] ?? (kind === "running" ? null : "clip");
    thumb.replaceChildren(...[picture, figure, sign && el("span", { class: "scene-sign", icon: sign })].filter(Boolean));
  }

  #drawState(was) {
    const { scene } = this;
    const kind = this.#kind();
    const isRunning = kind === "running";
    const percent = typeof scene.progress === "number" ? scene.progress : null;
    this.bar.hidden = !isRunning || percent === null;
    if (!this.bar.hidden) {
      this.fill.style.setProperty("--fraction", String(percent / 100));
      this.bar.setAttribute("aria-valuenow", String(percent));
    }
    let words = "";
    if (kind === "rewriting") words = t("page.scene.rewriting");
    else if (isRunning) words = t(`page.state.${scene.state}`);
    else if (kind === "failed") words = scene.error ?? t(`page.state.${scene.state}`);
    else if (kind === "made") words = [scene.seconds && t("page.seconds", { count: Math.round(scene.seconds) }), this.#maker()].filter(Boolean).join(" · ");
    else if (this.phase !== "edit") words = t("page.scene.left_out");
    setText(this.stateText, words);
    this.state.hidden = !words;
    this.state.classList.toggle("is-bad", kind === "failed");
    if (kind === "failed") setIcon(this.state, "alert");
    else this.state.querySelector(".icon")?.remove();
    if (kind !== "failed") delete this.state.dataset.icon;
    if (was && kind === "failed" && (was.state !== scene.state)) this.film.tell(t("page.scene.failed", { place: this.placeNow, text: words }));
  }

  // Named only where it is not the one that the whole film has.
  #maker() {
    const { generator } = this.scene;
    return generator && generator !== this.film.job.applied?.provider ? store.generator(generator)?.title ?? generator : "";
  }

  #drawTools(place, places, canMove) {
    const kind = this.#kind();
    const signature = JSON.stringify([this.phase, kind, place, places, canMove, this.scene.video_url, this.scene.price, this.rewording, this.film.canRetry]);
    if (this.tools.dataset.signature === signature) return;
    this.tools.dataset.signature = signature;
    const focused = this.tools.contains(document.activeElement) ? document.activeElement.dataset.tool : null;
    const tool = (name, sign, run, off = false) => iconButton(t(`page.scene.${name}`, { place }), sign, { class: "is-small", disabled: off, data: { tool: name }, on: { click: run } });
    const found = [];
    if (canMove && places > 1) {
      found.push(tool("up", "up", () => this.film.move(this.number, place - 2), place === 1));
      found.push(tool("down", "down", () => this.film.move(this.number, place), place === places));
    }
    if (this.phase === "edit") {
      found.push(tool("anew", "anew", () => this.film.rewrite(this.number), kind === "rewriting"));
      found.push(tool("remove", "trash", () => this.film.remove(this.number), places < 2));
    } else if (kind !== "running" && (this.film.canRetry || kind === "made")) {
      const more = tool("more", "more", () => this.#toggleChoices());
      more.setAttribute("aria-expanded", String(!this.choices.hidden));
      found.push(more);
    }
    setChildren(this.tools, ...found);
    if (focused) ([...this.tools.children].find((node) => node.dataset.tool === focused && !node.disabled) ?? this.handle).focus({ preventScroll: true });
    if (kind === "failed" && this.phase !== "edit" && this.film.canRetry) this.choices.hidden = false;
    if (this.phase === "edit" || (kind === "running" && !this.rewording)) this.choices.hidden = true;
    this.tools.querySelector('[data-tool="more"]')?.setAttribute("aria-expanded", String(!this.choices.hidden));
    this.#drawChoices();
  }

  #toggleChoices() {
    this.choices.hidden = !this.choices.hidden;
    this.tools.querySelector('[data-tool="more"]')?.setAttribute("aria-expanded", String(!this.choices.hidden));
    if (!this.choices.hidden) this.choices.querySelector("button, a")?.focus();
  }

  #drawChoices() {
    const { scene, film, number: at } = this;
    const own = scene.generator ?? film.job.applied?.provider;
    const priced = (words, price) => (price > 0 ? t("page.scene.priced", { words, price: t("page.price", { count: price }) }) : words);
    const item = (name, words, sign, run) => button(words, { class: "is-small", data: { choice: name }, on: { click: run } }, sign);
    const focused = this.choices.contains(document.activeElement) ? document.activeElement.dataset.choice : null;
    const found = [];
    if (this.rewording) {
      found.push(button(priced(t(scene.operation_id ? "page.scene.again" : "page.scene.make"), this.#price), { class: "is-small is-primary", data: { choice: "send" }, on: { click: () => this.#sendReworded() } }, "again"));
      found.push(item("keep", t("page.scene.keep"), "close", () => this.#reword(false)));
    } else {
      if (scene.video_url) {
        found.push(item("watch", t("page.scene.watch"), "play", () => this.watch()));
        found.push(el("a", { class: "button is-small", href: `${scene.video_url}?download=1`, download: true, data: { choice: "download" }, icon: "download" }, el("span", { text: t("page.verb.download") })));
      }
      if (film.canRetry && !RUNNING.has(scene.state)) {
        const price = this.#price;
        found.push(item("again", priced(t(scene.operation_id ? "page.scene.again" : "page.scene.make"), price), "again", () => film.retry([at], { price })));
        if (scene.operation_id) found.push(item("reword", t("page.scene.reword"), "remix", () => this.#reword(true)));
        for (const other of film.otherGenerators(own)) {
          const cost = film.scenePrice(other.name);
          found.push(item(`on-${other.name}`, priced(t("page.scene.on", { generator: other.title }), cost), "swap", () => film.retry([at], { provider: other.name, price: cost })));
        }
      }
    }
    this.choices.setAttribute("aria-label", t("page.scene.choices", { place: this.placeNow }));
    setChildren(this.choices, ...found);
    if (focused) [...this.choices.children].find((node) => node.dataset.choice === focused)?.focus({ preventScroll: true });
  }

  /** What this scene cost, or would by the list. */
  get #price() {
    return this.scene.price ?? this.film.scenePrice(this.scene.generator ?? this.film.job.applied?.provider);
  }

  #reword(on) {
    this.rewording = on;
    this.words.value = this.scene.description;
    this.base = this.scene.description;
    this.film.redraw();
    if (on) {
      this.#fit();
      this.words.focus();
    } else this.choices.querySelector('[data-choice="reword"]')?.focus();
  }

  #sendReworded() {
    const description = this.words.value.trim();
    if (!description) {
      this.words.focus();
      return;
    }
    this.rewording = false;
    this.base = description;
    this.film.retry([this.number], { description, price: this.#price });
  }

  #typed() {
    this.#fit();
    this.film.typing();
  }

  #fit() {
    if (HAS_OWN_HEIGHT || this.words.hidden) return;
    const { style } = this.words;
    style.setProperty("height", "auto");
    style.setProperty("height", `${this.words.scrollHeight + 2}px`);
  }

  #key(event) {
    if (event.key === "Escape" && (this.dirty || this.rewording)) {
      event.preventDefault();
      event.stopPropagation();
      if (this.rewording) this.#reword(false);
      else {
        this.words.value = this.base;
        this.clash.hidden = true;
      }
      this.#fit();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (this.rewording) this.#sendReworded();
      else this.save();
    }
  }

  /** Send the words if they are others; an empty scene goes back to what it was. `aloud`: say that it worked. */
  async save(aloud = true) {
    if (this.rewording || this.phase !== "edit" || !this.dirty || !this.clash.hidden || this.saving) return;
    const words = this.words.value.trim();
    if (!words) {
      if (!aloud) return; // still at it
      this.words.value = this.base;
      this.#fit();
      return;
    }
    const before = this.base;
    this.saving = true;
    const saved = await this.film.edit(this.number, before, words, aloud);
    this.saving = false;
    if (saved) this.base = words;
    if (saved && this.words.value.trim() === words) {
      this.base = this.scene.description;
      if (!this.#isSpaced(this.base)) this.words.value = this.base;
    } else if (saved) this.save(aloud); // written on meanwhile
    else if (this.scene.description !== before) this.#askWhose(this.scene);
    this.#fit();
  }

  /** A new scene: its words stand there to be replaced. */
  begin() {
    if (this.phase !== "edit") {
      this.rewording = true;
      this.choices.hidden = false;
      this.film.redraw();
    }
    this.#fit();
    this.words.focus();
    this.words.select();
  }

  /** Show or hide the scene's own clip below it. */
  watch() {
    const show = this.box.hidden;
    this.box.hidden = !show;
    this.thumb.setAttribute("aria-expanded", String(show));
    this.box.querySelector("video")?.pause();
    this.box.replaceChildren();
    if (!show) return;
    const video = el("video", { controls: true, playsinline: true, preload: "auto", src: this.scene.video_url, poster: this.scene.thumbnail_url ?? null, "aria-label": t("page.scene.clip", { place: this.placeNow }), on: { play: (event) => pauseOthers(event.target) } });
    this.box.append(video);
    video.play().catch(() => {}); // the click asked for it; a browser that forbids it shows the first frame
  }
}
