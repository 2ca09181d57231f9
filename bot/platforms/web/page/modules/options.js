// The settings of the next clip. Only what the person touched is sent; the rest is the generator's own choice, shown as such.

import { byId, el, iconButton, memory, setChildren, setText } from "./dom.js";
import { icon } from "./icons.js";
import { store } from "./store.js";
import { duration, line, number, t } from "./words.js";

const REMEMBERED = ["aspect_ratio", "resolution", "duration", "provider", "generate_audio", "model"];
const FIELDS = [...REMEMBERED, "negative_prompt", "seed", "variations"];
const LISTS = { aspect_ratio: "aspects", resolution: "resolutions", duration: "seconds" };
const FIRST_CHOICE = { aspect_ratio: "16:9", resolution: "720p", duration: 8, variations: 1 };
const LARGEST_SEED = 4_294_967_295;

export class Options {
  constructor(shell) {
    this.shell = shell;
    this.body = byId("options-body");
    this.summary = byId("summary");
    this.explicit = memory.read("choices", {});
    this.applied = {};
    this.mode = "clip";
    this.film = null; // FilmForm
    this.templates = null; // TemplateForm
    this.badSeed = null; // what was typed as a seed and is none; it stays there to be mended
    this.listeners = [];
    byId("options-reset").addEventListener("click", () => this.reset());
    this.summary.addEventListener("click", () => shell.toggle("options", this.summary));
    store.on("generators", () => this.#rebuild());
    store.on("me", () => this.#drawSummary());
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  /** Show what belongs to a clip or to a film. */
  setMode(mode) {
    if (this.mode === mode) return;
    this.mode = mode;
    this.#rebuild();
  }

  get isFilm() {
    return this.mode === "film";
  }

  get generator() {
    return store.generator(this.explicit.provider) ?? store.generator(store.me?.settings?.provider) ?? store.generator(store.defaultGenerator);
  }

  get isDefaultGenerator() {
    return this.generator?.name === store.defaultGenerator;
  }

  /** What will be used for this field: chosen, applied by the server, the account's habit, or the usual. */
  value(field) {
    if (this.explicit[field] !== undefined) return this.explicit[field];
    if (this.applied[field] !== undefined && this.applied[field] !== null) return this.applied[field];
    const habit = store.me?.settings?.[field];
    const offered = this.generator?.[LISTS[field]];
    if (field === "variations") return 1;
    if (!offered) return habit ?? (field === "generate_audio" ? Boolean(this.generator?.audio) : undefined);
    if (habit !== null && habit !== undefined && offered.includes(habit)) return habit;
    if (offered.includes(FIRST_CHOICE[field])) return FIRST_CHOICE[field];
    return field === "duration" ? nearest(offered, FIRST_CHOICE.duration) : offered[0];
  }

  /** What is wrong with the settings, in words, or "". */
  get fault() {
    if (this.templates.missing.length) return t("page.template.missing", { places: this.templates.missing.join(", ") });
    return this.badSeed !== null && this.generator?.seed && !this.isFilm ? t("page.options.seed_bad", { largest: number(LARGEST_SEED) }) : "";
  }

  /** The fields that the person set and that this generator knows. */
  wish() {
    const wish = {};
    for (const field of FIELDS) {
      const value = this.explicit[field];
      if (value === undefined || value === null || value === "") continue;
      if (this.#offers(field, value)) wish[field] = value;
    }
    return wish;
  }

  #offers(field, value) {
    const { generator } = this;
    if (!generator) return false;
    if (field === "variations") return !this.isFilm && value > 1;
    if (this.isFilm && field === "seed") return false; // the scenes share a look that is the film's own
    if (field in LISTS) return generator[LISTS[field]].includes(value);
    if (field === "provider") return Boolean(store.generator(value));
    if (field === "model") return generator.models.includes(value);
    if (field === "generate_audio") return canMute(generator);
    return Boolean(generator[field]);
  }

  /** "8 s · 16:9 · 720p · Built-in generator", as cards say it. */
  facts() {
    const seconds = this.value("duration");
    const seed = this.wish().seed;
    return [this.isFilm && this.film.facts, seconds && t("page.seconds", { count: seconds }), this.value("aspect_ratio"), this.value("resolution"), this.generator?.title, seed !== undefined && t("page.options.seed_fact", { seed: String(seed) })].filter(Boolean).join(" · ");
  }

  /** The price by the generator's list, or null while nothing is known. */
  listPrice() {
    const price = this.generator?.price;
    if (!price) return null;
    const each = price.flat ?? Math.ceil((price.credits_per_second ?? 0) * (this.value("duration") ?? 0));
    return each * (this.isFilm ? this.film.values.scenes : this.wish().variations ?? 1);
  }

  choose(field, value) {
    if (field === "variations" && value === 1) value = null;
    if (value === undefined || value === null || value === "") delete this.explicit[field];
    else this.explicit[field] = value;
    this.#remember();
    if (field === "provider") this.#rebuild();
    else this.#sync();
    this.#tell();
  }

  /** Take an earlier job's wishes for the next order only; restore() brings the person's own back. */
  load(wanted) {
    this.own ??= { ...this.explicit };
    this.explicit = {};
    this.badSeed = null;
    for (const field of FIELDS) if (wanted[field] !== undefined && wanted[field] !== null) this.explicit[field] = field === "duration" ? Number(wanted[field]) : wanted[field];
    this.#rebuild();
    this.#tell();
  }

  restore() {
    if (!this.own) return;
    this.explicit = this.own;
    this.own = null;
    this.badSeed = null;
    this.#rebuild();
    this.#tell();
  }

  reset() {
    this.explicit = {};
    this.own = null;
    this.badSeed = null;
    this.#remember();
    this.#rebuild();
    this.#tell();
    byId("options-body").querySelector("input, select, textarea")?.focus();
  }

  /** The least that the cheapest generator asks for. */
  cheapest() {
    const cost = (one) => one.price?.flat ?? one.price?.credits_per_second ?? 0;
    const open = store.generators.filter((one) => one.health === "ok" && (this.suits?.(one) ?? true));
    const best = [...open].sort((a, b) => cost(a) - cost(b))[0] ?? this.generator;
    this.explicit = { ...this.explicit, provider: best.name, duration: Math.min(...best.seconds), resolution: best.resolutions[0] };
    this.#rebuild();
    this.#tell();
    this.show();
  }

  /** Any healthy generator but this one. */
  another(name) {
    const open = store.generators.filter((one) => one.name !== name && one.health === "ok");
    const other = open.find((one) => this.suits?.(one) ?? true) ?? open[0];
    if (other) this.choose("provider", other.name);
    this.show();
  }

  show() {
    this.shell.open("options", this.summary);
  }

  /** Bring the person to what is wrong. */
  showFault() {
    this.show();
    if (this.templates.missing.length) this.templates.showMissing();
    else byId("option-seed").focus();
  }

  /** What the server said it would apply; fields that nobody chose show it. */
  setApplied(applied) {
    this.applied = applied.provider && applied.provider !== this.generator?.name ? {} : applied;
    this.#sync();
  }

  #remember() {
    if (this.own) return;
    const kept = Object.fromEntries(REMEMBERED.filter((field) => this.explicit[field] !== undefined).map((field) => [field, this.explicit[field]]));
    memory.write("choices", Object.keys(kept).length ? kept : null);
  }

  #tell() {
    for (const listener of this.listeners) listener();
  }

  #rebuild() {
    const { generator } = this;
    this.applied = {};
    this.controls = [];
    if (!generator) return;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.id : null;
    const isFilm = this.mode === "film";
    this.body.replaceChildren(...[
      isFilm ? this.film.panel : null,
      this.templates?.panel,
      this.#generators(),
      this.#models(generator),
      this.#segments("aspect_ratio", generator.aspects, t("page.options.aspect"), (value) => value, glyph),
      this.#segments("duration", generator.seconds, t(isFilm ? "page.film.seconds" : "page.options.seconds"), (value) => t("page.seconds", { count: value })),
      this.#segments("resolution", generator.resolutions, t("page.options.resolution"), (value) => value),
      canMute(generator) ? this.#sound() : null,
      generator.negative_prompt ? this.#negative() : null,
      generator.seed && !isFilm ? this.#seed() : null,
      isFilm ? null : this.#segments("variations", [1, 2, 3, 4], t("page.options.variations"), (value) => number(value)),
      this.#notes(generator),
    ].filter(Boolean));
    this.#sync();
    if (focused) document.getElementById(focused)?.focus();
  }

  #sync() {
    for (const sync of this.controls ?? []) sync();
    const touched = this.badSeed !== null || FIELDS.some((field) => this.explicit[field] !== undefined);
    byId("options-reset").hidden = !touched;
    this.#drawSummary();
  }

  #drawSummary() {
    const seconds = this.value("duration");
    if (!this.generator) return;
    const extras = this.wish();
    const count = this.wish().variations ?? 1;
    const text = [this.isFilm && this.film.facts, count > 1 && t("page.options.times", { count }), this.value("aspect_ratio"), seconds && t("page.seconds", { count: seconds }), this.value("resolution")].filter(Boolean).join(" · ");
    const more = [extras.seed !== undefined && t("page.options.seed_fact", { seed: String(extras.seed) }), extras.negative_prompt && t("page.options.negative_fact")].filter(Boolean).join(" · ");
    setChildren(this.summary, icon("sliders"), el("span", { text }), more ? el("span", { class: "summary-more", text: ` · ${more}` }) : "", store.generators.length > 1 ? el("span", { class: "summary-more summary-maker", text: ` · ${this.generator.title}` }) : "");
    this.summary.setAttribute("aria-label", t("page.options.summary", { settings: this.facts() }));
  }

  #generators() {
    if (store.generators.length < 2) {
      const [only] = store.generators;
      return el("div", { class: "field" }, el("span", { class: "field-name", text: t("page.options.generator") }), el("p", { class: "field-only" }, el("strong", { text: only.title }), el("span", { class: "quiet", text: about(only) })), health(only));
    }
    const set = el("fieldset", { class: "field" }, el("legend", { class: "field-name", text: t("page.options.generator") }));
    for (const one of store.generators) {
      const input = el("input", { type: "radio", name: "provider", value: one.name, id: `option-provider-${one.name}`, class: "visually-hidden", on: { change: () => this.choose("provider", one.name) } });
      this.controls.push(() => {
        input.checked = this.generator?.name === one.name;
      });
      set.append(input, el("label", { class: "maker", for: input.id, data: { health: one.health } }, el("span", { class: "maker-title" }, el("strong", { text: one.title }), el("span", { class: "maker-price", text: perClip(one, this.value("duration")) })), el("span", { class: "quiet", text: about(one) }), health(one)));
    }
    return set;
  }

  #models(generator) {
    if ((generator.models ?? []).length < 2) return null;
    const select = el("select", { id: "option-model", class: "input", on: { change: () => this.choose("model", select.value === generator.default_model ? null : select.value) } }, ...generator.models.map((name) => el("option", { value: name, text: name })));
    this.controls.push(() => {
      select.value = this.wish().model ?? generator.default_model;
    });
    return el("div", { class: "field" }, el("label", { class: "field-name", for: select.id, text: t("page.options.model") }), select);
  }

  #segments(field, values, title, name, sign = () => null) {
    const set = el("fieldset", { class: "field" }, el("legend", { class: "field-name", text: title }));
    const row = el("div", { class: "segments" });
    for (const value of values) {
      const input = el("input", { type: "radio", name: field, value, id: `option-${field}-${value}`, class: "visually-hidden", on: { change: () => this.choose(field, value) } });
      this.controls.push(() => {
        input.checked = String(this.value(field)) === String(value);
      });
      row.append(input, el("label", { class: "segment", for: input.id }, sign(value) ?? "", el("span", { text: name(value) })));
    }
    set.append(row);
    return set;
  }

  #sound() {
    const input = el("input", { type: "checkbox", role: "switch", id: "option-sound", class: "switch", on: { change: () => this.choose("generate_audio", input.checked) } });
    this.controls.push(() => {
      input.checked = Boolean(this.value("generate_audio"));
    });
    return el("div", { class: "field is-row" }, el("label", { class: "field-name", for: input.id, text: t("page.options.sound") }), input);
  }

  #negative() {
    const input = el("textarea", { id: "option-negative", class: "input", rows: 2, dir: "auto", maxlength: 2000, placeholder: t("page.options.negative_example"), on: { input: () => this.choose("negative_prompt", input.value.trim() || null) } });
    this.controls.push(() => {
      if (document.activeElement !== input) input.value = this.explicit.negative_prompt ?? "";
    });
    return el("div", { class: "field" }, el("label", { class: "field-name", for: input.id, text: t("page.options.negative") }), input);
  }

  #seed() {
    const input = el("input", { id: "option-seed", class: "input", type: "text", inputmode: "numeric", autocomplete: "off", placeholder: t("page.options.seed_any"), "aria-describedby": "option-seed-note", on: { input: () => this.#readSeed(input) } });
    const dice = iconButton(t("page.options.seed_dice"), "dice", { on: { click: () => this.choose("seed", Math.floor(Math.random() * 1_000_000)) } });
    this.seedNote = el("p", { class: "field-note", id: "option-seed-note" });
    this.controls.push(() => {
      if (this.explicit.seed !== undefined) this.badSeed = null;
      if (document.activeElement !== input || this.explicit.seed !== undefined && Number(input.value) !== this.explicit.seed) input.value = this.badSeed ?? this.explicit.seed ?? "";
      const isBad = this.badSeed !== null;
      input.setAttribute("aria-invalid", String(isBad));
      setText(this.seedNote, isBad ? t("page.options.seed_bad", { largest: number(LARGEST_SEED) }) : t("page.options.seed_note"));
      this.seedNote.classList.toggle("is-bad", isBad);
    });
    return el("div", { class: "field" }, el("label", { class: "field-name", for: input.id, text: t("page.options.seed") }), el("div", { class: "input-row" }, input, dice), this.seedNote);
  }

  #readSeed(input) {
    const text = input.value.trim();
    const value = Number(text);
    const legal = text === "" || (/^\d+$/.test(text) && value <= LARGEST_SEED);
    this.badSeed = legal ? null : text;
    this.choose("seed", legal && text !== "" ? value : null);
  }

  #notes(generator) {
    return generator.privacy ? el("div", { class: "options-notes" }, el("p", {}, icon("shield"), el("span", { text: generator.privacy }))) : null;
  }
}

function nearest(values, wanted) {
  return values.reduce((best, value) => (Math.abs(value - wanted) < Math.abs(best - wanted) ? value : best), values[0]);
}

function perClip(generator, seconds) {
  const price = generator.price?.flat ?? Math.ceil((generator.price?.credits_per_second ?? 0) * Math.max(nearest(generator.seconds, seconds ?? 8), 0));
  return price === 0 ? t("page.free") : t("page.price", { count: price });
}

function about(generator) {
  return line([generator.company, generator.usual_seconds && t("page.options.usual", { time: duration(Math.max(1, generator.usual_seconds)) })]);
}

function health(generator) {
  return generator.health === "ok" || !generator.health ? "" : el("span", { class: "maker-health" }, icon("alert"), el("span", { text: generator.health_text || t(`page.health.${generator.health}`) }));
}

// A small frame in the clip's shape.
function glyph(aspect) {
  const [width, height] = aspect.split(":").map(Number);
  const frame = el("span", { class: "aspect-glyph", "aria-hidden": "true" });
  const scale = 14 / Math.max(width, height);
  frame.style.setProperty("width", `${width * scale}px`);
  frame.style.setProperty("height", `${height * scale}px`);
  return frame;
}

// Some generators make sound but cannot leave it out.
function canMute(generator) {
  return Boolean(generator.audio) && generator.audio_switch !== false;
}
