// The film as a strip below its player: one piece for each scene that it was cut from, as long as the scene is.

import { el } from "./dom.js";
import { icon } from "./icons.js";
import { stopwatch, t } from "./words.js";

const TITLE = 2.5; // seconds for which a title stands; the music may move the cut by a beat

export class Timeline {
  /** `stage` holds the film's player. */
  constructor(stage) {
    this.stage = stage;
    this.root = el("ol", { class: "timeline", role: "list", "aria-label": t("page.timeline"), hidden: true });
    this.pieces = [];
    for (const name of ["timeupdate", "seeked", "loadedmetadata"]) stage.root.addEventListener(name, () => this.#point(), true);
    this.root.addEventListener("keydown", (event) => this.#arrow(event));
  }

  /** Draw the scenes that are in the film. */
  update(job) {
    const made = job.film.scenes.map((scene, at) => ({ scene, place: at + 1 })).filter(({ scene }) => scene.video_url);
    const isShown = Boolean(job.video_url) && made.length > 0;
    this.root.hidden = !isShown;
    if (!isShown) return;
    if (this.film === job.video_url) return; // what has changed since shows when it is cut again
    this.film = job.video_url;
    this.pieces = made.map(({ scene, place }) => ({ place, seconds: scene.seconds || 1, picture: scene.thumbnail_url }));
    if (job.film.title) this.pieces.unshift({ place: 0, seconds: TITLE, title: job.film.title });
    this.whole = this.#lay(job.film.cuts ?? []);
    this.root.replaceChildren(...this.pieces.map((piece) => this.#piece(piece)));
    this.#point();
  }

  // Where each piece begins: as the film was cut, or, for one of before that was kept, after each other. Returns the whole length.
  #lay(cuts) {
    const isKnown = cuts.length > 0 && cuts.length === this.pieces.length - 1;
    this.isExact = isKnown;
    let from = 0;
    this.pieces.forEach((piece, at) => {
      piece.from = from;
      if (isKnown && at < cuts.length) piece.seconds = cuts[at] - from;
      from += piece.seconds;
    });
    return from;
  }

  #piece(piece) {
    const start = stopwatch(piece.from);
    const name = piece.place ? t("page.timeline.scene", { place: piece.place, start }) : t("page.timeline.title", { title: piece.title });
    piece.button = el("button", { type: "button", class: "timeline-piece", "aria-label": name, title: name, data: { place: piece.place }, on: { click: () => this.#seek(piece) } },
      piece.picture ? el("img", { src: piece.picture, alt: "", loading: "lazy", decoding: "async" }) : icon("film"),
      el("span", { class: "timeline-place", text: piece.place ? String(piece.place) : "T" }), el("span", { class: "timeline-head" }));
    const item = el("li", {}, piece.button);
    item.style.setProperty("flex-grow", String(piece.seconds));
    return item;
  }

  // Where the cuts are not known the film is a little shorter than its scenes: the strip is stretched to it.
  get #scale() {
    if (this.isExact) return 1;
    const seconds = this.stage.video?.duration;
    return Number.isFinite(seconds) && seconds > 0 ? seconds / this.whole : 1;
  }

  #seek(piece) {
    const { video } = this.stage;
    if (!video) return;
    this.stage.near(true);
    video.currentTime = piece.from * this.#scale + 0.05;
    this.#point(piece.from);
  }

  #point(at = (this.stage.video?.currentTime ?? 0) / this.#scale) {
    for (const piece of this.pieces) {
      const share = (at - piece.from) / piece.seconds;
      const isHere = share >= 0 && share < 1;
      piece.button.setAttribute("aria-current", String(isHere));
      piece.button.style.setProperty("--share", String(isHere ? share : 0));
    }
  }

  #arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] * (document.dir === "rtl" ? -1 : 1);
    const at = this.pieces.findIndex((piece) => piece.button === event.target);
    const next = this.pieces[at + step];
    if (!next) return;
    event.preventDefault();
    next.button.focus();
  }
}
