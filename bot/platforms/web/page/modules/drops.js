// Files that are let go over the conversation, or pasted anywhere on the page.

import { byId } from "./dom.js";

/** `take(files, target)` gets the files and the element under them; the paste has none. */
export function listenToFiles(take) {
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    take(files, null);
  });
  const place = byId("conversation");
  const veil = byId("drop");
  let depth = 0;
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (visible) => {
    if (visible) {
      const { left, top, width, height } = place.getBoundingClientRect();
      for (const [key, value] of Object.entries({ left, top, width, height })) veil.style.setProperty(key, `${value}px`);
    }
    veil.hidden = !visible;
  };
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event) || place.inert) return;
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
    if (place.inert) return;
    take([...event.dataTransfer.files], event.target);
    byId("prompt").focus();
  });
}
