// What is behind "Details": everything that is needed to make the same clip again, and what is kept of it.

import { button, el } from "./dom.js";
import { store } from "./store.js";
import { bytes, duration, moment, number, t } from "./words.js";

/** Fill `box` with the job's details; `run(verb, value)` takes copy_prompt, use_seed and report. */
export function drawDetails(box, job, run) {
  const signature = JSON.stringify([job.version, job.state, job.favourite, job.keep_until, job.finished_at]);
  if (box.dataset.signature === signature) return;
  box.dataset.signature = signature;
  const applied = job.applied ?? {};
  const generator = store.generator(applied.provider);
  const choice = generator?.models?.length === 1 && generator.models[0] === applied.model ? "" : applied.model; // the only model is no choice
  const rows = [
    ["page.details.seed", seed(applied.seed, run)],
    ["page.details.model", [generator?.title ?? applied.provider, choice].filter(Boolean).join(" · ")],
    ["page.details.size", [applied.aspect_ratio, applied.resolution, applied.duration && t("page.seconds", { count: applied.duration })].filter(Boolean).join(" · ")],
    ["page.details.sound", applied.generate_audio === undefined ? "" : t(applied.generate_audio ? "page.on" : "page.off")],
    ["page.details.without", job.negative_prompt],
    ["page.details.asked", job.created_at && moment(job.created_at)],
    ["page.details.took", job.finished_at && duration((Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1000)],
    ["page.details.file", job.file_size_bytes && bytes(job.file_size_bytes)],
    ["page.details.kept", job.video_url && (job.favourite || !job.keep_until ? t("page.details.always") : moment(job.keep_until))],
    ["page.details.number", el("code", { text: job.operation_id })],
  ];
  const list = el("dl");
  for (const [name, value] of rows) {
    if (!value) continue;
    const cell = el("dd", { dir: "auto" });
    cell.append(value);
    list.append(el("div", { class: name === "page.details.number" ? "is-wide" : "" }, el("dt", { text: t(name) }), cell));
  }
  box.replaceChildren(list);
  if (job.prompt) {
    box.append(el("div", { class: "details-prompt" },
      el("p", { class: "details-text", text: job.prompt, dir: "auto" }),
      button(t("page.details.copy_prompt"), { class: "is-small", data: { verb: "copy_prompt" }, on: { click: () => run("copy_prompt") } }, "copy")));
  }
  if (job.video_id) box.append(button(t("page.report"), { class: "is-small details-report", data: { verb: "report" }, on: { click: () => run("report") } }, "flag"));
}

function seed(value, run) {
  if (value === undefined || value === null) return "";
  return el("span", { class: "details-seed" }, el("span", { text: String(value), title: number(value) }),
    button(t("page.details.use_seed"), { class: "is-small", data: { verb: "use_seed" }, on: { click: () => run("use_seed", value) } }));
}
