// Four ways to find a clip again: by what was asked, by its picture, by how it looks, and the films.

import { api } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { setIcon } from "./icons.js";
import { Merge } from "./merge.js";
import { isLive, store } from "./store.js";
import { clockTime, day, line, number, shorten, t } from "./words.js";

const PAGE = 40;
const TABS = ["history", "images", "videos", "films"];
const ONLY = { history: null, images: "with_image", videos: "completed", favourites: "favourites", films: "films" };
const SIGNS = { done: "film", awaiting: "film", failed: "alert", cancelled: "stop", unclear: "alert" }; // where there is no picture to show
const BELONGS = { history: () => true, images: (job) => Boolean(job.source_url), videos: (job) => Boolean(job.video_url), favourites: (job) => Boolean(job.favourite && job.video_url), films: (job) => job.kind === "film" || job.kind === "merge" };

export class Sidebar {
  constructor(shell, openJob) {
    this.shell = shell;
    this.openJob = openJob;
    this.list = byId("sidebar-list");
    this.more = byId("sidebar-more");
    this.star = byId("sidebar-favourites");
    this.tab = "history";
    this.pages = {}; // view name → {ids: Set, next, loaded}
    this.tabs = TABS.map((name) => byId(`tab-${name}`));
    this.merge = new Merge({ redraw: () => this.#draw(), opened: (id) => this.#open({ operation_id: id }) });
    this.#listen();
  }

  #listen() {
    for (const name of ["sidebar-toggle", "drawer-toggle"]) byId(name).addEventListener("click", (event) => this.shell.toggle("sidebar", event.currentTarget));
    for (const node of this.tabs) {
      node.addEventListener("click", () => {
        const again = this.shell.isOpen("sidebar") && this.tab === node.dataset.tab && !byId("drawer-tabs").contains(node);
        if (again) this.shell.close("sidebar");
        else this.choose(node.dataset.tab, node);
      });
      node.addEventListener("keydown", (event) => this.#arrow(event, node));
    }
    this.star.addEventListener("click", () => {
      this.onlyStars = !this.onlyStars;
      this.star.setAttribute("aria-pressed", String(this.onlyStars));
      this.#show();
    });
    this.more.addEventListener("click", () => this.#load());
    this.shell.onChange(() => {
      this.#placeTabs();
      if (this.shell.isOpen("sidebar")) this.#show();
      this.#mark();
    });
    for (const name of ["job", "renamed", "gone"]) store.on(name, () => this.#soon());
    matchMedia("(min-width: 700px)").addEventListener("change", () => this.#placeTabs());
  }

  // One tablist: in the rail where there is one, else on top of the drawer.
  #placeTabs() {
    const hasRail = matchMedia("(min-width: 700px)").matches;
    const list = byId("tabs");
    const home = hasRail ? byId("rail") : byId("drawer-tabs");
    if (list.parentElement === home) return;
    if (hasRail) home.insertBefore(list, byId("account-toggle"));
    else home.append(list);
    list.setAttribute("aria-orientation", hasRail ? "vertical" : "horizontal");
    for (const node of this.tabs) {
      node.querySelector(".tab-word")?.remove();
      if (!hasRail) node.append(el("span", { class: "tab-word", text: t(node.dataset.label) }));
    }
  }

  #arrow(event, node) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const at = this.tabs.indexOf(node);
    const next = event.key === "Home" ? 0 : event.key === "End" ? this.tabs.length - 1 : step ? (at + step + this.tabs.length) % this.tabs.length : -1;
    if (next < 0) return;
    event.preventDefault();
    this.tabs[next].focus();
    if (this.shell.isOpen("sidebar")) this.choose(this.tabs[next].dataset.tab, null);
  }

  choose(tab, opener) {
    this.tab = tab;
    if (!this.shell.isOpen("sidebar")) this.shell.open("sidebar", opener, false);
    this.#show();
    this.#mark();
  }

  #mark() {
    const open = this.shell.isOpen("sidebar");
    for (const node of this.tabs) {
      const chosen = open && node.dataset.tab === this.tab;
      node.setAttribute("aria-selected", String(chosen));
      node.tabIndex = node.dataset.tab === this.tab ? 0 : -1;
    }
  }

  get #view() {
    return this.tab === "videos" && this.onlyStars ? "favourites" : this.tab;
  }

  #page() {
    return (this.pages[this.#view] ??= { next: null, loaded: false });
  }

  #show() {
    setText(byId("sidebar-title"), t(`page.sidebar.${this.tab}`));
    this.star.hidden = this.tab !== "videos";
    setText(this.star, "");
    this.star.hidden = this.tab !== "videos";
    setIcon(this.star, this.onlyStars ? "star-full" : "star");
    this.star.append(t("page.sidebar.favourites"));
    this.merge.show(this.tab === "videos");
    this.list.dataset.view = { history: "lines", films: "films" }[this.tab] ?? "tiles";
    this.#draw();
    if (!this.#page().loaded) this.#load();
  }

  async #load() {
    const page = this.#page();
    if (page.loading) return;
    page.loading = true;
    this.more.disabled = true;
    try {
      const answer = await api.operations({ limit: PAGE, before: page.next, only: ONLY[this.#view] });
      page.next = answer.next ?? null;
      page.loaded = true;
      page.floor = answer.operations.at(-1)?.created_at ?? page.floor;
      for (const job of answer.operations) store.apply(job, answer.asked);
      page.trouble = false;
    } catch {
      page.trouble = true;
    } finally {
      page.loading = false;
      this.more.disabled = false;
      this.#draw();
    }
  }

  #soon() {
    if (this.drawing || !this.shell.isOpen("sidebar")) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.#draw();
    });
  }

  #draw() {
    const page = this.#page();
    const belongs = BELONGS[this.#view];
    const jobs = [...store.jobs.values()]
      .filter((job) => !job.local && belongs(job) && (!page.next || !page.floor || job.created_at >= page.floor))
      .sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
    const known = new Map([...this.list.children].map((node) => [node.dataset.key, node]));
    const wanted = [];
    let last = null;
    for (const job of jobs) {
      const name = this.tab === "history" ? day(job.created_at) : null;
      if (name && name !== last) wanted.push(known.get(`day:${name}`) ?? el("li", { class: "sidebar-day", text: name, data: { key: `day:${name}` } }));
      last = name;
      const place = this.merge.on && this.tab === "videos" ? this.merge.placeOf(job) : "";
      const key = `${this.tab}:${job.operation_id}:${job.state}:${job.favourite}:${isLive(job) ? job.card?.state_line : ""}:${place}:${job.thumbnail_url ?? ""}`;
      wanted.push(known.get(key) ?? this.#item(job, key));
    }
    const focused = document.activeElement?.closest?.("#sidebar-list [data-id]")?.dataset.id;
    if (wanted.length !== this.list.children.length || wanted.some((node, at) => this.list.children[at] !== node)) this.list.replaceChildren(...wanted);
    if (focused && !this.list.contains(document.activeElement)) this.list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    const empty = byId("sidebar-empty");
    setText(empty, jobs.length || page.loading ? "" : t(page.trouble ? "page.history.trouble" : `page.sidebar.empty.${this.#view}`));
    this.more.hidden = !page.next && !page.trouble;
  }

  #item(job, key) {
    const name = job.card?.headline || shorten(job.prompt || "") || t("page.picture.headline");
    const open = el("button", { type: "button", class: "sidebar-item", data: { id: job.operation_id }, on: { click: () => (this.#chooses ? this.merge.pick(job) : this.#open(job)) } });
    if (this.tab === "films") {
      const preview = job.thumbnail_url ?? job.film?.scenes.find((scene) => scene.thumbnail_url)?.thumbnail_url ?? job.film?.character_url;
      open.append(
        preview ? el("img", { class: "film-still", src: preview, alt: "", loading: "lazy", decoding: "async" }) : el("span", { class: "film-still", icon: "film" }),
        el("span", { class: "sidebar-words" }, el("span", { class: "sidebar-name", text: name, dir: "auto" }), el("span", { class: "sidebar-state", data: { state: job.state }, text: isLive(job) ? job.card?.state_line ?? "" : line([job.kind === "film" && job.film?.scenes.length && t("page.film.count", { count: job.film.scenes.length }), job.state === "done" ? clockTime(job.created_at) : t(`page.state.${job.state}`)]) })));
      if (job.favourite) setIcon(open.appendChild(el("span", { class: "tile-star" })), "star-full");
    } else if (this.tab === "history") {
      const preview = job.thumbnail_url ?? job.source_url;
      open.append(
        preview ? el("img", { class: "sidebar-thumb", src: preview, alt: "", loading: "lazy", decoding: "async" }) : el("span", { class: "sidebar-thumb", data: { state: job.state }, icon: SIGNS[job.state] ?? "clock" }),
        el("span", { class: "sidebar-words" }, el("span", { class: "sidebar-name", text: name, dir: "auto" }), el("span", { class: "sidebar-state", data: { state: job.state }, text: isLive(job) ? job.card?.state_line ?? "" : `${clockTime(job.created_at)} · ${t(`page.state.${job.state}`)}` })));
      if (job.favourite) setIcon(open.appendChild(el("span", { class: "sidebar-star" })), "star-full");
    } else {
      const image = this.tab === "images" ? job.source_url : job.thumbnail_url;
      const place = this.#chooses ? this.merge.placeOf(job) : 0;
      open.setAttribute("aria-label", place ? t("page.merge.chosen", { name, place }) : name);
      if (this.#chooses) open.setAttribute("aria-pressed", String(place > 0));
      open.title = name;
      open.append(image ? el("img", { class: "tile", src: image, alt: "", loading: "lazy", decoding: "async" }) : el("span", { class: "tile" }));
      if (job.favourite) setIcon(open.appendChild(el("span", { class: "tile-star" })), "star-full");
      if (place) open.append(el("span", { class: "tile-place", text: number(place) }));
    }
    return el("li", { data: { key } }, open);
  }

  /** Whether a click chooses a clip to be put together with others. */
  get #chooses() {
    return this.merge.on && this.tab === "videos";
  }

  async #open(job) {
    this.shell.closeOverlay();
    await this.openJob(job.operation_id);
  }
}
