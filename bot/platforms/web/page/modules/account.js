// The account panel: what is left to spend, a few habits, and what happens to the person's words and pictures.

import { ApiError, api, chosenLanguage } from "./api.js";
import { byId, button, el, memory, setText } from "./dom.js";
import { icon } from "./icons.js";
import { operatorSection } from "./operator.js";
import { store } from "./store.js";
import { clockTime, languages, line, moment, number, t } from "./words.js";

export class Account {
  constructor(shell, options) {
    this.shell = shell;
    this.options = options;
    this.body = byId("account-body");
    this.chip = byId("credits");
    for (const id of ["account-toggle", "credits"]) byId(id).addEventListener("click", (event) => shell.toggle("account", event.currentTarget));
    store.on("me", () => this.draw());
  }

  draw() {
    const { me } = store;
    if (!me) return;
    const { today, granted } = me.credits;
    const free = today.left === null || today.left === undefined;
    const total = free ? null : today.left + (granted ?? 0);
    setText(this.chip, free ? t("page.credits.unlimited") : t("page.credits.today", { count: total }));
    this.chip.dataset.short = free ? "∞" : number(total);
    this.chip.setAttribute("aria-label", free ? t("page.credits.unlimited_name") : t("page.credits.today_name", { count: total }));
    this.chip.classList.toggle("is-out", !free && total <= 0);
    if (this.body.contains(document.activeElement) && this.drawn) {
      this.credits.replaceWith((this.credits = this.#credits(me)));
      return;
    }
    this.drawn = true;
    this.credits = this.#credits(me);
    this.body.replaceChildren(this.credits, this.#habits(me), store.operator ? operatorSection() : "", this.#privacy(), this.#forget());
  }

  #credits(me) {
    const row = (name, span) => {
      const limited = typeof span.limit === "number";
      const used = span.spent + span.held;
      const meter = el("div", { class: "meter", "aria-hidden": "true" }, el("span", { class: "meter-fill" }));
      meter.firstChild.style.setProperty("--fraction", String(limited && span.limit > 0 ? Math.min(1, used / span.limit) : 0));
      return el("div", { class: "credit-row" },
        el("div", { class: "credit-line" }, el("span", { text: t(name) }), el("strong", { text: limited ? t("page.credits.left_of", { left: span.left ?? Math.max(0, span.limit - used), limit: span.limit }) : t("page.credits.unlimited") })),
        limited ? meter : "",
        el("p", { class: "quiet", text: line([span.held ? t("page.credits.held", { count: span.held }) : "", limited && span.resets_at ? t("page.credits.resets", { time: name.endsWith("today") ? clockTime(span.resets_at) : moment(span.resets_at) }) : t("page.credits.spent", { count: span.spent })]) }));
    };
    return el("section", { class: "account-section" }, el("h3", { text: t("page.credits.title") }), row("page.credits.row_today", me.credits.today), row("page.credits.row_month", me.credits.month),
      me.credits.granted ? el("p", { class: "quiet", text: t("page.credits.granted", { count: me.credits.granted }) }) : "",
      el("p", { class: "quiet", text: t("page.credits.running", { running: me.running, most: me.caps.running, waiting: me.waiting }) }));
  }

  #habits(me) {
    const note = el("p", { class: "field-note", role: "status", hidden: true });
    const save = async (settings, said) => {
      try {
        store.setMe(await api.changeSettings(settings));
        setText(note, said);
      } catch (problem) {
        note.classList.add("is-bad");
        setText(note, problem instanceof ApiError && problem.message ? problem.message : t("page.unreachable"));
      }
    };
    const notify = el("input", { type: "checkbox", role: "switch", class: "switch", id: "setting-notify", checked: me.settings.notify, on: { change: () => save({ notify: notify.checked }, t("page.saved")) } });
    const language = el("select", { class: "input", id: "setting-language", on: { change: () => {
      memory.write("language", language.value || null);
      location.reload();
    } } }, el("option", { value: "", text: t("page.language.browser") }), ...languages().map(({ code, name }) => el("option", { value: code, text: name, lang: code })));
    language.value = chosenLanguage();
    const habit = button(t("page.settings.keep"), { on: { click: () => {
      const { options } = this;
      const value = (field) => options.value(field) ?? null;
      save({ aspect_ratio: value("aspect_ratio"), resolution: value("resolution"), duration: value("duration"), provider: options.generator?.name ?? null, generate_audio: options.generator?.audio ? value("generate_audio") : null }, t("page.settings.kept", { settings: options.facts() }));
    } } });
    return el("section", { class: "account-section" }, el("h3", { text: t("page.settings.title") }),
      el("div", { class: "field is-row" }, el("label", { class: "field-name", for: "setting-notify", text: t("page.settings.notify") }), notify),
      el("div", { class: "field is-row" }, el("label", { class: "field-name", for: language.id, text: t("page.language") }), language),
      el("p", { class: "quiet", text: t("page.settings.keep_text") }), habit, note);
  }

  #privacy() {
    const { privacy } = store;
    const section = el("section", { class: "account-section" }, el("h3", { text: privacy?.title ?? t("page.privacy.title") }));
    for (const text of privacy?.paragraphs ?? []) section.append(el("p", { text }));
    if (store.me?.retention_days) section.append(el("p", { class: "quiet", text: t("page.privacy.retention", { count: store.me.retention_days }) }));
    section.append(el("a", { class: "button", href: "/api/export", download: true }, icon("download"), el("span", { text: t("page.export") })));
    return section;
  }

  #forget() {
    const word = t("page.forget.word");
    const typed = el("input", { class: "input", id: "forget-word", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
    const note = el("p", { class: "field-note is-bad", role: "alert", hidden: true });
    const erase = button(t("page.forget.yes"), { class: "is-danger", disabled: true });
    const form = el("form", { class: "forget", hidden: true }, el("label", { for: typed.id, text: t("page.forget.type", { word }) }), typed, el("div", { class: "button-row" }, erase, button(t("page.no"), { on: { click: () => close() } })), note);
    const open = button(t("page.forget.open"), { class: "is-danger-quiet", on: { click: () => {
      form.hidden = false;
      open.hidden = true;
      typed.focus();
      form.scrollIntoView({ block: "end" });
    } } }, "trash");
    const close = () => {
      form.hidden = true;
      open.hidden = false;
      typed.value = "";
      erase.disabled = true;
      open.focus();
    };
    erase.type = "submit";
    typed.addEventListener("input", () => {
      erase.disabled = typed.value.trim().toLocaleLowerCase() !== word.toLocaleLowerCase();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      close();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (erase.disabled) return;
      erase.disabled = true;
      try {
        const { erased } = await api.forget();
        memory.clear();
        this.onForgotten(erased);
      } catch (problem) {
        erase.disabled = false;
        setText(note, problem instanceof ApiError && problem.message ? problem.message : t("page.unreachable"));
      }
    });
    return el("section", { class: "account-section" }, el("h3", { text: t("page.forget.title") }), el("p", { text: t("page.forget.text") }), open, form);
  }
}
