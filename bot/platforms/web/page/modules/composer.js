// The composer: prompt, pictures, what it will cost, and the button.

import { ApiError, api } from "./api.js";
import { byId, debounce, el, iconButton, memory, setText } from "./dom.js";
import { FilmForm } from "./film_form.js";
import { icon } from "./icons.js";
import { send } from "./orders.js";
import { Pictures } from "./picture.js";
import { store } from "./store.js";
import { TemplateForm } from "./template_form.js";
import { shorten, t } from "./words.js";

export class Composer {
  constructor(options) {
    this.options = options;
    this.form = byId("composer");
    this.prompt = byId("prompt");
    this.price = byId("price");
    this.button = byId("send");
    this.origin = null; // {kind, job} of Remix and Extend
    this.film = new FilmForm({ changed: () => this.#changed(), complain: (text) => this.complain(text) });
    this.templates = new TemplateForm({ changed: () => this.#changed(), prompt: () => this.prompt.value.trim() });
    Object.assign(this.options, { film: this.film, templates: this.templates });
    this.picture = new Pictures({ changed: () => this.#changed(), complain: (text) => this.complain(text), room: () => (this.isFilm ? { most: 1, ends: () => false, title: "" } : roomOf(options.generator)), named: () => (this.isFilm ? t("page.character.picture") : "") });
    this.estimateSoon = debounce(250, () => this.#estimate());
    this.keepSoon = debounce(300, () => memory.write("draft", this.prompt.value || null));
    this.#listen();
    this.prompt.value = memory.read("draft", "");
    store.on("generators", () => this.#changed());
    store.on("me", () => {
      this.templates.meet();
      this.#showPrice();
    });
    this.setMode(memory.read("mode") === "film" ? "film" : "clip");
    this.#fit();
  }

  #listen() {
    for (const mode of ["clip", "film"]) byId(`mode-${mode}`).addEventListener("change", () => this.setMode(mode));
    // Whoever is at the scenes of a storyboard has no use for an empty form; only a click that is over may move what lies below it.
    document.addEventListener("click", (event) => {
      this.form.dataset.away = String(!this.form.contains(event.target));
    });
    this.form.addEventListener("focusin", () => {
      this.form.dataset.away = "false";
    });
    byId("film-row").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    this.prompt.addEventListener("input", () => {
      this.#readCommand();
      this.#fit();
      this.keepSoon();
      this.complain("");
      this.#changed();
    });
    this.prompt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.form.addEventListener("pointerdown", (event) => {
      if (event.target === this.form) setTimeout(() => this.prompt.focus());
    });
    this.options.onChange(() => this.#changed());
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || byId("conversation").inert) return;
      event.preventDefault();
      this.prompt.focus();
    });
  }

  get isFilm() {
    return this.mode === "film";
  }

  /** Order clips or films from now on. */
  setMode(mode) {
    this.mode = mode;
    memory.write("mode", mode === "film" ? "film" : null);
    byId(`mode-${mode}`).checked = true;
    byId("film-row").hidden = !this.isFilm;
    this.prompt.placeholder = t(this.isFilm ? "page.film.idea" : "page.composer.prompt");
    this.form.dataset.mode = mode;
    if (this.isFilm) {
      this.film.meet();
      if (this.origin) this.#setOrigin(null);
    }
    this.options.setMode(mode);
    this.#changed();
  }

  // Whoever is used to commands may type them here as well.
  #readCommand() {
    const [whole, command] = /^\/(film|video|clip)\s/i.exec(this.prompt.value) ?? [];
    if (!command) return;
    this.prompt.value = this.prompt.value.slice(whole.length);
    this.setMode(command.toLowerCase() === "film" ? "film" : "clip");
  }

  /** Say what is wrong with the composer's contents; "" takes it back. */
  complain(text) {
    const box = byId("composer-error");
    box.replaceChildren();
    if (text) box.append(icon("alert"), el("span", { text, dir: "auto" }));
    if (!text) this.picture?.mark(false);
  }

  get ready() {
    return Boolean(this.prompt.value.trim() || this.templates.speaks || (this.picture.present && !this.isFilm)) && !this.obstacle;
  }

  /** Why these contents cannot be sent with these settings, in words, or "". */
  get obstacle() {
    const generator = this.options.generator;
    if (!generator) return "";
    if (this.isFilm) return this.options.fault;
    if (!takes(generator, this.picture.count)) return t("page.generator.no_image", { generator: generator.title });
    if (this.picture.last && !generator.last_frame) return t("page.generator.no_last", { generator: generator.title });
    if (this.picture.last && !endsWith(generator, this.picture.count)) return t("page.generator.last_alone", { generator: generator.title });
    return this.options.fault;
  }

  /** Whether a generator takes the pictures that are here. */
  suits(generator) {
    return this.isFilm || takes(generator, this.picture.count) && (!this.picture.last || endsWith(generator, this.picture.count));
  }

  /** Everything that goes into the order. */
  wish() {
    const wish = { prompt: this.prompt.value.trim(), ...this.options.wish(), ...this.templates.wish() };
    if (this.isFilm) return { ...wish, ...this.film.wish() };
    if (this.picture.reuse) wish.reuse_image_of = this.picture.reuse.operation;
    if (this.origin) wish.parent_id = this.origin.job.operation_id;
    if (this.origin?.kind === "extend") wish.extend_of = this.origin.job.video_id;
    if (this.origin?.kind === "extend" && this.join?.checked) wish.join = "true";
    return wish;
  }

  /** Send what is in the composer, or the given example. */
  async submit(example = null) {
    if (this.options.fault) {
      this.options.showFault();
      return;
    }
    if (!example && !this.ready) {
      this.prompt.focus();
      return;
    }
    if (example) this.setMode("clip");
    const wish = example ? { prompt: example, ...this.options.wish() } : this.wish();
    const { isFilm } = this;
    const origin = example ? null : this.origin;
    const given = example ? {} : this.picture.release();
    const song = isFilm ? this.film.song : null;
    const kind = isFilm ? "film" : "clip";
    const order = { kind, wish, song, files: given.files ?? [], last: given.last ?? null, sourceUrl: given.url, shown: { aspect_ratio: this.options.value("aspect_ratio"), facts: this.options.facts() } };
    memory.write("told", this.options.generator?.company ?? "-");
    if (!example) this.#empty();
    this.#drawFirstUse();
    const { refused, back } = await send(order);
    if (!refused || !back) return;
    // The picture or the session is at fault: nothing is lost, it all comes back, unless something new has been begun.
    if (!this.prompt.value && !this.picture.present) {
      this.prompt.value = wish.prompt;
      this.#setOrigin(origin);
      this.setMode(kind);
      if (isFilm) this.film.load(wish, song);
      this.templates.load(wish);
      await this.picture.restore(given);
      this.#fit();
      this.#changed();
    }
    this.complain(refused.message || t("page.refused"));
    this.picture.mark(order.files.length > 0 || Boolean(order.last));
    this.prompt.focus();
  }

  /** Take over an earlier job: kind is remix, extend or edit. */
  prefill(job, kind) {
    const order = job.order;
    const isFilm = job.kind === "film";
    this.setMode(isFilm ? "film" : "clip");
    if (isFilm) this.film.load(job.film ?? order?.wish ?? {}, order?.song ?? null);
    this.prompt.value = kind === "extend" ? "" : job.prompt ?? "";
    this.options.load({ ...(job.wanted ?? {}), negative_prompt: job.negative_prompt ?? undefined });
    this.templates.load(order?.wish);
    this.#setOrigin(kind === "edit" ? null : { kind, job });
    if (order?.files?.length || order?.last) this.picture.restore({ files: order.files, last: order.last });
    else if (order?.wish.reuse_image_of) this.picture.keep(order.wish.reuse_image_of, job.source_url);
    else if (job.source_url && !job.local && kind !== "extend") this.picture.keep(job.operation_id, job.source_url);
    else this.picture.clear();
    this.complain("");
    this.#fit();
    this.keepSoon();
    this.#changed();
    this.prompt.focus();
    this.prompt.setSelectionRange(this.prompt.value.length, this.prompt.value.length);
  }

  #setOrigin(origin) {
    this.origin = origin;
    const row = byId("composer-context");
    row.hidden = !origin;
    if (!origin) return;
    const name = shorten(origin.job.card?.headline || origin.job.prompt || "", 48);
    const away = iconButton(t("page.origin.drop"), "close", { class: "is-small", on: { click: () => {
      this.#setOrigin(null);
      this.options.restore();
      this.#changed();
      this.prompt.focus();
    } } });
    const parts = [icon(origin.kind), el("span", { text: t(`page.origin.${origin.kind}`, { headline: name }), dir: "auto" })];
    this.join = el("input", { type: "checkbox" });
    if (origin.kind === "extend") parts.push(el("label", { class: "origin-join" }, this.join, el("span", { text: t("page.origin.join") })));
    row.replaceChildren(...parts, away);
  }

  #empty() {
    this.prompt.value = "";
    memory.write("draft", null);
    this.#setOrigin(null);
    this.options.restore();
    this.templates.load();
    if (this.isFilm) {
      this.film.empty();
      this.film.forget();
    } else this.options.choose("variations", null); // several at once are asked for each time
    this.complain("");
    this.#fit();
    this.#changed();
  }

  #fit() {
    const { style } = this.prompt;
    style.setProperty("height", "auto");
    style.setProperty("height", `${this.prompt.scrollHeight}px`);
  }

  #changed() {
    this.picture?.fit();
    const { obstacle } = this;
    const box = byId("composer-error");
    if (obstacle) this.complain(obstacle);
    else if (this.obstructed) this.complain("");
    this.obstructed = obstacle;
    this.button.disabled = !this.ready;
    box.hidden = false;
    this.#drawFirstUse();
    const question = JSON.stringify([this.options.generator?.name, this.mode, this.isFilm && this.#filmQuestion(), this.options.wish(), this.picture.files.length, Boolean(this.picture.last), this.picture.reuse?.operation, this.origin?.kind]);
    if (question !== this.asked) {
      this.asked = question;
      this.estimated = null;
      this.options.setApplied({});
      this.#showChanged([]);
      this.#showPrice();
      this.estimateSoon();
    }
  }

  // The exact price is the server's; until it is here, the list's price stands there with an "about".
  async #estimate() {
    if (!this.options.generator || this.obstacle) return;
    const { asked } = this;
    // The words do not matter for the price, so they stay here until they are sent.
    const { prompt, template, fill, ...rest } = this.wish();
    try {
      const estimate = this.isFilm ? await this.#estimateFilm() : await api.estimate({ ...rest, with_image: this.picture.files.length, with_last_image: Boolean(this.picture.last) });
      if (asked !== this.asked) return;
      this.estimated = estimate;
      this.options.setApplied(estimate.applied ?? {});
      this.#showChanged(estimate.changed ?? []);
      this.#showPrice();
    } catch (problem) {
      if (asked === this.asked && problem instanceof ApiError && [400, 404].includes(problem.status)) this.complain(problem.message);
    }
  }

  // Of a film the price depends on the scenes, on whether a picture is painted, and on the settings.
  #filmQuestion() {
    const { scenes, character } = this.film.wish();
    return { scenes, ...(character && !this.picture.present && { character }), ...this.options.wish() };
  }

  async #estimateFilm() {
    const { storyboard, scenes, applied } = await api.estimateFilm(this.#filmQuestion());
    return { price: storyboard + scenes, applied };
  }

  // What the generator would do otherwise than asked is said before it costs anything.
  #showChanged(lines) {
    byId("composer-changed").replaceChildren(...(lines.length ? [icon("info"), el("span", { text: lines.join(" "), dir: "auto" })] : []));
  }

  #showPrice() {
    const guess = this.options.listPrice();
    const price = this.estimated?.price ?? guess;
    if (price === null) {
      setText(this.price, "");
      return;
    }
    const left = store.me?.credits?.today?.left;
    const short = typeof left === "number" && price > left + (store.me.credits.granted ?? 0);
    const text = price === 0 ? t("page.price.free") : t(this.estimated ? "page.price" : "page.price.about", { count: price });
    setText(this.price, short ? t("page.price.short", { price: text, left }) : text);
    this.price.classList.toggle("is-short", short);
  }

  /** Before the first order, and before the first one to another company: who gets the prompt and the picture. */
  #drawFirstUse() {
    const row = byId("first-use");
    const generator = this.options.generator;
    const told = memory.read("told");
    const known = told !== null && (told === "-" ? !generator?.company : told === generator?.company);
    const text = known || !store.privacy ? "" : this.options.isDefaultGenerator ? store.privacy.first_use : generator?.privacy;
    row.hidden = !text;
    if (!text || row.dataset.text === text) return;
    row.dataset.text = text;
    const away = iconButton(t("page.first_use.close"), "close", { class: "is-small", on: { click: () => {
      memory.write("told", this.options.generator?.company ?? "-");
      this.#drawFirstUse();
      this.prompt.focus();
    } } });
    row.replaceChildren(icon("shield"), el("span", { text }), away);
  }

  /** The privacy sentence is here now. */
  refresh() {
    this.#drawFirstUse();
  }
}

/** Whether a generator takes so many pictures in some way: too many are left out, and the server says so. */
function takes(generator, count) {
  return !count || generator.image || (count > 1 && generator.reference_images > 1);
}

/** Whether a clip that has so many other pictures can end with one: most generators want exactly one with which it begins. */
function endsWith(generator, count) {
  const beginsWithOne = count > 0 && !(count > 1 && generator.reference_images > 1);
  return Boolean(generator?.last_frame && (beginsWithOne || generator.last_frame_alone));
}

/** What a generator takes: how many pictures at once, and whether one with which the clip ends beside so many. */
function roomOf(generator) {
  return { most: generator?.reference_images > 1 ? generator.reference_images : 1, ends: (count) => endsWith(generator, count), title: generator?.title ?? "" };
}
