// The conversation: cards in order, the oldest on top. Loads older ones when the person scrolls up, stays at the end
// while they are there, and never moves what they are reading.

import { CardView } from "./card.js";
import { byId, el } from "./dom.js";
import { store } from "./store.js";
import { day, t } from "./words.js";
import { api } from "./api.js";

const PAGE = 20;
const LOOKING_BACK = 40; // pages that opening an old card may load

export class Thread {
  /** `run(verb, view, value)` carries out a card's action; `welcome` draws the empty state. */
  constructor(run, welcome) {
    this.run = run;
    this.welcome = welcome;
    this.scroller = byId("scroller");
    this.list = byId("thread");
    this.older = byId("older");
    this.latest = byId("latest");
    this.views = new Map();
    this.next = null;
    this.loaded = false;
    this.pinned = true;
    this.#listen();
  }

  #listen() {
    store.on("job", ({ job }) => this.#take(job));
    store.on("renamed", (change) => this.#rename(change));
    store.on("gone", ({ id }) => this.#drop(id));
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.latest.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(byId("thread-wrap"));
    new ResizeObserver(() => {
      // The composer below has no scrollbar; it keeps the same margins, so that both stand on one line.
      byId("conversation").style.setProperty("--gutter", `${(this.scroller.offsetWidth - this.scroller.clientWidth) / 2}px`);
      if (this.pinned) this.toEnd();
    }).observe(this.scroller);
    this.sentinel = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.loaded && this.loadOlder(), { root: this.scroller, rootMargin: "800px 0px 0px" });
    this.sentinel.observe(this.older);
  }

  /** Draw skeletons until the first page is here. */
  skeleton() {
    const bone = () => el("li", { class: "item skeleton", "aria-hidden": "true" }, el("div", { class: "card" }, el("span", { class: "bone is-title" }), el("span", { class: "bone is-line" }), el("span", { class: "bone is-stage" })));
    this.list.replaceChildren(bone(), bone());
    this.list.setAttribute("aria-busy", "true");
  }

  /** Load the newest page. Raises what the call raises. */
  async start() {
    const page = await api.operations({ limit: PAGE });
    this.list.replaceChildren();
    this.list.removeAttribute("aria-busy");
    this.loaded = true;
    this.next = page.next ?? null;
    for (const job of [...page.operations].reverse()) store.apply(job, page.asked);
    this.#settle();
    this.toEnd();
  }

  /** After a gap in the news: take the newest page again, so that nothing that happened meanwhile is missing. */
  async refresh() {
    const before = [...this.views]; // what is ordered while the answer is under way is not in it
    const page = await api.operations({ limit: PAGE });
    const told = new Set(page.operations.map((job) => job.operation_id));
    const oldest = page.operations.at(-1)?.created_at;
    for (const job of [...page.operations].reverse()) store.apply(job, page.asked);
    // A card inside this page's span that the server does not list any more was deleted elsewhere.
    for (const [id, view] of before) {
      if (!view.job.local && !told.has(id) && (!page.next || (oldest && view.job.created_at > oldest))) store.remove(id);
    }
  }

  async loadOlder() {
    if (!this.next || this.loading) return;
    this.loading = true;
    this.older.classList.add("is-busy");
    try {
      const page = await api.operations({ limit: PAGE, before: this.next });
      const anchor = this.#anchor();
      this.next = page.next ?? null;
      this.floor = page.operations.at(-1)?.created_at ?? this.floor;
      for (const job of [...page.operations].reverse()) store.apply(job, page.asked);
      this.#settle();
      anchor();
      this.failed = false;
    } catch {
      this.failed = true; // the next scroll, or the connection's return, asks again
    } finally {
      this.loading = false;
      this.older.classList.toggle("is-busy", false);
    }
  }

  // Browsers with scroll anchoring need no help; the others get exactly the difference.
  #anchor() {
    const top = this.scroller.getBoundingClientRect().top;
    const first = [...this.list.children].find((node) => node.getBoundingClientRect().bottom > top);
    const before = first?.getBoundingClientRect().top;
    return () => {
      if (first) this.scroller.scrollTop += first.getBoundingClientRect().top - before;
    };
  }

  /** Scroll to a card and point at it, loading pages until it is there. False when it no longer exists. */
  async open(id) {
    for (let page = 0; !this.views.has(id) && this.next && page < LOOKING_BACK; page += 1) {
      await this.loadOlder();
      if (this.failed) return false;
    }
    const view = this.views.get(id);
    if (!view) return false;
    this.pinned = false;
    view.root.scrollIntoView({ block: "center" });
    // Cards that were never drawn have a guessed height; once they are drawn the place may have moved.
    requestAnimationFrame(() => {
      view.root.scrollIntoView({ block: "center" });
      view.point();
    });
    return true;
  }

  #take(job) {
    const view = this.views.get(job.operation_id);
    if (view) {
      view.update(job);
      return;
    }
    if (!this.loaded || !this.#belongs(job)) return;
    const fresh = new CardView(job, this.run);
    this.views.set(job.operation_id, fresh);
    this.#place(fresh);
    if (job.local) {
      this.#settle();
      this.toEnd();
    } else this.#settleSoon();
  }

  // A job that the sidebar loaded may be older than everything here; it joins when its page is loaded.
  #belongs(job) {
    if (job.local || !this.next) return true;
    const first = this.list.querySelector(".item")?.dataset.id;
    const oldest = this.floor ?? (first && this.views.get(first)?.job.created_at);
    return !oldest || job.created_at >= oldest;
  }

  #place(view) {
    let node = this.list.lastElementChild;
    while (node && after(this.views.get(node.dataset.id)?.job, view.job)) node = node.previousElementSibling;
    if (node) node.after(view.root);
    else this.list.prepend(view.root);
  }

  #rename({ from, job, doubled }) {
    const view = this.views.get(from);
    this.views.delete(from);
    if (!view) return;
    if (doubled && this.views.has(job.operation_id)) {
      view.dispose();
      this.views.get(job.operation_id).update(job);
    } else {
      this.views.set(job.operation_id, view);
      view.update(job);
    }
    this.#settle();
  }

  #drop(id) {
    const view = this.views.get(id);
    if (!view) return;
    const hadFocus = view.root.contains(document.activeElement);
    const neighbour = view.root.nextElementSibling ?? view.root.previousElementSibling;
    this.views.delete(id);
    view.dispose();
    if (hadFocus) (this.views.get(neighbour?.dataset.id)?.card ?? byId("prompt")).focus();
    this.#settle();
    if (!this.views.size && this.next) this.loadOlder();
  }

  #settleSoon() {
    if (this.settling) return;
    this.settling = true;
    requestAnimationFrame(() => {
      this.settling = false;
      this.#settle();
    });
  }

  // Days between the cards, and the welcome when there are none.
  #settle() {
    let last = null;
    for (const node of this.list.children) {
      const view = this.views.get(node.dataset.id);
      if (!view) continue;
      const name = view.job.created_at ? day(view.job.created_at) : last;
      view.setDay(name === last ? "" : name);
      last = name;
    }
    const empty = this.loaded && !this.views.size && !this.next;
    this.welcome(empty);
    if (this.pinned) this.toEnd();
  }

  #scrolled() {
    const left = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
    this.pinned = left < 64;
    this.latest.hidden = left < this.scroller.clientHeight * 0.6 || !this.views.size;
    if (this.failed && this.scroller.scrollTop < 400) {
      this.failed = false;
      this.loadOlder();
    }
  }

  toEnd() {
    this.pinned = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** The words for the state in which the history could not be loaded. */
  trouble(retry) {
    this.list.removeAttribute("aria-busy");
    const again = el("button", { class: "button", type: "button", text: t("page.retry"), on: { click: retry } });
    this.list.replaceChildren(el("li", { class: "trouble" }, el("span", { data: { icon: "cloud" }, icon: "cloud" }), el("p", { text: t("page.history.trouble") }), again));
  }
}

function after(one, other) {
  if (!one) return false;
  if (one.local !== other.local) return Boolean(one.local);
  return one.created_at > other.created_at;
}
