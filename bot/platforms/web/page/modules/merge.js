// Putting clips together: chosen in the gallery in their order, then cut into one.

import { ApiError, api } from "./api.js";
import { announce } from "./announce.js";
import { byId, button, el, randomKey, setText } from "./dom.js";
import { WAYS } from "./film_settings.js";
import { store } from "./store.js";
import { t } from "./words.js";

const MOST = 64;
const SONGS = "audio/*,.mp3,.m4a,.ogg,.oga,.opus,.wav,.flac";

export class Merge {
  /** `redraw()` draws the gallery anew; `opened(id)` shows the job that was ordered. */
  constructor({ redraw, opened }) {
    this.redraw = redraw;
    this.opened = opened;
    this.on = false;
    this.chosen = []; // ids of clips, in order
    this.song = null;
    this.box = byId("merge");
    this.toggleButton = byId("merge-open");
    this.toggleButton.addEventListener("click", () => this.choose(!this.on));
    this.#build();
    store.on("gone", ({ job }) => this.#forget(job.video_id));
  }

  #build() {
    const select = (name, words, values) => {
      const node = el("select", { class: "input", id: `merge-${name}` }, ...values.map((value) => el("option", { value, text: WAYS[name](value) })));
      return { node, field: el("div", { class: "field" }, el("label", { class: "field-name", for: node.id, text: words }), node) };
    };
    this.title = el("input", { class: "input", id: "merge-title", type: "text", dir: "auto", maxlength: 120, autocomplete: "off", placeholder: t("page.film.title_none") });
    this.transition = select("transition", t("page.film.transition"), ["cut", "crossfade"]);
    this.music = select("music", t("page.film.music"), ["none", "built-in", "song"]);
    this.file = el("input", { type: "file", accept: SONGS, "aria-label": t("page.song.add"), hidden: true });
    this.songName = el("p", { class: "field-note", dir: "auto", hidden: true });
    this.music.node.addEventListener("change", () => {
      if (this.music.node.value === "song") this.file.click();
      else this.#takeSong(null);
    });
    this.file.addEventListener("change", () => this.#takeSong(this.file.files[0] ?? null));
    this.file.addEventListener("cancel", () => this.#takeSong(this.song));
    this.order = button("", { class: "is-primary", data: { merge: "order" }, on: { click: () => this.#send() } }, "cut");
    this.note = el("p", { class: "field-note", role: "status", hidden: true });
    this.box.replaceChildren(
      el("p", { class: "field-note", text: t("page.merge.how") }),
      el("div", { class: "merge-fields" }, this.transition.field, this.music.field),
      this.songName, this.file,
      el("div", { class: "field" }, el("label", { class: "field-name", for: "merge-title", text: t("page.film.title") }), this.title),
      this.note, this.order);
  }

  #takeSong(file) {
    this.song = file;
    if (!file && this.music.node.value === "song") this.music.node.value = "none";
    setText(this.songName, file?.name ?? "");
  }

  /** Begin or end choosing. */
  choose(on) {
    this.on = on;
    this.chosen = [];
    this.draw();
    this.redraw();
  }

  /** Show this only where the gallery is. */
  show(visible) {
    byId("merge-bar").hidden = !visible;
    if (!visible && this.on) this.choose(false);
    this.draw();
  }

  draw() {
    this.box.hidden = !this.on;
    this.toggleButton.setAttribute("aria-expanded", String(this.on));
    setText(this.order.querySelector("span"), t("page.merge.order", { count: this.chosen.length }));
    this.order.disabled = this.chosen.length < 2 || Boolean(this.busy);
  }

  /** At which place a clip stands, counted from 1; 0 when it is not chosen. */
  placeOf(job) {
    return this.chosen.indexOf(job.video_id) + 1;
  }

  /** Choose a clip, or let it go again. */
  pick(job) {
    const place = this.placeOf(job);
    if (place) this.chosen.splice(place - 1, 1);
    else if (this.chosen.length < MOST) this.chosen.push(job.video_id);
    setText(this.note, "");
    this.draw();
    this.redraw();
    announce(t("page.merge.order", { count: this.chosen.length }));
  }

  #forget(id) {
    if (!this.chosen.includes(id)) return;
    this.chosen = this.chosen.filter((each) => each !== id);
    this.draw();
  }

  async #send() {
    this.busy = true;
    this.draw();
    setText(this.note, "");
    const settle = store.expect();
    try {
      const own = { "built-in": "built-in", none: null }[this.music.node.value];
      const music = this.song ? (await api.keepSong(this.song)).song_id : own;
      const wish = { video_ids: this.chosen, transition: this.transition.node.value, music, idempotency_key: (this.key ??= randomKey()) };
      const { operation_id: id } = await api.merge({ ...wish, ...(this.title.value.trim() && { title: this.title.value.trim() }) });
      store.apply(await api.status(id));
      this.key = null;
      this.title.value = "";
      this.music.node.value = "none";
      this.#takeSong(null);
      this.choose(false);
      announce(t("page.merge.sent"));
      this.opened(id);
    } catch (problem) {
      if (problem instanceof ApiError) this.key = null; // refused: the next try is another order
      setText(this.note, problem instanceof ApiError && problem.message ? problem.message : t("page.unreachable"));
    } finally {
      settle();
      this.busy = false;
      this.draw();
    }
  }
}
