// The panels around the conversation. With room they stand beside it; without, they lie over it and everything below is inert.

import { byId, memory } from "./dom.js";

const ROOM = { sidebar: matchMedia("(min-width: 1000px)"), options: matchMedia("(min-width: 1180px)"), account: matchMedia("(min-width: 1180px)") };
const SIDE = { sidebar: "left", options: "right", account: "right" };

export class Shell {
  constructor() {
    this.opened = {}; // panel name → the element that opened it
    this.toggles = { sidebar: [byId("sidebar-toggle"), byId("drawer-toggle")], options: [byId("options-toggle"), byId("summary")], account: [byId("account-toggle"), byId("credits")] };
    this.listeners = [];
    byId("scrim").addEventListener("click", () => this.closeOverlay());
    for (const name of Object.keys(ROOM)) {
      byId(`${name}-close`).addEventListener("click", () => this.close(name));
      ROOM[name].addEventListener("change", () => this.#fit());
    }
    byId("options-toggle").addEventListener("click", (event) => this.toggle("options", event.currentTarget));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.#escape(event);
    });
    followKeyboard();
  }

  /** Open what was open last time, where there is room for it. */
  start() {
    const kept = memory.read("panels", { options: true });
    for (const name of ["sidebar", "options"]) if (kept[name] && ROOM[name].matches) this.open(name, null, false);
    this.#fit();
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  isOpen(name) {
    return !byId(name).hidden;
  }

  toggle(name, opener) {
    if (this.isOpen(name)) this.close(name);
    else this.open(name, opener);
  }

  open(name, opener = null, focus = true) {
    for (const other of Object.keys(ROOM)) if (other !== name && (SIDE[other] === SIDE[name] || !ROOM[other].matches)) this.#hide(other);
    const panel = byId(name);
    this.opened[name] = opener;
    panel.hidden = false;
    this.#fit();
    this.#keep(name, opener);
    if (focus) byId(`${name}-close`).focus({ preventScroll: true });
  }

  close(name) {
    if (!this.isOpen(name)) return;
    const panel = byId(name);
    const hadFocus = panel.contains(document.activeElement) || this.#covers(name);
    this.#hide(name);
    // The account stood where the settings were; they come back.
    if (name === "account" && ROOM.options.matches && memory.read("panels", { options: true }).options) byId("options").hidden = false;
    this.#fit();
    this.#keep(name, this.opened[name]);
    const opener = [this.opened[name], ...this.toggles[name]].find((node) => node?.isConnected && node.offsetParent !== null);
    if (hadFocus) (opener ?? byId("prompt")).focus({ preventScroll: true });
    this.opened[name] = null;
  }

  closeOverlay() {
    for (const name of Object.keys(ROOM)) if (this.isOpen(name) && this.#covers(name)) this.close(name);
  }

  #hide(name) {
    byId(name).hidden = true;
  }

  #covers(name) {
    return !ROOM[name].matches;
  }

  #escape(event) {
    const covering = Object.keys(ROOM).find((name) => this.isOpen(name) && this.#covers(name));
    const holding = Object.keys(ROOM).find((name) => byId(name).contains(event.target));
    const name = covering ?? holding;
    if (!name) return;
    event.preventDefault();
    this.close(name);
  }

  #keep(name) {
    if (name === "account" || !ROOM[name].matches) return;
    memory.write("panels", { ...memory.read("panels", { options: true }), [name]: this.isOpen(name) });
  }

  #fit() {
    const covering = Object.keys(ROOM).find((name) => this.isOpen(name) && this.#covers(name));
    byId("scrim").hidden = !covering;
    for (const id of ["rail", "conversation", "sidebar", "options", "account"]) byId(id).inert = Boolean(covering) && id !== covering;
    byId("skip").inert = Boolean(covering);
    for (const [name, nodes] of Object.entries(this.toggles)) for (const node of nodes) node.setAttribute("aria-expanded", String(this.isOpen(name)));
    document.body.dataset.left = this.isOpen("sidebar") && !this.#covers("sidebar") ? "open" : "closed";
    document.body.dataset.right = ["options", "account"].some((name) => this.isOpen(name) && !this.#covers(name)) ? "open" : "closed";
    for (const listener of this.listeners) listener();
  }
}

// Where the on-screen keyboard covers the page instead of shrinking it (iOS), the page takes the height that is left.
function followKeyboard() {
  const view = window.visualViewport;
  if (!view) return;
  const follow = () => {
    const covered = window.innerHeight - view.height > 80 && view.scale === 1;
    document.documentElement.style.setProperty("--page-height", covered ? `${view.height}px` : "100dvh");
    if (covered) window.scrollTo(0, 0);
  };
  view.addEventListener("resize", follow);
}
