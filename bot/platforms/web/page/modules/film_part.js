// What a film's card has besides a clip's: the storyboard that is edited in place, each scene's progress, the timeline, and the way
// the film is cut. Every change goes to the server one after another, each against the film as it is by then.

import { ApiError, api } from "./api.js";
import { announce } from "./announce.js";
import { button, debounce, el, setText } from "./dom.js";
import { FilmSettings } from "./film_settings.js";
import { arrange, letReorder } from "./scene_order.js";
import { SceneRow } from "./scene_row.js";
import { store } from "./store.js";
import { Timeline } from "./timeline.js";
import { t } from "./words.js";

const MOST = 20;
const TRIES = 3; // of a change that meets another one
const ENDED = new Set(["done", "failed", "cancelled"]);

let lastFilm = 0;

export class FilmPart {
  /** `view` is the card that this is a part of. */
  constructor(view) {
    this.view = view;
    this.rows = new Map();
    this.chain = Promise.resolve();
    this.hintId = `film-hint-${(lastFilm += 1)}`;
    this.timeline = new Timeline(view.stage);
    this.settings = new FilmSettings(this);
    this.name = `film-scenes-${lastFilm}`;
    this.titleText = el("span");
    this.fold = el("button", { type: "button", class: "film-fold", "aria-controls": this.name, on: { click: () => this.#unfold() } }, (this.foldText = el("span")));
    this.title = el("h4", { class: "film-title" }, this.titleText, this.fold);
    this.open = null; // whether the person wants to see the scenes of a finished film
    this.hint = el("p", { class: "visually-hidden", id: this.hintId, text: t("page.scene.hint") });
    this.list = el("ol", { class: "scenes", role: "list" });
    this.add = button(t("page.scene.add"), { class: "is-small", data: { film: "add" }, on: { click: () => this.addScene() } }, "plus");
    this.make = button("", { class: "is-small is-primary", data: { film: "make" }, on: { click: () => this.retry([], { price: this.job.film.price ?? null }) } }, "film");
    this.cut = button(t("page.film.cut"), { class: "is-small", data: { film: "cut" }, on: { click: () => this.cutAgain() } }, "cut");
    this.cutNote = el("span", { class: "film-cut-note" });
    this.foot = el("div", { class: "film-foot" }, this.add, this.make, this.cut, this.cutNote);
    this.body = el("div", { class: "film", id: this.name }, this.settings.who, this.hint, this.list, this.foot, this.settings.root);
    this.root = el("div", { class: "film" }, this.timeline.root, this.title, this.body);
    this.order = letReorder(this.list, { allowed: () => this.canMove, moved: (row, to) => this.move(Number(row.dataset.number), to), shifted: (rows) => rows.forEach((row, at) => this.rows.get(Number(row.dataset.number))?.standAt(at + 1)) });
  }

  get phase() {
    const { state, film } = this.job;
    if (!film) return "busy";
    if (state === "awaiting") return "edit";
    return ENDED.has(state) ? "ended" : "busy";
  }

  get canMove() {
    return this.phase !== "busy" && this.job.film.scenes.length > 1;
  }

  /** Whether scenes may be ordered again now. */
  get canRetry() {
    return this.phase === "ended" || this.job.state === "making";
  }

  update(job) {
    this.job = job;
    const { film } = job;
    const { phase } = this;
    this.root.dataset.phase = phase;
    this.settings.update(job, phase);
    if (!film?.scenes.length) {
      this.#drawBones(job);
      return;
    }
    this.list.querySelectorAll(".scene-bone").forEach((bone) => bone.remove());
    this.list.removeAttribute("aria-busy");
    this.timeline.update(job);
    this.#drawTitle(phase, film.scenes.length);
    const known = new Set(film.scenes.map((scene) => scene.number));
    for (const [number, row] of this.rows) {
      if (known.has(number)) continue;
      row.root.remove();
      this.rows.delete(number);
    }
    const rows = film.scenes.map((scene, at) => {
      if (!this.rows.has(scene.number)) this.rows.set(scene.number, new SceneRow(this, scene));
      const row = this.rows.get(scene.number);
      row.update(scene, { place: at + 1, places: film.scenes.length, phase, canMove: this.canMove });
      return row.root;
    });
    if (!this.order.dragging) arrange(this.list, rows);
    this.#drawFoot();
  }

  /** The rows once more, as things are. */
  redraw() {
    this.update(this.job);
  }

  // A film that is there is looked at; its scenes are behind a button, unless there is something to be done about them.
  #drawTitle(phase, count) {
    const isFoldable = phase === "ended" && Boolean(this.job.video_url);
    const isDone = this.job.film.scenes.every((scene) => scene.video_url);
    const isOpen = !isFoldable || (this.open ?? !isDone);
    this.title.hidden = false;
    setText(this.titleText, isFoldable ? "" : t(phase === "edit" ? "page.film.storyboard" : "page.film.scenes", { count }));
    this.fold.hidden = !isFoldable;
    setText(this.foldText, t("page.film.scenes", { count }));
    this.fold.setAttribute("aria-expanded", String(isOpen));
    this.body.hidden = !isOpen;
  }

  #unfold() {
    this.open = this.body.hidden;
    this.redraw();
  }

  // While the scenes are being written their places stand empty.
  #drawBones(job) {
    this.title.hidden = true;
    this.body.hidden = false;
    this.foot.hidden = true;
    const isWriting = job.state === "planning" || job.local;
    const bones = this.list.querySelectorAll(".scene-bone").length;
    const wanted = isWriting && job.state !== "failed" && job.state !== "unsent" ? Math.min(Number(job.wanted?.scenes) || 4, 4) : 0;
    if (bones === wanted) return;
    this.list.setAttribute("aria-busy", String(wanted > 0));
    this.list.replaceChildren(...Array.from({ length: wanted }, () => el("li", { class: "scene-bone", "aria-hidden": "true" }, el("span", { class: "bone is-line" }), el("span", { class: "bone is-title" }))));
  }

  #drawFoot() {
    const { film, state, video_url: video } = this.job;
    const { phase } = this;
    const fresh = film.scenes.filter((scene) => !scene.operation_id);
    const isNew = phase === "ended" && fresh.length > 0;
    this.add.hidden = phase === "busy" || film.scenes.length >= MOST;
    this.make.hidden = !isNew || film.price === null;
    setText(this.make.querySelector("span"), film.price > 0 ? t("page.film.make_price", { price: t("page.price", { count: film.price }) }) : t("page.film.make"));
    const isCuttable = phase === "ended" && film.scenes.some((scene) => scene.video_url);
    this.cut.hidden = !isCuttable;
    const isOther = isCuttable && state === "done" && Boolean(video) && this.changed;
    this.cut.classList.toggle("is-primary", Boolean(isOther));
    setText(this.cutNote, isOther ? t("page.film.cut_note") : "");
    this.foot.hidden = [this.add, this.make, this.cut].every((node) => node.hidden);
  }

  // ------------------------------------------------------------------------------------------------------------------ what is asked

  /** Say something that belongs to this film and is heard. */
  tell(text) {
    announce(text);
  }

  /** One thing after another; what goes wrong is said on the card. Answers whether it went well. */
  queue(work) {
    const done = this.chain.then(work).then(() => true, (problem) => {
      if (!(problem instanceof ApiError)) this.view.say(t("page.unreachable"), "bad");
      else this.view.say(problem.message || t("page.refused"), "bad");
      if (problem instanceof ApiError && problem.status === 409) return this.reload().then(() => false, () => false);
      return false;
    });
    this.chain = done.catch(() => {});
    return done;
  }

  async reload() {
    store.apply(await api.film(this.job.operation_id));
  }

  /** Change the plan: `make(film)` gives the change for the newest film, or null when there is nothing to do any more. */
  async change(make) {
    for (let tries = 1; ; tries += 1) {
      const { film } = this.job;
      const change = make(film);
      if (!change) return false;
      try {
        store.apply(await api.changeFilm(this.job.operation_id, { ...change, version: film.version }));
        this.view.say("");
        return true;
      } catch (problem) {
        if (!(problem instanceof ApiError) || problem.status !== 409 || tries >= TRIES) throw problem;
        const version = film.version;
        await this.reload();
        if (this.job.film.version === version) throw problem; // it is refused for another reason
        this.tell(t("page.film.reloaded"));
      }
    }
  }

  #scenes(make) {
    return this.change((film) => {
      const scenes = film.scenes.map(({ number, description }) => ({ number, description }));
      const wanted = make(scenes);
      return wanted && { scenes: wanted.map((scene) => (scene.number ? scene : { description: scene.description })) };
    });
  }

  /** Other words for a scene that said `before`; false when it says something else by now, or it went wrong. */
  async edit(number, before, description, aloud) {
    let changed = false;
    const done = await this.queue(async () => {
      changed = await this.#scenes((scenes) => {
        const scene = scenes.find((each) => each.number === number);
        if (!scene || scene.description !== before) return null;
        return scenes.map((each) => (each === scene ? { ...each, description } : each));
      });
    });
    if (done && changed && aloud) this.tell(t("page.scene.saved"));
    return done && changed;
  }

  /** Put a scene at another place, counted from 0. */
  move(number, to) {
    return this.queue(async () => {
      const changed = await this.#scenes((scenes) => {
        const scene = scenes.find((each) => each.number === number);
        const others = scenes.filter((each) => each !== scene);
        if (!scene || scenes.indexOf(scene) === to) return null;
        return [...others.slice(0, to), scene, ...others.slice(to)];
      });
      if (!changed) return;
      this.changed = true;
      this.redraw();
      this.tell(t("page.scene.moved", { place: to + 1, count: this.job.film.scenes.length }));
    }).then(() => this.redraw());
  }

  remove(number) {
    const at = this.job.film.scenes.findIndex((scene) => scene.number === number);
    return this.queue(async () => {
      if (!(await this.#scenes((scenes) => (scenes.length > 1 ? scenes.filter((each) => each.number !== number) : null)))) return;
      this.changed = true;
      const left = this.list.children[Math.min(at, this.list.children.length - 1)];
      left?.querySelector("[data-handle]")?.focus({ preventScroll: true });
      this.tell(t("page.scene.removed", { count: this.job.film.scenes.length }));
    });
  }

  /** One scene more, at the end, ready to be written. */
  addScene() {
    const known = new Set(this.job.film.scenes.map((scene) => scene.number));
    return this.queue(async () => {
      if (!(await this.#scenes((scenes) => (scenes.length < MOST ? [...scenes, { description: t("page.scene.new") }] : null)))) return;
      this.changed = true;
      const fresh = this.job.film.scenes.find((scene) => !known.has(scene.number));
      const row = this.rows.get(fresh?.number);
      row?.begin();
      this.redraw();
      this.tell(t("page.scene.added", { count: this.job.film.scenes.length }));
    });
  }

  async rewrite(number) {
    const { storyboard } = await api.estimateFilm({ scenes: 1 }).catch(() => ({ storyboard: 0 }));
    if (storyboard > 0 && !(await this.view.ask("rewrite", t("page.scene.anew_question", { count: storyboard }), t("page.scene.anew_yes", { count: storyboard })))) return;
    await this.queue(async () => store.apply(await api.rewriteScene(this.job.operation_id, number)));
  }

  repaint() {
    return this.queue(async () => store.apply(await api.repaint(this.job.operation_id)));
  }

  /** What the person is writing is on its way to the server before long, also when they never leave the field. */
  typing = debounce(2500, () => {
    for (const row of this.rows.values()) row.save(false);
  });

  /** Everything that is written is at the server. */
  async settled() {
    await Promise.all([...this.rows.values()].map((row) => row.save()));
    await this.chain;
  }

  // ---------------------------------------------------------------------------------------------------------------- what costs money

  async approve() {
    await this.settled();
    await this.#agree(this.job.film.price, (price) => api.approveFilm(this.job.operation_id, { price, version: this.job.film.version }), "approve");
  }

  /** Order scenes again; without numbers all that came to nothing. */
  retry(scenes, { price = null, provider = null, description = null } = {}) {
    const wish = { scenes, ...(provider && { provider }), ...(description && { description }) };
    return this.queue(() => this.#agree(price, (agreed) => api.retryScenes(this.job.operation_id, { ...wish, price: agreed }), "retry_scenes", wish));
  }

  cutAgain() {
    return this.queue(async () => {
      store.apply(await api.cutAgain(this.job.operation_id));
      this.changed = false;
      this.redraw();
    });
  }

  // The price that was shown goes with the order. Where it is another one by now, the server says both and the person decides.
  async #agree(price, order, verb, ask = {}) {
    try {
      store.apply(await order(price));
      this.changed = false;
      this.view.say("");
    } catch (problem) {
      const now = problem instanceof ApiError && problem.status === 409 ? await this.#priceNow(ask) : null;
      if (now === null || price === null || now <= price) throw problem;
      if (await this.view.ask(verb, problem.message, t("page.film.agree", { count: now }))) await this.#agree(now, order, verb, ask);
    }
  }

  async #priceNow({ scenes = [], provider = null }) {
    await this.reload();
    if (!scenes.length) return this.job.film.price;
    const { duration, aspect_ratio, resolution, generate_audio, provider: own } = this.job.applied;
    const estimate = await api.estimateFilm({ scenes: scenes.length, provider: provider ?? own, duration, aspect_ratio, resolution, generate_audio });
    return estimate.scenes;
  }

  /** What a scene would cost by the generator's list. */
  scenePrice(name) {
    const price = store.generator(name)?.price;
    return price ? price.flat ?? Math.ceil((price.credits_per_second ?? 0) * (this.job.applied?.duration ?? 0)) : 0;
  }

  /** Generators that could take a scene over. */
  otherGenerators(name) {
    const { duration, aspect_ratio: aspect } = this.job.applied ?? {};
    return store.generators.filter((one) => one.name !== name && one.health === "ok" && one.seconds.includes(duration) && one.aspects.includes(aspect));
  }

  dispose() {
    this.root.remove();
  }
}
