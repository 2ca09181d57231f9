// What an order of a film says besides its idea: in the composer how many scenes and who recurs, among the settings how it is cut.

import { api } from "./api.js";
import { byId, el, iconButton, memory, setText } from "./dom.js";
import { WAYS } from "./film_settings.js";
import { icon } from "./icons.js";
import { bytes, shorten, t } from "./words.js";

const MOST = 20;
const USUAL = 4;
const SONG_LARGEST = 50_000_000;
const SONGS = "audio/mpeg,audio/mp4,audio/ogg,audio/wav,audio/flac,.mp3,.m4a,.ogg,.oga,.opus,.wav,.flac";
const KEPT = ["scenes", "transition", "clip_sound", "music"];

export class FilmForm {
  /** `changed()` after every change; `complain(text)` says what is wrong with a file. */
  constructor({ changed, complain }) {
    this.changed = changed;
    this.complain = complain;
    this.song = null;
    this.known = [];
    this.values = { scenes: USUAL, transition: "cut", clip_sound: "duck", music: "built-in", ...memory.read("film", {}) };
    if (this.values.music === "song") this.values.music = "built-in";
    this.#buildRow();
    this.#buildPanel();
    this.#draw();
  }

  // ------------------------------------------------------------------------------------------------------------------- in the composer

  #buildRow() {
    this.character = el("input", { class: "input", id: "film-character", type: "text", dir: "auto", maxlength: 2000, autocomplete: "off", placeholder: t("page.character.example") });
    this.character.addEventListener("input", () => {
      this.#drawChips();
      this.changed();
    });
    this.count = el("output", { class: "stepper-count", id: "film-scenes", "aria-live": "polite" });
    this.less = iconButton(t("page.film.fewer"), "minus", { class: "is-small", data: { film: "fewer" }, on: { click: () => this.#step(-1) } });
    this.more = iconButton(t("page.film.more"), "plus", { class: "is-small", data: { film: "more" }, on: { click: () => this.#step(1) } });
    this.chips = el("ul", { class: "character-chips", role: "list", "aria-label": t("page.character.earlier"), hidden: true });
    byId("film-row").replaceChildren(
      el("div", { class: "film-row-line" },
        el("label", { class: "film-row-label", for: "film-character", text: t("page.character") }), this.character,
        el("div", { class: "stepper", role: "group", "aria-label": t("page.film.scenes_wanted") }, this.less, this.count, this.more)),
      this.chips);
  }

  #step(by) {
    const pressed = by > 0 ? this.more : this.less;
    const hadFocus = document.activeElement === pressed;
    this.set("scenes", Math.min(MOST, Math.max(1, this.values.scenes + by)));
    if (hadFocus && pressed.disabled) (by > 0 ? this.less : this.more).focus();
  }

  /** Ask for the characters of earlier films. */
  async meet() {
    if (this.met) return;
    this.met = true;
    try {
      this.known = (await api.characters()).characters;
    } catch {
      this.met = false;
    }
    this.#drawChips();
  }

  /** The next time there may be another one. */
  forget() {
    this.met = false;
  }

  #drawChips() {
    const written = this.character.value.trim();
    const offered = this.known.filter((one) => !written || one.description === written).slice(0, 6);
    this.chips.hidden = !offered.length;
    this.chips.replaceChildren(...offered.map((one) => {
      const isChosen = one.description === written;
      const chip = el("button", { type: "button", class: "character-chip", title: one.description, "aria-pressed": String(isChosen), on: { click: () => this.#choose(isChosen ? "" : one.description) } },
        el("img", { src: one.picture_url, alt: "", loading: "lazy", decoding: "async" }), el("span", { text: shorten(one.description, 40), dir: "auto" }));
      const away = isChosen ? iconButton(t("page.character.forget"), "trash", { class: "is-small", on: { click: () => this.#forgetCharacter(one) } }) : null;
      return el("li", {}, chip, away);
    }));
  }

  // Films that have the character keep it.
  async #forgetCharacter(one) {
    try {
      await api.forgetCharacter(one.id);
      this.known = this.known.filter((each) => each !== one);
      this.#choose("");
      this.character.focus();
    } catch {
      this.complain(t("page.unreachable"));
    }
  }

  #choose(description) {
    this.character.value = description;
    this.#drawChips();
    this.changed();
    (this.chips.querySelector('[aria-pressed="true"]') ?? this.character).focus();
  }

  // ------------------------------------------------------------------------------------------------------------------- among the settings

  #buildPanel() {
    this.title = el("input", { class: "input", id: "film-title", type: "text", dir: "auto", maxlength: 120, autocomplete: "off", placeholder: t("page.film.title_none"), on: { input: () => this.changed() } });
    this.syncs = [];
    this.file = el("input", { type: "file", id: "film-song", accept: SONGS, "aria-label": t("page.song.add"), hidden: true });
    this.file.addEventListener("change", () => {
      if (this.file.files[0]) this.takeSong(this.file.files[0]);
      this.file.value = "";
    });
    this.songLine = el("div", { class: "song", hidden: true });
    this.fit = el("input", { type: "checkbox", role: "switch", class: "switch", id: "film-fit", on: { change: () => this.changed() } });
    this.fitLine = el("div", { class: "song-fit", hidden: true }, el("label", { for: this.fit.id, text: t("page.song.fit") }), this.fit);
    this.panel = el("div", { class: "film-panel" },
      el("div", { class: "field" }, el("label", { class: "field-name", for: "film-title", text: t("page.film.title") }), this.title),
      this.#choice("music", t("page.film.music"), ["built-in", "song", "none"]),
      this.songLine, this.fitLine, this.file,
      this.#choice("transition", t("page.film.transition"), ["cut", "crossfade"]),
      this.#choice("clip_sound", t("page.film.clip_sound"), ["duck", "keep", "drop"]));
  }

  #choice(name, title, values) {
    const row = el("div", { class: "segments" });
    for (const value of values) {
      const input = el("input", { type: "radio", name: `film-${name}`, value, id: `film-${name}-${value}`, class: "visually-hidden", on: { change: () => this.#chosen(name, value) } });
      this.syncs.push(() => {
        input.checked = this.values[name] === value;
      });
      row.append(input, el("label", { class: "segment", for: input.id }, el("span", { text: WAYS[name](value) })));
    }
    return el("fieldset", { class: "field" }, el("legend", { class: "field-name", text: title }), row);
  }

  #chosen(name, value) {
    if (name === "music" && value === "song" && !this.song) {
      this.file.click();
      this.#draw(); // until there is a song, the music is what it was
      return;
    }
    this.set(name, value);
  }

  set(name, value) {
    this.values[name] = value;
    memory.write("film", Object.fromEntries(KEPT.map((each) => [each, this.values[each]])));
    this.#draw();
    this.changed();
  }

  /** A song for the film: what it really is, the server decides. */
  takeSong(file) {
    if (file.size > SONG_LARGEST) {
      this.complain(t("page.song.large", { size: bytes(file.size) }));
      return;
    }
    this.song = file;
    this.complain("");
    this.set("music", "song");
  }

  #draw() {
    setText(this.count, t("page.film.count", { count: this.values.scenes }));
    this.less.disabled = this.values.scenes <= 1;
    this.more.disabled = this.values.scenes >= MOST;
    if (this.values.music !== "song") this.song = null;
    for (const sync of this.syncs) sync();
    this.songLine.hidden = !this.song;
    this.fitLine.hidden = !this.song;
    if (!this.song) return;
    const away = iconButton(t("page.song.remove"), "close", { class: "is-small", on: { click: () => {
      this.set("music", "built-in");
      document.getElementById("film-music-built-in")?.focus();
    } } });
    this.songLine.replaceChildren(icon("note"), el("span", { class: "song-name", text: this.song.name, dir: "auto" }), el("span", { class: "quiet", text: bytes(this.song.size) }), away);
  }

  /** "4 scenes", as the summary says it. */
  get facts() {
    return t("page.film.count", { count: this.values.scenes });
  }

  /** What goes into the order; the files go beside it. */
  wish() {
    const { scenes, music, transition, clip_sound } = this.values;
    const character = this.character.value.trim();
    const title = this.title.value.trim();
    const fits = this.song && this.fit.checked;
    return { scenes, music, transition, clip_sound, ...(fits && { fit_to_song: true }), ...(character && { character }), ...(title && { title }) };
  }

  /** The next film has another title and another song. */
  empty() {
    this.character.value = "";
    this.title.value = "";
    this.song = null;
    if (this.values.music === "song") this.values.music = "built-in";
    this.#draw();
    this.#drawChips();
  }

  /** Take over what an earlier order or film said. */
  load(plan, song = null) {
    this.character.value = plan.character ?? "";
    this.title.value = plan.title ?? "";
    this.song = song;
    const scenes = Array.isArray(plan.scenes) ? plan.scenes.length : Number(plan.scenes);
    Object.assign(this.values, { scenes: scenes || USUAL, transition: plan.transition ?? "cut", clip_sound: plan.clip_sound ?? "duck", music: song ? "song" : plan.music === "none" ? "none" : "built-in" });
    this.#draw();
    this.#drawChips();
  }
}
