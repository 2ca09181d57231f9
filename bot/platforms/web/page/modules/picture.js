// The picture that goes with a prompt: chosen, dropped or pasted; looked at early, so that a wrong file never travels.

import { byId, el, iconButton } from "./dom.js";
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

export class Picture {
  /** `changed()` after every change; `complain(text)` says what is wrong with a file, or "" that nothing is. */
  constructor({ changed, complain }) {
    this.changed = changed;
    this.complain = complain;
    this.box = byId("picture");
    this.input = byId("picture-file");
    this.clear(false);
    byId("picture-add").addEventListener("click", () => this.input.click());
    this.input.addEventListener("change", () => {
      this.take([...this.input.files]);
      this.input.value = "";
    });
    this.#listenToDrops();
    document.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
      if (!files.length) return;
      event.preventDefault();
      this.take(files);
    });
  }

  get present() {
    return Boolean(this.file || this.reuse);
  }

  /** Take the first of these files if it is a picture that can work; answers whether it was. */
  async take(files) {
    if (!files.length) return false;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const [file] = files;
    const kind = await sniff(file);
    if (turn !== this.turn) return false;
    const problem = !WELCOME.has(kind)
      ? t("page.picture.unreadable", { kind: kind || file.type || file.name })
      : file.size > LARGEST ? t("page.picture.large", { size: bytes(file.size) }) : "";
    if (problem) {
      this.complain(problem);
      return false;
    }
    this.#forgetUrl();
    this.file = file;
    this.reuse = null;
    this.url = URL.createObjectURL(file);
    this.complain(files.length > 1 ? t("page.picture.first") : "");
    this.#draw(file.name || t("page.picture.pasted"), `${kind} · ${bytes(file.size)}`, kind === "HEIC");
    this.changed();
    return true;
  }

  /** Keep the picture of an earlier job; its bytes stay on the server. */
  keep(operation, url) {
    this.#forgetUrl();
    this.file = null;
    this.reuse = operation;
    this.url = url;
    this.#draw(t("page.picture.kept"), t("page.picture.kept_text"), false);
    this.changed();
  }

  clear(tell = true) {
    this.#forgetUrl();
    this.file = null;
    this.reuse = null;
    this.url = null;
    this.box.replaceChildren();
    this.box.hidden = true;
    if (tell) this.changed();
  }

  /** Hand the picture over to a card: the composer is empty again, the preview's address lives on. */
  release() {
    const given = { file: this.file, reuse: this.reuse, url: this.url };
    this.url = null;
    this.clear();
    return given;
  }

  /** Show on the picture itself that it was refused. */
  mark(isBad) {
    this.box.classList.toggle("is-bad", isBad);
  }

  #forgetUrl() {
    if (this.file && this.url) URL.revokeObjectURL(this.url);
  }

  #draw(name, facts, isOpaque) {
    const preview = el("img", { class: "picture-preview", alt: t("page.picture.preview"), src: isOpaque ? null : this.url });
    preview.addEventListener("error", () => preview.classList.add("is-unshowable"));
    if (isOpaque) preview.classList.add("is-unshowable");
    const away = iconButton(t("page.picture.remove"), "close", { on: { click: () => {
      this.clear();
      this.complain("");
      byId("prompt").focus();
    } } });
    this.box.classList.remove("is-bad");
    this.box.replaceChildren(preview, el("div", { class: "picture-words" }, el("strong", { text: name, dir: "auto" }), el("span", { text: facts })), away);
    this.box.hidden = false;
  }

  #listenToDrops() {
    const target = byId("conversation");
    const veil = byId("drop");
    let depth = 0;
    const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const show = (visible) => {
      if (visible) {
        const { left, top, width, height } = target.getBoundingClientRect();
        for (const [key, value] of Object.entries({ left, top, width, height })) veil.style.setProperty(key, `${value}px`);
      }
      veil.hidden = !visible;
    };
    addEventListener("dragenter", (event) => {
      if (!carriesFiles(event) || target.inert) return;
      event.preventDefault();
      depth += 1;
      show(true);
    });
    addEventListener("dragleave", () => {
      depth = Math.max(0, depth - 1);
      if (!depth) show(false);
    });
    addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    });
    addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth = 0;
      show(false);
      if (target.inert) return;
      this.take([...event.dataTransfer.files]);
      byId("prompt").focus();
    });
  }
}
