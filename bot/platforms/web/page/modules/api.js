// The server's calls, one function each. Every call has a deadline and ends in an answer, an ApiError or Unreachable.

import { memory } from "./dom.js";

const DEADLINE = 30_000;
const UPLOAD_DEADLINE = 180_000;

/** The server answered with its error shape; `message` is meant for the person. */
export class ApiError extends Error {
  constructor(status, body, retryAfter) {
    super(body.message || "");
    this.name = "ApiError";
    this.status = status;
    this.code = body.error_code || "";
    this.details = typeof body.details === "string" ? body.details : JSON.stringify(body.details ?? "");
    this.retryAfter = retryAfter;
  }
}

/** No answer: no network, a restarted server, a deadline. Whether the server acted is unknown. */
export class Unreachable extends Error {
  constructor() {
    super("");
    this.name = "Unreachable";
  }
}

/** How a language's tag looks. Anything else may be no value of a header at all, and then no call would go out. */
const TAG = /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,3}$/;

/** Whether this is a language's tag, such as "fr" or "pt-BR". */
export function isTag(value) {
  return typeof value === "string" && TAG.test(value);
}

/** The language that was chosen in this browser, or "". What an earlier page kept unread does not count. */
export function chosenLanguage() {
  const kept = memory.read("language");
  return isTag(kept) ? kept : "";
}

/** What a call says about the person's language: the one that was chosen here, else the browser's own word holds. */
export function spoken() {
  const chosen = chosenLanguage();
  return chosen ? { "Accept-Language": chosen } : {};
}

let onSignedOut = () => {};

/** Name what happens when any call answers 401. */
export function whenSignedOut(action) {
  onSignedOut = action;
}

async function call(method, path, { json, form, deadline = DEADLINE } = {}) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), deadline);
  const headers = { Accept: "application/json", ...spoken() };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(path, { method, headers, body: json === undefined ? form : JSON.stringify(json), credentials: "same-origin", signal: abort.signal });
    if (answer.status === 204) return null;
    const body = await answer.json().catch(() => ({}));
    if (answer.ok) return body;
    // A gateway that stands in for a server that is down says nothing about our request.
    if (answer.status >= 502 && !body.error_code) throw new Unreachable();
    if (answer.status === 401) onSignedOut(body);
    throw new ApiError(answer.status, body, Number(answer.headers.get("Retry-After")) || null);
  } catch (problem) {
    if (problem instanceof ApiError || problem instanceof Unreachable) throw problem;
    throw new Unreachable();
  } finally {
    clearTimeout(timer);
  }
}

const id = encodeURIComponent;

function write(form, wish) {
  for (const [key, value] of Object.entries(wish)) form.append(key, typeof value === "object" ? JSON.stringify(value) : String(value));
}

export const api = {
  session: () => call("POST", "/api/session", { json: {} }),
  catalogue: () => call("GET", "/api/catalogue"),
  me: () => call("GET", "/api/me"),
  changeSettings: (settings) => call("PATCH", "/api/me", { json: { settings } }),
  generators: () => call("GET", "/api/generators"),
  privacy: () => call("GET", "/api/privacy"),
  forget: () => call("POST", "/api/forget", { json: { confirm: "forget" }, deadline: UPLOAD_DEADLINE }),
  estimate: (wish) => call("POST", "/api/video_chat/estimate", { json: wish }),
  status: (operation) => call("POST", "/api/video_chat/status", { json: { operation_id: operation } }),
  checkAgain: (operation) => call("POST", "/api/video_chat/check_again", { json: { operation_id: operation } }),
  cancel: (operation) => call("POST", "/api/video_chat/cancel", { json: { operation_id: operation } }),
  remove: (operation) => call("DELETE", `/api/video_chat/operations/${id(operation)}`),
  favourite: (video, wanted) => call(wanted ? "PUT" : "DELETE", `/api/video_chat/favourites/${id(video)}`),
  shared: (video, query) => call("GET", `/api/clips/${id(video)}${query}`),
  report: (video, query = "") => call("POST", `/api/clips/${id(video)}/report${query}`, { json: {} }),
  takedown: (clip) => call("POST", `/api/clips/${id(clip)}/takedown`, { json: {} }),
  block: (clip) => call("POST", `/api/clips/${id(clip)}/block`, { json: {} }),
  link: (video) => call("POST", `/api/mv/get_video/${id(video)}/link`, { json: {} }),

  film: (film) => call("GET", `/api/films/${id(film)}`),
  estimateFilm: (wish) => call("POST", "/api/films/estimate", { json: wish }),
  changeFilm: (film, change) => call("PATCH", `/api/films/${id(film)}`, { json: change }),
  approveFilm: (film, agreed) => call("POST", `/api/films/${id(film)}/approve`, { json: agreed }),
  retryScenes: (film, wish) => call("POST", `/api/films/${id(film)}/retry`, { json: wish }),
  rewriteScene: (film, scene) => call("POST", `/api/films/${id(film)}/rewrite`, { json: { scene } }),
  repaint: (film) => call("POST", `/api/films/${id(film)}/repaint`, { json: {} }),
  cutAgain: (film) => call("POST", `/api/films/${id(film)}/cut`, { json: {} }),
  characters: () => call("GET", "/api/characters"),
  forgetCharacter: (character) => call("DELETE", `/api/characters/${id(character)}`),
  templates: () => call("GET", "/api/templates"),
  saveTemplate: (name, text) => call("PUT", `/api/templates/${id(name)}`, { json: { text } }),
  dropTemplate: (name) => call("DELETE", `/api/templates/${id(name)}`),
  merge: (wish) => call("POST", "/api/mv/merge", { json: wish }),

  /** Keep a song for a merge; answers with its song_id. */
  keepSong(song) {
    const form = new FormData();
    form.append("song_file", song, song.name || "song");
    return call("POST", "/api/mv/songs", { form, deadline: UPLOAD_DEADLINE });
  },

  /** Order a film, with the person's own picture of its character and a song where there are some. */
  orderFilm(wish, pictures = [], song = null) {
    if (!pictures.length && !song) return call("POST", "/api/films", { json: wish });
    const form = new FormData();
    write(form, wish);
    for (const picture of pictures) form.append("image_file", picture, picture.name || "picture");
    if (song) form.append("song_file", song, song.name || "song");
    return call("POST", "/api/films", { form, deadline: UPLOAD_DEADLINE });
  },

  /** One page of jobs, newest first; `only` is favourites, with_image, completed or films; `before` is the last page's `next`; `asked`: when. */
  async operations({ limit = 20, before = null, only = null } = {}) {
    const query = new URLSearchParams({ kind: "clip", limit: String(limit) });
    if (before) query.set("before", before);
    if (only) query.set("only", only);
    const asked = performance.now();
    return { ...(await call("GET", `/api/video_chat/operations?${query}`)), asked };
  },

  /** Order a clip. The same idempotency_key again gives the same job, so a lost answer may be asked for again. */
  generate(wish, pictures = [], last = null) {
    if (!pictures.length && !last) return call("POST", "/api/video_chat/generate", { json: wish });
    const form = new FormData();
    write(form, wish);
    for (const picture of pictures) form.append("image_file", picture, picture.name || "picture");
    if (last) form.append("last_image_file", last, last.name || "picture");
    return call("POST", "/api/video_chat/generate_with_image", { form, deadline: UPLOAD_DEADLINE });
  },
};
