// What a screen reader is told: changes of state, never each percent.

import { byId } from "./dom.js";
import { store } from "./store.js";
import { t } from "./words.js";

const WORTH_SAYING = new Set(["queued", "generating", "unclear", "done", "failed", "cancelled", "awaiting", "making", "merging"]);

/** Say one sentence politely. */
export function announce(text) {
  const region = byId("announcer");
  region.textContent = "";
  // An equal text twice is silent in some readers unless the region was empty for a frame.
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

/** From now on tell the changes of every job that was known before; what a reload brings is no news. */
export function announceJobs() {
  store.on("job", ({ job, before }) => {
    if (!before || before.state === job.state || !WORTH_SAYING.has(job.state)) return;
    const card = job.card ?? {};
    announce(t("page.announce", { headline: card.headline || job.prompt, state: card.error_line || card.state_line || "" }));
  });
}

/** The tab's title: how many jobs run while it is looked at elsewhere, and a dot when one has ended there. */
export function watchTitle() {
  let news = false;
  const draw = () => {
    document.title = news && document.hidden ? "● Reelay" : "Reelay";
  };
  store.on("job", ({ job, before }) => {
    if (document.hidden && before && before.state !== job.state && ["done", "failed", "awaiting"].includes(job.state)) news = true;
    draw();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) news = false;
    draw();
  });
}
