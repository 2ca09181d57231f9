// The place on a card where the clip will be. While it is made: a film leader whose dial shows what is known (place in
// line, share done, time so far) over the person's picture. Afterwards: the clip itself, with its poster.

import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { isLive } from "./store.js";
import { number, stopwatch, t } from "./words.js";

const running = new Set(); // stages whose stopwatch ticks
let linked = true; // a stopwatch without a connection would be a guess

setInterval(() => {
  if (linked && !document.hidden) for (const stage of running) stage.tick();
}, 1000);

/** Tell all stopwatches whether the server's news arrive. */
export function setLinked(isLinked) {
  linked = isLinked;
}

// Clips are asked for when they come near the window and let go when they leave it unplayed: a browser opens only six
// connections to one server, and a hundred waiting players would hold them all.
const nearness = new IntersectionObserver((entries) => {
  for (const entry of entries) entry.target.stage?.near(entry.isIntersecting);
}, { rootMargin: "400px 0px" });

export class Stage {
  constructor() {
    this.root = el("div", { class: "stage", hidden: true });
    this.root.stage = this;
    this.kind = "none";
    this.isNear = false;
    nearness.observe(this.root);
  }

  update(job, width, height) {
    this.job = job;
    this.root.style.setProperty("--ratio", `${width} / ${height}`);
    this.root.style.setProperty("--ratio-number", String(width / height));
    // A film's scenes show how far they are, each on its own.
    const kind = job.video_url ? "clip" : isLive(job) && job.kind !== "film" ? "leader" : "none";
    if (kind !== this.kind) this.#become(kind);
    if (kind === "leader") this.#drawLeader();
    if (kind === "clip") this.#drawClip();
  }

  #become(kind) {
    this.kind = kind;
    this.root.hidden = kind === "none";
    this.root.replaceChildren();
    this.root.dataset.kind = kind;
    this.video = null;
    running.delete(this);
    if (kind === "leader") {
      this.backdrop = el("img", { class: "stage-backdrop", alt: "", hidden: true });
      this.figure = el("span", { class: "leader-figure" });
      this.dial = el("div", { class: "leader-dial" }, this.figure);
      this.watch = el("span", { class: "leader-watch" });
      this.root.append(this.backdrop, el("div", { class: "leader", "aria-hidden": "true" }, this.dial, this.watch));
      running.add(this);
    }
  }

  #drawLeader() {
    const { job } = this;
    const bar = job.card?.bar;
    this.dial.style.setProperty("--fraction", String(typeof bar === "number" ? bar : 0));
    this.dial.classList.toggle("is-estimate", Boolean(job.card?.bar_is_estimate));
    let figure = "";
    if (job.state === "queued" && job.queue_position) figure = number(job.queue_position);
    else if (job.state === "unclear") figure = "?";
    else if (typeof bar === "number") figure = number(Math.floor(bar * 100 + 1e-6));
    if (this.figure.textContent !== figure) this.figure.textContent = figure;
    this.figure.classList.toggle("is-percent", typeof bar === "number" && job.state !== "queued" && job.state !== "unclear");
    if (job.source_url && this.backdrop.getAttribute("src") !== job.source_url) {
      this.backdrop.src = job.source_url;
      this.backdrop.hidden = false;
    }
    this.tick();
  }

  /** Write the stopwatch: the server's seconds plus those since it told us. */
  tick() {
    const { job } = this;
    if (!this.watch || typeof job.elapsed_seconds !== "number") return;
    const since = job.received_at && linked ? (performance.now() - job.received_at) / 1000 : 0;
    this.watch.textContent = stopwatch(job.elapsed_seconds + since);
  }

  #drawClip() {
    const { job } = this;
    if (!this.video) {
      this.video = el("video", { controls: true, playsinline: true, preload: "metadata", on: { error: () => this.#broken(), play: (event) => pauseOthers(event.target) } });
      this.root.replaceChildren(this.video);
    }
    this.video.setAttribute("aria-label", t("page.card.clip", { headline: job.card?.headline || job.prompt }));
    if (this.isNear) this.#load();
  }

  #load() {
    const { video, job } = this;
    if (job.thumbnail_url && video.getAttribute("poster") !== job.thumbnail_url) video.poster = job.thumbnail_url;
    if (video.getAttribute("src") !== job.video_url) video.src = job.video_url;
  }

  near(isNear) {
    this.isNear = isNear;
    if (this.kind !== "clip" || !this.video) return;
    if (isNear) this.#load();
    else if (this.video.paused && this.video.currentTime === 0 && this.video.hasAttribute("src")) {
      this.video.removeAttribute("src");
      this.video.load();
    }
  }

  #broken() {
    if (!this.video?.hasAttribute("src")) return;
    const again = button(t("page.clip.reload"), {}, "again");
    const cover = el("div", { class: "stage-broken" }, icon("alert"), el("p", { text: t("page.clip.broken") }), again);
    again.addEventListener("click", () => {
      cover.remove();
      this.video.load();
    });
    this.root.querySelector(".stage-broken")?.remove();
    this.root.append(cover);
  }

  dispose() {
    running.delete(this);
    nearness.unobserve(this.root);
    this.video?.pause();
  }
}

/** One clip plays at a time. */
export function pauseOthers(playing) {
  for (const video of document.querySelectorAll("video")) if (video !== playing) video.pause();
}
