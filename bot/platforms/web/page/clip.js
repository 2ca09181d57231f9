// A shared clip: what whoever has its link sees of it. They can report it; an operator can take it down.

import { ApiError, api } from "./modules/api.js";
import { button, byId, el, setText } from "./modules/dom.js";
import { showGate, showSpeechless } from "./modules/gate.js";
import { icon } from "./modules/icons.js";
import { operatorVerbs } from "./modules/operator.js";
import { dress, learn, line, t } from "./modules/words.js";

const id = location.pathname.split("/").pop();

async function boot() {
  try {
    learn(await api.catalogue());
  } catch {
    showSpeechless(() => location.reload());
    return;
  }
  dress(document);
  document.title = `${t("page.shared.title")} · Reelay`;
  try {
    draw(await api.shared(id, location.search));
  } catch (problem) {
    if (problem instanceof ApiError && [401, 404].includes(problem.status)) showGone();
    else showGate({ sign: "cloud", title: t("page.unreachable"), paragraphs: [], action: { label: t("page.retry"), run: () => location.reload() } });
  }
}

/** There is no clip here. Whoever just took it down may still block its maker, by the `job` that is left of it. */
function showGone(job = null) {
  document.querySelector("video")?.pause();
  byId("shared").replaceChildren();
  const paragraphs = [t("page.shared.gone_text")];
  if (job) paragraphs.push(operatorPart({ wanted: () => job, gone: true }));
  showGate({ sign: "film", title: t("page.shared.gone"), paragraphs });
}

function operatorPart(about) {
  return el("section", { class: "shared-operator" }, el("h2", { text: t("page.operator.title") }), operatorVerbs(about));
}

function draw(clip) {
  const note = el("p", { class: "shared-note", role: "status", hidden: true });
  const report = button(t("page.report"), { data: { verb: "report" }, on: { click: () => tell() } }, "flag");
  const tell = async () => {
    report.disabled = true;
    try {
      const { message } = await api.report(id, location.search);
      setText(note, message);
      report.hidden = true;
    } catch (problem) {
      report.disabled = false;
      setText(note, problem instanceof ApiError && problem.message ? problem.message : t("page.unreachable"));
    }
  };
  const title = t("page.shared.title");
  byId("shared").replaceChildren(
    el("h1", { class: "visually-hidden", text: title }),
    el("video", { controls: true, playsinline: true, preload: "metadata", src: clip.video_url, poster: clip.thumbnail_url, "aria-label": title }),
    el("div", { class: "shared-lines" }, el("p", { text: clip.made_line ?? "" }), el("p", { class: "quiet", text: line([clip.facts_line]) })),
    el("div", { class: "button-row" }, el("a", { class: "button", href: clip.download_url, download: true }, icon("download"), el("span", { text: t("page.verb.download") })), report),
    note,
    clip.operator ? operatorPart({ wanted: () => id, removed: (done) => showGone(done.operation_id) }) : "");
  document.body.dataset.phase = "ready";
}

boot();
