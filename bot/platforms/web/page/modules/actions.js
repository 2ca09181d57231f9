// The row of actions below a card. Which ones there are, and their words, is the server's decision.

import { button, el, iconButton } from "./dom.js";
import { setIcon } from "./icons.js";
import { t } from "./words.js";

const ICONS = {
  cancel: "stop", stop_waiting: "stop", again: "again", remix: "remix", extend: "extend", edit_prompt: "remix", cheaper: "coin",
  other_generator: "swap", check_again: "again", favourite: "star", unfavourite: "star-full", download: "download", copy_link: "link",
  details: "info", delete: "trash", retry: "again", discard: "close", approve: "film", retry_scenes: "again",
};
const PRIMARY = new Set(["approve"]);
const SQUARE = new Set(["favourite", "unfavourite", "download", "copy_link", "details", "delete"]);
const SQUARE_ORDER = ["favourite", "unfavourite", "download", "copy_link", "details", "delete"];

/** Draw the job's actions into `row`; `run(verb)` is called on a click. The focus stays on its verb if that still exists. */
export function drawActions(row, job, run, fallback) {
  const actions = (job.card?.actions ?? []).filter((action) => action.verb in ICONS);
  const signature = JSON.stringify([actions, job.download_url ?? null]);
  if (row.dataset.signature === signature) return;
  row.dataset.signature = signature;
  const focused = row.contains(document.activeElement) ? document.activeElement.dataset.verb : null;
  const wasOpen = row.querySelector('[data-verb="details"]')?.getAttribute("aria-expanded") === "true";
  const worded = actions.filter((action) => !SQUARE.has(action.verb));
  const square = actions.filter((action) => SQUARE.has(action.verb)).sort((a, b) => SQUARE_ORDER.indexOf(a.verb) - SQUARE_ORDER.indexOf(b.verb));
  row.replaceChildren(
    ...worded.map(({ verb, label }) => button(label, { class: PRIMARY.has(verb) ? "is-primary" : "", data: { verb }, on: { click: () => run(verb) } }, ICONS[verb])),
    square.length ? el("div", { class: "card-squares" }, ...square.map((action) => squareButton(action, job, run, wasOpen))) : "",
  );
  row.hidden = actions.length === 0;
  if (!focused) return;
  const twin = { favourite: "unfavourite", unfavourite: "favourite" }[focused];
  (row.querySelector(`[data-verb="${focused}"]`) ?? row.querySelector(`[data-verb="${twin}"]`) ?? fallback).focus();
}

function squareButton({ verb, label }, job, run, wasOpen) {
  // A label such as "★" is a sign for the eye; a screen reader needs a word.
  const name = /\p{L}/u.test(label) ? label : t(`page.verb.${verb}`);
  if (verb === "download" && job.download_url) {
    return el("a", { class: "icon-button", href: job.download_url, download: true, "aria-label": name, title: name, data: { verb }, icon: ICONS.download });
  }
  const node = iconButton(name, ICONS[verb], { data: { verb }, on: { click: () => run(verb) } });
  if (verb === "favourite" || verb === "unfavourite") node.setAttribute("aria-pressed", String(verb === "unfavourite"));
  if (verb === "details") node.setAttribute("aria-expanded", String(wasOpen));
  return node;
}

/** Show for two seconds, on the button itself, that it worked. */
export function confirmOnButton(node, text) {
  if (!node) return;
  const { label, icon } = { label: node.getAttribute("aria-label"), icon: node.dataset.icon };
  setIconOf(node, "check");
  node.classList.add("is-confirmed");
  node.dataset.said = text;
  setTimeout(() => {
    node.classList.remove("is-confirmed");
    delete node.dataset.said;
    setIconOf(node, icon || ICONS[node.dataset.verb] || "copy");
    if (label) node.setAttribute("aria-label", label);
  }, 2000);
}

function setIconOf(node, name) {
  delete node.dataset.icon;
  node.querySelector(".icon")?.remove();
  setIcon(node, name);
}
