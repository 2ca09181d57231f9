// The one way in which this page makes elements. Data enters as text nodes and attributes only, never as markup.

import { icon } from "./icons.js";

/**
 * Make an element: el("p", {class: "x", text: "…", data: {id: 1}, on: {click: f}, icon: "send"}, child, child).
 * Keys other than class, text, data, on and icon become attributes; true gives an empty one, false/null none.
 */
export function el(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") node.className = value;
    else if (key === "text") node.textContent = value;
    else if (key === "icon") node.append(icon(value));
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key === "on") for (const [name, listener] of Object.entries(value)) node.addEventListener(name, listener);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The element with this id; a missing one is a mistake in index.html and is said at once. */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`index.html has no #${id}`);
  return node;
}

/** Write text only when it differs, so that a polite live region or a selection is not disturbed for nothing. */
export function setText(node, text) {
  const wanted = text ?? "";
  if (node.textContent !== wanted) node.textContent = wanted;
  node.hidden = wanted === "";
}

/** Replace the children unless they are the same already: a press whose target goes away before it is let go is no click. */
export function setChildren(node, ...children) {
  const wanted = el("div", {}, ...children.filter(Boolean));
  if (node.innerHTML !== wanted.innerHTML) node.replaceChildren(...wanted.childNodes);
}

/** A button with an icon and a visible word. */
export function button(label, given = {}, iconName = null) {
  const { class: extra = "", ...rest } = given;
  const node = el("button", { type: "button", class: `button ${extra}`.trim(), ...rest });
  if (iconName) node.append(icon(iconName));
  node.append(el("span", { text: label }));
  return node;
}

/** A square button with an icon only; its name is for screen readers and the tooltip. */
export function iconButton(label, iconName, given = {}) {
  const { class: extra = "", ...rest } = given;
  return el("button", { type: "button", class: `icon-button ${extra}`.trim(), "aria-label": label, title: label, icon: iconName, ...rest });
}

/** A value that is safe in localStorage or absent; a private window that forbids storage costs only the memory. */
export const memory = {
  read(key, otherwise = null) {
    try {
      const text = localStorage.getItem(`reelay.${key}`);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  },
  write(key, value) {
    try {
      if (value === null || value === undefined) localStorage.removeItem(`reelay.${key}`);
      else localStorage.setItem(`reelay.${key}`, JSON.stringify(value));
    } catch {
      return;
    }
  },
  /** Everything this page remembers in this browser, away. */
  clear() {
    try {
      for (const key of Object.keys(localStorage)) if (key.startsWith("reelay.")) localStorage.removeItem(key);
    } catch {
      return;
    }
  },
};

/** 128 random bits as text; crypto.randomUUID is missing on plain-http addresses other than loopback. */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Call later, once, after calls have stopped for so many milliseconds. */
export function debounce(wait, action) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), wait);
  };
}
