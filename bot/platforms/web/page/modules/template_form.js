// Templates among the settings: one is chosen, its places are filled in, and the prompt can be kept as one.

import { ApiError, api } from "./api.js";
import { button, el, iconButton, setText } from "./dom.js";
import { t } from "./words.js";

/** The place of the prompt itself, which is written where prompts are. */
const WHOLE = "prompt";
const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

export class TemplateForm {
  /** `changed()` after every change; `prompt()` gives the words that would be kept. */
  constructor({ changed, prompt }) {
    this.changed = changed;
    this.prompt = prompt;
    this.known = [];
    this.fill = {};
    this.select = el("select", { id: "option-template", class: "input", on: { change: () => this.choose(this.select.value) } });
    this.away = iconButton(t("page.template.forget"), "trash", { hidden: true, on: { click: () => this.#forget() } });
    this.text = el("p", { class: "field-note template-text", dir: "auto", hidden: true });
    this.places = el("div", { class: "template-places" });
    this.name = el("input", { id: "template-name", class: "input", type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 32, placeholder: t("page.template.name"), "aria-label": t("page.template.name") });
    this.name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.#keep();
    });
    this.note = el("p", { class: "field-note", role: "status" });
    this.keeping = el("details", { class: "template-keep" },
      el("summary", { text: t("page.template.keep") }),
      el("p", { class: "field-note", text: t("page.template.note", { first: "{subject}", second: "{time|at dusk}" }) }),
      el("div", { class: "input-row" }, this.name, button(t("page.template.save"), { data: { template: "keep" }, on: { click: () => this.#keep() } })),
      this.note);
    this.panel = el("div", { class: "field" },
      el("label", { class: "field-name", for: this.select.id, text: t("page.template") }),
      el("div", { class: "input-row" }, this.select, this.away), this.text, this.places, this.keeping);
    this.#draw();
  }

  /** Ask for the templates, once. */
  async meet() {
    if (this.met) return;
    this.met = true;
    try {
      this.known = (await api.templates()).templates;
    } catch {
      this.met = false;
    }
    this.#draw();
  }

  get chosen() {
    return this.known.find((one) => one.name === this.wanted);
  }

  choose(name) {
    this.wanted = name || undefined;
    this.fill = {};
    this.#draw();
    this.changed();
  }

  /** Whether the template makes a prompt of its own, so that none has to be written. */
  get speaks() {
    return Boolean(this.chosen) && !(WHOLE in this.chosen.places && this.chosen.places[WHOLE] === null);
  }

  /** The places that must be filled in and are not. */
  get missing() {
    return this.#own().filter(([name, usual]) => usual === null && !this.fill[name]?.trim()).map(([name]) => name);
  }

  /** Bring the person to the first of them. */
  showMissing() {
    document.getElementById(`template-place-${this.missing[0]}`)?.focus();
  }

  wish() {
    if (!this.chosen) return {};
    const fill = Object.fromEntries(this.#own().map(([name]) => [name, this.fill[name]?.trim()]).filter(([, text]) => text));
    return { template: this.wanted, ...(Object.keys(fill).length && { fill }) };
  }

  /** Take over what an earlier order said; the next one has no template by itself. */
  load({ template, fill } = {}) {
    this.wanted = template;
    this.fill = { ...fill };
    this.#draw();
  }

  #own() {
    return Object.entries(this.chosen?.places ?? {}).filter(([name]) => name !== WHOLE);
  }

  #draw() {
    const group = (label, list) => (list.length ? el("optgroup", { label }, ...list.map((one) => el("option", { value: one.name, text: one.name }))) : null);
    this.select.replaceChildren(...[
      el("option", { value: "", text: t("page.template.none") }),
      group(t("page.template.own"), this.known.filter((one) => one.own)),
      group(t("page.template.given"), this.known.filter((one) => !one.own)),
    ].filter(Boolean));
    const { chosen } = this;
    this.select.value = chosen?.name ?? "";
    this.away.hidden = !chosen?.own;
    setText(this.text, chosen?.text ?? "");
    this.places.replaceChildren(...this.#own().map(([name, usual]) => {
      const input = el("input", { id: `template-place-${name}`, class: "input", type: "text", dir: "auto", maxlength: 500, autocomplete: "off", value: this.fill[name] ?? "", placeholder: usual ?? "", on: { input: () => {
        this.fill[name] = input.value;
        this.changed();
      } } });
      return el("div", { class: "field" }, el("label", { class: "field-name", for: input.id, text: name.replaceAll("_", " ") }), input);
    }));
  }

  async #keep() {
    const name = this.name.value.trim().toLowerCase();
    const text = this.prompt();
    if (!text || !NAME.test(name)) {
      this.#tell(t(text ? "page.template.nameless" : "page.template.empty"), true);
      return;
    }
    await this.#carryOut(async () => {
      this.known = (await api.saveTemplate(name, text)).templates;
      this.name.value = "";
      this.#tell(t("page.template.kept", { name }));
    });
  }

  async #forget() {
    const { name } = this.chosen;
    await this.#carryOut(async () => {
      await api.dropTemplate(name);
      this.known = (await api.templates()).templates;
      this.choose("");
      this.select.focus();
    });
  }

  async #carryOut(work) {
    try {
      await work();
      this.#draw();
    } catch (problem) {
      this.keeping.open = true;
      this.#tell(problem instanceof ApiError && problem.message ? problem.message : t("page.unreachable"), true);
    }
  }

  #tell(text, isBad = false) {
    setText(this.note, text);
    this.note.classList.toggle("is-bad", isBad);
  }
}
