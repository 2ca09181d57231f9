// The page's start: join the parts, ask for words, session and history, and keep listening.

import { Account } from "./modules/account.js";
import { announce, announceJobs, watchTitle } from "./modules/announce.js";
import { ApiError, api, isTag, whenSignedOut } from "./modules/api.js";
import { Composer } from "./modules/composer.js";
import { byId, button, el, memory } from "./modules/dom.js";
import { hideGate, showGate, showSpeechless } from "./modules/gate.js";
import { icon } from "./modules/icons.js";
import { Options } from "./modules/options.js";
import { sendUnsent } from "./modules/orders.js";
import { Shell } from "./modules/shell.js";
import { Sidebar } from "./modules/sidebar.js";
import { setLinked } from "./modules/stage.js";
import { isLive, store } from "./modules/store.js";
import { Stream } from "./modules/stream.js";
import { Thread } from "./modules/thread.js";
import { makeVerbs } from "./modules/verbs.js";
import { makeWelcome } from "./modules/welcome.js";
import { dress, learn, remembered, t } from "./modules/words.js";

const QUIET_TAB = 60_000; // a hidden tab with nothing under way lets its connection go after this

// A sign-in link that is used up leads here with this mark. Whoever is signed in already needs no word about it.
const cameByDeadLink = new URLSearchParams(location.search).has("signin_failed");
if (cameByDeadLink) history.replaceState(null, "", "/");

// /?lang=fr: this browser speaks French from now on; /?lang= and it speaks its own language again. Anybody can write such a link: what is
// no language changes nothing.
const asked = new URLSearchParams(location.search).get("lang");
if (asked !== null) {
  if (asked === "" || isTag(asked)) memory.write("language", asked || null);
  history.replaceState(null, "", "/");
}

async function speak() {
  const known = remembered();
  const fresh = api.catalogue();
  try {
    learn(await fresh);
  } catch (problem) {
    if (!known) throw problem;
    learn(known);
  }
}

async function boot() {
  try {
    await speak();
  } catch {
    showSpeechless(() => location.reload());
    setTimeout(() => location.reload(), 10_000);
    return;
  }
  dress(document);
  hideGate();
  whenSignedOut(() => askToSignIn());

  const shell = new Shell();
  const options = new Options(shell);
  const composer = new Composer(options);
  options.suits = (generator) => composer.suits(generator);
  const account = new Account(shell, options);
  const thread = new Thread(makeVerbs(composer, options), makeWelcome((prompt) => composer.submit(prompt)));
  new Sidebar(shell, async (id) => {
    if (!(await thread.open(id))) announce(t("page.history.trouble"));
  });
  const stream = listen(thread);
  account.onForgotten = (erased) => {
    stream.stop();
    showGate({ sign: "check", title: t("page.forgotten.title"), paragraphs: [t("page.forgotten.text", { jobs: erased.jobs, clips: erased.clips })], action: { label: t("page.forgotten.again"), run: () => location.assign("/") } });
  };
  announceJobs();
  watchTitle();
  shell.start();
  thread.skeleton();
  document.body.dataset.phase = "starting";
  await begin({ thread, composer, account, stream });
}

// Everything that needs the server; again by the button when it fails.
async function begin(parts) {
  const { thread, composer, account, stream } = parts;
  try {
    store.operator = (await api.session()).operator ?? false;
    const [me, generators, privacy] = await Promise.all([api.me(), api.generators(), api.privacy()]);
    store.privacy = privacy;
    store.setMe(me);
    store.setGenerators(generators);
    account.draw();
    composer.refresh();
    await thread.start();
    document.body.dataset.phase = "ready";
    stream.start();
    if (matchMedia("(hover: hover)").matches && document.activeElement === document.body) byId("prompt").focus({ preventScroll: true });
  } catch (problem) {
    if (problem instanceof ApiError && problem.status === 401) return;
    thread.skeleton();
    thread.trouble(() => {
      thread.skeleton();
      begin(parts);
    });
  }
}

function askToSignIn() {
  showGate({
    sign: "key",
    title: t(cameByDeadLink ? "page.signin.dead" : "page.signin.title"),
    paragraphs: [t(cameByDeadLink ? "page.signin.dead_text" : "page.signin.text"), el("ul", { class: "gate-list" }, el("li", { text: t("page.signin.start") }), el("li", { text: t("page.signin.token") }))],
    action: { label: t("page.signin.again"), run: () => location.reload() },
  });
}

function listen(thread) {
  const stream = new Stream("/api/events", {
    event(name, data) {
      const value = JSON.parse(data);
      if (name === "status") store.hear(value);
      else if (name === "me") store.setMe(value);
      else if (name === "gone") store.remove(value.operation_id);
    },
    state(state) {
      setLinked(state === "live");
      drawConnection(state, stream);
      if (state === "live") sendUnsent();
    },
    refused: askToSignIn,
    linked() {
      // Also the first time: what happened between the history's answer and this moment is in neither.
      thread.refresh().catch(() => {});
      api.me().then((me) => store.setMe(me), () => {});
    },
  });
  let leave = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leave);
    if (!document.hidden) stream.start();
    else leave = setTimeout(() => ![...store.jobs.values()].some(isLive) && stream.stop(), QUIET_TAB);
  });
  return stream;
}

function drawConnection(state, stream) {
  const banner = byId("connection");
  document.body.dataset.connection = state;
  if (state === "live") {
    if (banner.childElementCount) announce(t("page.online"));
    banner.replaceChildren();
  } else {
    banner.replaceChildren(icon("cloud"), el("span", { text: t("page.offline") }), button(t("page.offline.now"), { class: "is-small", on: { click: () => stream.now() } }));
  }
}

boot();
