// The pictures that go with a prompt: chosen, dropped or pasted; looked at early, so that a wrong file never travels.
// One is the clip's beginning, several are its references where the generator takes them, and one more may be its end.

import { byId, button, el, iconButton, setText } from "./dom.js";
import { listenToFiles } from "./drops.js";
import { bytes, t } from "./words.js";

const LARGEST = 20_000_000;

/** What the first bytes say this file is; null when they say nothing we know. */
async function sniff(file) {
  const head = new Uint8Array(await file.slice(0, 300).arrayBuffer());
  const text = Array.from(head, (byte) => String.fromCharCode(byte)).join("");
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "PNG";
  if (text.startsWith("\xff\xd8\xff")) return "JPEG";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "WebP";
  if (text.startsWith("GIF8")) return "GIF";
  if (text.slice(4, 8) === "ftyp" && /^(heic|heix|mif1|msf1|hevc|heim)/.test(text.slice(8, 12))) return "HEIC";
  if (text.slice(4, 8) === "ftyp" && text.slice(8, 12) === "avif") return "AVIF";
  if (text.startsWith("%PDF")) return "PDF";
  if (/<svg[\s>]/i.test(text) || file.type === "image/svg+xml") return "SVG";
  return null;
}

// The server decides about the rest (HEIC needs an extra there, of a GIF it takes the first frame).
const WELCOME = new Set(["PNG", "JPEG", "WebP", "GIF", "HEIC"]);

/** A file as it stands in the composer: {file, name, facts, isOpaque}, or {problem} in words. */
async function look(file) {
  const kind = await sniff(file);
  if (!WELCOME.has(kind)) return { problem: t("page.picture.unreadable", { kind: kind || file.type || file.name }) };
  if (file.size > LARGEST) return { problem: t("page.picture.large", { size: bytes(file.size) }) };
  return { file, name: file.name || t("page.picture.pasted"), facts: `${kind} · ${bytes(file.size)}`, isOpaque: kind === "HEIC" };
}

export class Pictures {
  /** `changed()` after every change; `complain(text)` says what is wrong, or "" that nothing is; `room()`: {most, ends(count), title} of the generator; `named()`: what the one picture is here, or "". */
  constructor({ changed, complain, room, named = () => "" }) {
    this.named = named;
    this.changed = changed;
    this.complain = complain;
    this.room = room;
    this.box = byId("picture");
    this.first = byId("picture-file");
    this.end = byId("picture-end-file");
    this.addEnd = byId("picture-end-add");
    this.clear(false);
    byId("picture-add").addEventListener("click", () => this.first.click());
    this.addEnd.addEventListener("click", () => this.end.click());
    for (const input of [this.first, this.end]) {
      input.addEventListener("change", () => {
        this.take([...input.files], { last: input === this.end });
        input.value = "";
      });
    }
    listenToFiles((files, target) => this.take(files, { last: Boolean(target?.closest?.("[data-end]")) }));
  }

  get present() {
    return Boolean(this.count || this.last);
  }

  /** How many there are apart from the last one; those of an earlier job count as one. */
  get count() {
    return this.files.length || (this.reuse ? 1 : 0);
  }

  /** Take these files as far as they are pictures that can work and there is room for them; answers whether any was taken. */
  async take(files, { last = false } = {}) {
    if (!files.length) return false;
    const { most, title } = this.room();
    const isOne = last || most < 2;
    const turn = isOne ? (this.turn += 1) : this.turn;
    const looked = await Promise.all((isOne ? files.slice(0, 1) : files).map(look));
    if (turn !== this.turn) return false;
    const room = isOne ? 1 : Math.max(0, most - this.files.length);
    const good = looked.filter((one) => !one.problem);
    let problem = looked.find((one) => one.problem)?.problem ?? "";
    if (!problem && isOne && files.length > 1) problem = t(last ? "page.picture.end.first" : "page.picture.first");
    if (!problem && good.length > room) problem = t("page.picture.most", { generator: title, most });
    const taken = good.slice(0, room);
    if (taken.length) {
      if (last) this.#forget(this.last);
      else if (isOne) this.files.forEach((one) => this.#forget(one));
      for (const one of taken) one.url = URL.createObjectURL(one.file);
      this.reuse = null;
      if (last) [this.last] = taken;
      else this.files = isOne ? taken : [...this.files, ...taken];
      this.#draw();
    }
    this.complain(problem);
    if (taken.length) this.changed();
    return taken.length > 0;
  }

  /** Keep the pictures of an earlier job; their bytes stay on the server. */
  keep(operation, url) {
    this.clear(false);
    this.reuse = { operation, url, name: t("page.picture.kept"), facts: t("page.picture.kept_text") };
    this.#draw();
    this.changed();
  }

  clear(tell = true) {
    for (const one of this.files ?? []) this.#forget(one);
    this.#forget(this.last);
    this.files = [];
    this.last = null;
    this.reuse = null;
    this.turn = (this.turn ?? 0) + 1;
    this.#draw();
    if (tell) this.changed();
  }

  /** Hand the pictures over to a card: the composer is empty again, the address of the one that the card shows lives on. */
  release() {
    const shown = this.files[0] ?? this.last ?? this.reuse;
    const given = { files: this.files.map((one) => one.file), last: this.last?.file ?? null, reuse: this.reuse?.operation ?? null, url: shown?.url ?? null };
    for (const one of [...this.files, this.last]) if (one !== shown) this.#forget(one);
    this.files = [];
    this.last = null;
    this.clear();
    return given;
  }

  /** Take back what release() handed over. */
  async restore({ files = [], last = null, reuse = null, url = null }) {
    this.clear(false);
    if (reuse) this.keep(reuse, url);
    await this.take(files);
    await this.take(last ? [last] : [], { last: true });
  }

  /** Show on the pictures themselves that they were refused. */
  mark(isBad) {
    this.box.classList.toggle("is-bad", isBad);
  }

  /** Another generator may take more or fewer. */
  fit() {
    if (this.drawn !== this.#shape()) this.#draw();
  }

  /** What of the generator's room shows. */
  #shape() {
    const { most, ends } = this.room();
    return `${most > 1} ${ends(this.count)} ${this.named()}`;
  }

  #forget(one) {
    if (one?.file && one.url) URL.revokeObjectURL(one.url);
  }

  #draw() {
    const { most, ends } = this.room();
    const all = this.reuse ? [this.reuse] : this.files;
    const hasSlot = ends(this.count) && !this.last && !this.reuse;
    const items = all.map((one) => this.#item(one, all.length > 1));
    if (this.last) items.push(this.#item(this.last, false));
    else if (hasSlot && items.length) items.push(el("li", { class: "picture-slot", data: { end: "" } }, button(t("page.picture.end"), { "aria-label": t("page.picture.end.add"), title: t("page.picture.end.add"), on: { click: () => this.end.click() } }, "picture-end")));
    this.drawn = this.#shape();
    this.box.classList.remove("is-bad");
    this.box.replaceChildren(...items);
    this.box.hidden = !items.length;
    this.addEnd.hidden = !hasSlot || items.length > 0;
    this.first.multiple = most > 1;
    const name = this.named() ? t("page.character.add") : t(most > 1 && this.files.length ? "page.picture.add_more" : "page.picture.add");
    const add = byId("picture-add");
    add.setAttribute("aria-label", name);
    add.title = name;
    setText(byId("drop-text"), t(most > 1 && this.files.length ? "page.drop.text_more" : "page.drop.text"));
  }

  #item(one, isTile) {
    const isLast = one === this.last;
    const named = isTile ? t("page.picture.named", { name: one.name }) : t(isLast ? "page.picture.end.preview" : "page.picture.preview");
    const preview = el("img", { class: "picture-preview", alt: named, title: isTile ? one.name : null, src: one.isOpaque ? null : one.url });
    preview.addEventListener("error", () => preview.classList.add("is-unshowable"));
    if (one.isOpaque) preview.classList.add("is-unshowable");
    const away = isTile ? t("page.picture.remove_named", { name: one.name }) : t(isLast ? "page.picture.end.remove" : "page.picture.remove");
    const words = el("div", { class: "picture-words" }, el("strong", { text: isLast ? t("page.picture.end") : this.last ? t("page.picture.begin") : this.named() || one.name, dir: "auto" }), el("span", { text: isLast || this.last ? one.name : one.facts, dir: "auto" }));
    return el("li", { class: `picture-item${isTile ? " is-tile" : ""}`, data: isLast ? { end: "" } : {} }, preview, isTile ? null : words, iconButton(away, "close", { on: { click: () => this.#remove(one) } }));
  }

  #remove(one) {
    const place = [...this.files, this.last].indexOf(one);
    this.#forget(one);
    this.files = this.files.filter((each) => each !== one);
    if (one === this.last) this.last = null;
    if (one === this.reuse) this.reuse = null;
    this.#draw();
    this.complain("");
    this.changed();
    const left = this.box.querySelectorAll(".picture-item .icon-button");
    (left[Math.min(place, left.length - 1)] ?? byId("prompt")).focus();
  }
}
