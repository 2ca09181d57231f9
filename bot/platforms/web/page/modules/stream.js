// Server-sent events over fetch instead of EventSource: EventSource gives up for good on one bad answer and cannot
// tell a quiet line from a dead one. This reader resumes with Last-Event-ID, watches the heartbeat and says when it is offline.

import { spoken } from "./api.js";

const SILENCE = 45_000; // the server sends a comment every 15 s
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const PATIENCE = 1_500; // a reconnect that takes less than this is nobody's business

export class Stream {
  /** `listeners` = {event(name, data), state("live" | "offline"), linked(), refused()}; after a refusal it has stopped. */
  constructor(path, listeners) {
    this.path = path;
    this.listeners = listeners;
    this.lastId = null;
    this.state = "connecting";
    this.pause = FIRST_PAUSE;
    this.stopped = true;
    addEventListener("online", () => this.now());
    addEventListener("offline", () => this.#drop());
  }

  start() {
    if (!this.stopped) return;
    this.stopped = false;
    this.#connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.abort?.abort();
  }

  /** Try at once instead of waiting for the next turn. */
  now() {
    if (this.stopped || this.state === "live") return;
    this.pause = FIRST_PAUSE;
    clearTimeout(this.timer);
    this.abort?.abort();
    this.#connect();
  }

  #drop() {
    this.abort?.abort();
    this.#set("offline");
  }

  #set(state) {
    clearTimeout(this.patience);
    this.patience = null;
    if (this.state === state) return;
    this.state = state;
    this.listeners.state(state);
  }

  async #connect() {
    const abort = new AbortController();
    this.abort = abort;
    const headers = { Accept: "text/event-stream", ...spoken() };
    if (this.lastId !== null) headers["Last-Event-ID"] = this.lastId;
    try {
      this.#watch(abort);
      const answer = await fetch(this.path, { headers, credentials: "same-origin", cache: "no-store", signal: abort.signal });
      if (answer.status === 401) {
        this.stopped = true;
        this.listeners.refused();
        return;
      }
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      this.pause = FIRST_PAUSE;
      this.#set("live");
      this.listeners.linked();
      await this.#read(answer.body, abort);
    } catch {
      // Every reason ends the same way: wait, then ask again.
    }
    clearTimeout(this.watchdog);
    if (this.abort === abort && !this.stopped) this.#later();
  }

  #later() {
    if (this.state !== "offline") {
      if (this.state === "live") this.state = "connecting";
      this.patience ??= setTimeout(() => this.#set("offline"), PATIENCE);
    }
    const pause = this.pause * (0.7 + Math.random() * 0.6);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    this.timer = setTimeout(() => this.#connect(), pause);
  }

  #watch(abort) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => abort.abort(), SILENCE);
  }

  async #read(body, abort) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let event = { name: "message", data: [] };
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#watch(abort);
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) event = this.#line(line, event);
    }
  }

  #line(line, event) {
    if (line === "") {
      if (event.data.length) this.listeners.event(event.name, event.data.join("\n"));
      return { name: "message", data: [] };
    }
    if (line.startsWith(":")) return event;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event.name = value;
    else if (field === "data") event.data.push(value);
    else if (field === "id") this.lastId = value;
    return event;
  }
}
