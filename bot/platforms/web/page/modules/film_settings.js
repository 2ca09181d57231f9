// Who recurs in a film, and how it is cut: each a field that is saved when it changes.

import { button, el, setText } from "./dom.js";
import { store } from "./store.js";
import { duration, t } from "./words.js";

const MUSIC = ["built-in", "song", "none"];
const TRANSITIONS = ["cut", "crossfade"];
const SOUNDS = ["duck", "keep", "drop"];

/** The words for each way to cut; the ids are put together nowhere else. */
export const WAYS = {
  music: (value) => t(`page.music.${value === "built-in" ? "own" : value}`),
  transition: (value) => t(`page.transition.${value}`),
  clip_sound: (value) => t(`page.clip_sound.${value}`),
};

let last = 0;

export class FilmSettings {
  constructor(film) {
    this.film = film;
    this.name = `film-settings-${(last += 1)}`;
    this.picture = el("img", { class: "film-portrait", alt: t("page.character.picture"), hidden: true, decoding: "async" });
    this.blank = el("span", { class: "film-portrait", icon: "person" });
    this.character = el("textarea", { class: "input", id: `${this.name}-character`, rows: 1, dir: "auto", maxlength: 2000, placeholder: t("page.character.example") });
    this.character.addEventListener("change", () => this.#save("character", this.character.value.trim()));
    this.characterText = el("p", { class: "film-character", dir: "auto" });
    this.anew = button(t("page.character.anew"), { class: "is-small", data: { film: "repaint" }, on: { click: () => film.repaint() } }, "anew");
    this.whoNote = el("p", { class: "field-note", role: "status" });
    this.label = el("label", { class: "field-name", for: this.character.id, text: t("page.character") });
    this.who = el("div", { class: "film-who", hidden: true }, this.picture, this.blank,
      el("div", { class: "film-who-words" }, this.label, this.character, this.characterText, this.whoNote), this.anew);

    this.title = el("input", { class: "input", id: `${this.name}-title`, type: "text", dir: "auto", maxlength: 120, autocomplete: "off", placeholder: t("page.film.title_none") });
    this.title.addEventListener("change", () => this.#save("title", this.title.value.trim()));
    this.title.addEventListener("keydown", (event) => event.key === "Enter" && this.title.blur());
    this.selects = {};
    this.fit = el("input", { type: "checkbox", role: "switch", class: "switch", id: `${this.name}-fit`, on: { change: () => this.#save("fit_to_song", this.fit.checked) } });
    this.fields = el("div", { class: "film-fields" },
      this.#field("title", t("page.film.title"), this.title),
      this.#select("music", t("page.film.music"), MUSIC),
      this.#select("transition", t("page.film.transition"), TRANSITIONS),
      this.#select("clip_sound", t("page.film.clip_sound"), SOUNDS),
      this.#field("fit_to_song", t("page.song.fit"), this.fit),
      this.#select("provider", t("page.options.generator"), []),
      this.#select("duration", t("page.film.seconds"), []),
      this.#select("aspect_ratio", t("page.options.aspect"), []));
    this.summary = el("span", { class: "film-settings-line" });
    this.root = el("details", { class: "film-settings", hidden: true }, el("summary", {}, el("span", { text: t("page.film.settings") }), this.summary), this.fields);
  }

  #field(name, words, input) {
    return el("div", { class: "field", data: { field: name } }, el("label", { class: "field-name", for: input.id, text: words }), input);
  }

  #select(name, words, values) {
    const select = el("select", { class: "input", id: `${this.name}-${name}`, on: { change: () => this.#save(name, name === "duration" ? Number(select.value) : select.value) } });
    this.selects[name] = select;
    this.#offer(name, values);
    return this.#field(name, words, select);
  }

  #offer(name, values, words = WAYS[name]) {
    const select = this.selects[name];
    const signature = values.join(" ");
    if (select.dataset.offered === signature) return;
    select.dataset.offered = signature;
    select.replaceChildren(...values.map((value) => el("option", { value, text: words(value) })));
  }

  #save(name, value) {
    const { film } = this;
    return film.queue(async () => {
      const done = await film.change(() => ({ [name]: value }));
      if (done && name !== "character") film.changed = true;
      if (done) film.tell(t("page.saved"));
    }).then(() => film.redraw());
  }

  update(job, phase) {
    const plan = job.film;
    this.#drawWho(job, plan, phase);
    this.root.hidden = !plan || phase === "busy" || (phase === "ended" && !plan.scenes.length);
    if (!plan) return;
    if (document.activeElement !== this.title) this.title.value = plan.title;
    this.#offer("music", plan.song ? MUSIC : MUSIC.filter((each) => each !== "song"));
    this.fit.closest(".field").hidden = plan.music !== "song";
    this.fit.checked = Boolean(plan.fit_to_song);
    const generator = store.generator(job.applied?.provider);
    this.#offer("provider", store.generators.map((each) => each.name), (name) => store.generator(name)?.title ?? name);
    this.#offer("duration", generator?.seconds ?? [], (count) => t("page.seconds", { count }));
    this.#offer("aspect_ratio", generator?.aspects ?? [], (value) => value);
    for (const name of ["music", "transition", "clip_sound"]) this.selects[name].value = plan[name];
    for (const name of ["provider", "duration", "aspect_ratio"]) {
      this.selects[name].value = String(job.applied?.[name] ?? "");
      this.selects[name].closest(".field").hidden = phase !== "edit"; // what is made has its shape
    }
    this.selects.provider.closest(".field").hidden ||= store.generators.length < 2;
    const music = plan.music === "song" && plan.song ? t("page.film.song_of", { time: duration(plan.song.seconds) }) : WAYS.music(plan.music);
    setText(this.summary, [plan.title && `“${plan.title}”`, `${t("page.film.music")}: ${music}`, WAYS.transition(plan.transition)].filter(Boolean).join(" · "));
  }

  #drawWho(job, plan, phase) {
    const edits = phase === "edit";
    const words = plan?.character ?? "";
    const url = plan?.character_url ?? (job.local ? job.source_url : null);
    this.who.hidden = !(edits || url);
    this.who.dataset.edits = String(edits);
    const isPainting = Boolean(plan?.painting);
    this.picture.hidden = !url;
    this.blank.hidden = Boolean(url);
    this.blank.classList.toggle("is-busy", isPainting);
    // The address stays the same when the picture is painted anew.
    const address = url && this.wasPainting && !isPainting ? `${url}?at=${job.version}` : url;
    if (url && (this.url !== url || (this.wasPainting && !isPainting))) {
      this.picture.src = address;
      this.url = url;
    }
    this.wasPainting = isPainting;
    this.label.hidden = !edits;
    this.character.hidden = !edits;
    if (document.activeElement !== this.character) this.character.value = words;
    setText(this.characterText, edits ? "" : words);
    this.anew.hidden = !edits || !words;
    this.anew.disabled = isPainting;
    setText(this.whoNote, isPainting ? t("page.character.painting") : "");
  }
}
