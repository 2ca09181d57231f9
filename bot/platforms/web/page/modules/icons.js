// Our own icons: a 24 px grid, 1.5 px stroke, round ends. A path that begins with "!" is filled instead of drawn.

const SVG = "http://www.w3.org/2000/svg";

const DRAWINGS = {
  menu: ["M4 7h16M4 12h16M4 17h10"],
  history: ["M4.5 12a7.5 7.5 0 1 0 2.4-5.5L4.5 8.6", "M4.5 4.5v4.1h4.1", "M12 8v4.3l2.8 1.7"],
  image: ["M6 4.5h12a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5H6A1.5 1.5 0 0 1 4.5 18V6A1.5 1.5 0 0 1 6 4.5z", "M4.5 16l4.2-4.2a1 1 0 0 1 1.4 0l4.4 4.4M13 14.7l1.7-1.7a1 1 0 0 1 1.4 0l3.4 3.4", "M14.7 8.6a.9.9 0 1 0 .1 0z"],
  film: ["M5.5 5h13A1.5 1.5 0 0 1 20 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5v-11A1.5 1.5 0 0 1 5.5 5z", "M8 5v14M16 5v14M4 9.7h4M4 14.3h4M16 9.7h4M16 14.3h4"],
  person: ["M12 12.2a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4z", "M4.8 19.5c.9-3 3.7-4.7 7.2-4.7s6.3 1.7 7.2 4.7"],
  sliders: ["M4 8h8.5M17.5 8H20M4 16h2.5M11.5 16H20", "M15 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM9 18.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"],
  close: ["M6.5 6.5l11 11M17.5 6.5l-11 11"],
  send: ["M12 19V5.5", "M6 11.3l6-6 6 6"],
  down: ["M12 5v13.5", "M6 12.7l6 6 6-6"],
  "picture-add": ["M19.5 12v6a1.5 1.5 0 0 1-1.5 1.5H6A1.5 1.5 0 0 1 4.5 18V6A1.5 1.5 0 0 1 6 4.5h6", "M4.5 16l4-4a1.1 1.1 0 0 1 1.5 0l5.8 5.8", "M18 3.5v6M15 6.5h6"],
  "picture-end": ["M4.5 12V6A1.5 1.5 0 0 1 6 4.5h12A1.5 1.5 0 0 1 19.5 6v12a1.5 1.5 0 0 1-1.5 1.5h-5", "M19.5 15.5l-3.600-3.600a1.1 1.1 0 0 0-1.5 0l-2.2 2.2", "M3.5 17h5M6.200 14.500L8.700 17l-2.5 2.5M11 14v6"],
  again: ["M5 12a7 7 0 0 1 12-4.9l2 2", "M19 4.8v4.3h-4.3", "M19 12a7 7 0 0 1-12 4.9l-2-2", "M5 19.2v-4.3h4.3"],
  remix: ["M14.5 5.7l3.8 3.8L8.5 19.3l-4.5.7.7-4.5z", "M12.3 7.9l3.8 3.8"],
  extend: ["M5.5 6.5l5.5 5.5-5.5 5.5zM12.5 6.5L18 12l-5.5 5.5z", "M20 6.5v11"],
  star: ["M12 4.3l2.3 4.9 5.3.7-3.9 3.7 1 5.3-4.7-2.6-4.7 2.6 1-5.3-3.9-3.7 5.3-.7z"],
  "star-full": ["!M12 4.3l2.3 4.9 5.3.7-3.9 3.7 1 5.3-4.7-2.6-4.7 2.6 1-5.3-3.9-3.7 5.3-.7z"],
  flag: ["M6 20V4.5", "M6 5h11.5l-2.3 4 2.3 4H6"],
  trash: ["M5 7h14M9.5 7V5h5v2M7 7l.8 12h8.4L17 7M10.3 10.5v5.3M13.7 10.5v5.3"],
  info: ["M12 19.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z", "M12 11.3v4.4", "!M12 7.7a1 1 0 1 0 0 2 1 1 0 0 0 0-2z"],
  download: ["M12 4.5v10.3", "M7.3 10.3L12 15l4.7-4.7", "M5 19h14"],
  link: ["M10.2 13.8a3.6 3.6 0 0 0 5.1 0l2.9-2.9a3.6 3.6 0 0 0-5.1-5.1l-.9.9", "M13.8 10.2a3.6 3.6 0 0 0-5.1 0l-2.9 2.9a3.6 3.6 0 0 0 5.1 5.1l.9-.9"],
  copy: ["M10 8.5h7.5A1.5 1.5 0 0 1 19 10v8a1.5 1.5 0 0 1-1.5 1.5H10A1.5 1.5 0 0 1 8.5 18v-8A1.5 1.5 0 0 1 10 8.5z", "M15.5 8.5V6A1.5 1.5 0 0 0 14 4.5H6.5A1.5 1.5 0 0 0 5 6v8a1.5 1.5 0 0 0 1.5 1.5h2"],
  check: ["M5.5 12.5l4.3 4.3 8.7-9.3"],
  stop: ["M12 19.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z", "M9.5 9.5h5v5h-5z"],
  alert: ["M12 19.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z", "M12 8.2v4.6", "!M12 14.6a1 1 0 1 0 0 2 1 1 0 0 0 0-2z"],
  coin: ["M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z"],
  swap: ["M7 5L4 8l3 3M4 8h13M17 13l3 3-3 3M20 16H7"],
  dice: ["M7 4.5h10A2.5 2.5 0 0 1 19.5 7v10a2.5 2.5 0 0 1-2.5 2.5H7A2.5 2.5 0 0 1 4.5 17V7A2.5 2.5 0 0 1 7 4.5z", "!M8.8 7.8a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM12 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM15.2 14.2a1 1 0 1 0 0 2 1 1 0 0 0 0-2z"],
  clock: ["M12 19.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z", "M12 8v4.2l2.7 1.6"],
  cloud: ["M8 17.5h8.5a3.5 3.5 0 0 0 .6-6.950A5.2 5.2 0 0 0 7.1 9.9 3.850 3.850 0 0 0 8 17.5z", "M4.5 4.5l15 15"],
  key: ["M8.5 15.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M12.5 11.5H20v3M16.5 11.5v2.5"],
  shield: ["M12 4.5l6.5 2.3v4.7c0 3.9-2.6 6.7-6.5 8-3.9-1.3-6.5-4.1-6.5-8V6.8z"],
  reel: ["M11 18.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM11 18.5h9.5", "!M11 5.9a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2zM7.9 11.2a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2zM14.1 11.2a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2z"],
  sound: ["M5 10v4h3l4 3.5v-11L8 10z", "M15 9.5a3.6 3.6 0 0 1 0 5M17.3 7.2a6.8 6.8 0 0 1 0 9.6"],
};

/** An SVG element with the drawing of this name, hidden from screen readers (its button carries the name). */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  for (const drawing of DRAWINGS[name] ?? []) {
    const filled = drawing.startsWith("!");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", filled ? drawing.slice(1) : drawing);
    if (filled) path.setAttribute("class", "filled");
    svg.append(path);
  }
  return svg;
}

/** Put another drawing into an element that holds one. */
export function setIcon(node, name) {
  if (node.dataset.icon === name && node.querySelector(".icon")) return;
  node.dataset.icon = name;
  node.querySelector(".icon")?.remove();
  node.prepend(icon(name));
}
