// Every word of the page comes from the server's catalogue; this module looks words up and fills in their values.

import { memory } from "./dom.js";
import { icon } from "./icons.js";

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur", "yi", "ps", "sd", "ug", "dv", "ckb"]);
const CATEGORIES = ["zero", "one", "two", "few", "many", "other"];

let language = "en";
let messages = {};
let offered = [];

/** Take a catalogue {language, languages, messages} and keep it, so that the next start has words even without a network. */
export function learn(catalogue) {
  language = catalogue.language || "en";
  messages = catalogue.messages || {};
  offered = catalogue.languages || [];
  memory.write("catalogue", { language, messages, languages: offered });
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.has(language.split("-")[0]) ? "rtl" : "ltr";
}

/** The catalogue of the last visit, or null. */
export function remembered() {
  return memory.read("catalogue");
}

/** Every language that the page can speak, as {code, name}, each under its own name. */
export function languages() {
  return offered.map((code) => {
    const tag = code.replace("_", "-");
    const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag);
    return { code: tag, name: name.charAt(0).toLocaleUpperCase(tag) + name.slice(1) };
  });
}

/**
 * The message with this id, its {names} filled in. A message with several plural forms chooses by `count`.
 * An id that the catalogue lacks comes back as itself: visible in a test, never a wrong sentence.
 */
export function t(id, values = {}) {
  let text = messages[id] ?? id;
  if (Array.isArray(text)) text = text[Math.min(formIndex(values.count ?? 0), text.length - 1)];
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined || value === null) return whole;
    return typeof value === "number" ? number(value) : String(value);
  });
}

function formIndex(count) {
  const rules = new Intl.PluralRules(language);
  const known = rules.resolvedOptions().pluralCategories;
  return CATEGORIES.filter((name) => known.includes(name)).indexOf(rules.select(count));
}

/** Fill every element below `root` that names a message in data-words, data-label, data-name or data-placeholder. */
export function dress(root) {
  for (const node of root.querySelectorAll("[data-words]")) node.textContent = t(node.dataset.words);
  for (const node of root.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", t(node.dataset.label));
    node.title = t(node.dataset.label);
  }
  for (const node of root.querySelectorAll("[data-name]")) node.setAttribute("aria-label", t(node.dataset.name));
  for (const node of root.querySelectorAll("[data-placeholder]")) node.placeholder = t(node.dataset.placeholder);
  for (const node of root.querySelectorAll("[data-icon]")) if (!node.querySelector(".icon")) node.prepend(icon(node.dataset.icon));
}

export function number(value) {
  return new Intl.NumberFormat(language).format(value);
}

/** "1.2 MB" in the reader's language. */
export function bytes(size) {
  const steps = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(Math.floor(Math.log10(Math.max(size, 1)) / 3), steps.length - 1);
  const value = size / 1000 ** step;
  return new Intl.NumberFormat(language, { style: "unit", unit: steps[step], maximumFractionDigits: value < 10 && step ? 1 : 0 }).format(value);
}

export function moment(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

export function clockTime(iso) {
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(new Date(iso));
}

/** "Today", "Yesterday", "Monday, 16 November" in the reader's language and zone. */
export function day(iso) {
  const then = new Date(iso);
  const ago = Math.round((startOfDay(new Date()) - startOfDay(then)) / 86_400_000);
  if (ago === 0 || ago === 1) {
    const name = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-ago, "day");
    return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
  }
  const year = then.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year }).format(then);
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** "1 min 24 s" in the reader's language, as cards say it. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const rest = t("page.seconds", { count: whole % 60 });
  if (whole < 60) return rest;
  const minutes = new Intl.NumberFormat(language, { style: "unit", unit: "minute", unitDisplay: "short" }).format(Math.floor(whole / 60));
  return whole % 60 === 0 ? minutes : `${minutes} ${rest}`;
}

/** The parts that there are as one line, which begins like a sentence. */
export function line(parts) {
  const text = parts.filter(Boolean).join(" · ");
  return text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
}

/** Seconds as "1:07". */
export function stopwatch(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Shorten at a word to at most so many characters. */
export function shorten(text, most = 80) {
  const flat = text.replace(/\s+/g, " ").trim();
  const letters = Array.from(flat);
  if (letters.length <= most) return flat;
  const cut = letters.slice(0, most - 1).join("");
  const space = cut.lastIndexOf(" ");
  return `${space > most / 2 ? cut.slice(0, space) : cut}…`;
}
