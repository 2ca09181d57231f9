// Ordering a clip or a film: the card appears at once, the same idempotency key goes with every try, and the server's answer
// turns the card into a job or into an honest refusal.

import { ApiError, Unreachable, api } from "./api.js";
import { randomKey } from "./dom.js";
import { store } from "./store.js";
import { shorten, t } from "./words.js";

const PICTURE_TROUBLE = new Set([413, 415]);

/**
 * Send an order: {kind, wish, files, last, song, sourceUrl, shown}. `shown` is what the card may say meanwhile.
 * Answers {job} when accepted, {refused: ApiError, back: true} when the composer should have it back, {} when the card tells the rest.
 */
export async function send(order) {
  order.key ??= randomKey();
  order.id ??= `local:${order.key}`;
  order.created ??= new Date().toISOString();
  order.tries = (order.tries ?? 0) + 1;
  store.apply(draft(order, "sending", { state_line: t("page.sending"), actions: [] }));
  const settle = store.expect();
  try {
    const wish = { ...order.wish, idempotency_key: order.key };
    const answer = await (order.kind === "film" ? api.orderFilm(wish, order.files, order.song) : api.generate(wish, order.files, order.last));
    const job = await api.status(answer.operation_id).catch(() => accepted(order, answer));
    store.rename(order.id, job);
    return { job };
  } catch (problem) {
    return refuse(order, problem);
  } finally {
    settle();
  }
}

/** Send every order again whose answer got lost; the key makes that safe. */
export function sendUnsent() {
  for (const job of [...store.jobs.values()]) if (job.state === "unsent") send(job.order);
}

function draft(order, state, card) {
  const job = store.jobs.get(order.id);
  return {
    operation_id: order.id, local: true, order, state, kind: order.kind ?? "clip", version: (job?.version ?? 0) + 1, created_at: order.created, prompt: order.wish.prompt ?? "",
    negative_prompt: order.wish.negative_prompt ?? null, wanted: order.wish, applied: { aspect_ratio: order.shown?.aspect_ratio }, source_url: order.sourceUrl ?? null,
    card: { headline: shorten(order.wish.prompt ?? "") || t("page.picture.headline"), facts_line: order.shown?.facts ?? "", ...card },
  };
}

// Accepted, but the full status did not come: the event stream or the next refresh brings it.
function accepted(order, answer) {
  const job = draft(order, "preparing", { state_line: t("page.sent"), actions: [] });
  return { ...job, local: false, order: undefined, version: 0, operation_id: answer.operation_id, price: answer.price, applied: answer.applied ?? job.applied, changed: answer.changed ?? [] };
}

function refuse(order, problem) {
  if (problem instanceof Unreachable) {
    store.apply(draft(order, "unsent", { state_line: t("page.unsent"), actions: [action("retry"), action("discard")] }));
    return {};
  }
  if (!(problem instanceof ApiError)) throw problem;
  const aboutPicture = (order.files?.length || order.last || order.song) && (PICTURE_TROUBLE.has(problem.status) || /image|picture|song/i.test(problem.details));
  if (problem.status === 401 || aboutPicture) {
    store.remove(order.id);
    return { refused: problem, back: true };
  }
  const steps = { QUOTA_EXCEEDED: ["cheaper", "edit_prompt"], RATE_LIMIT_EXCEEDED: ["retry", "edit_prompt"], PROVIDER_UNAVAILABLE: ["retry", "other_generator"], AUTHENTICATION_ERROR: ["other_generator"] };
  const verbs = steps[problem.code] ?? (problem.status >= 500 || problem.status === 429 ? ["retry", "edit_prompt"] : ["edit_prompt"]);
  store.apply(draft(order, "failed", { error_line: problem.message || t("page.refused"), actions: [...verbs, "discard"].map(action) }));
  return { refused: problem, back: false };
}

function action(verb) {
  return { verb, label: t(`page.verb.${verb}`) };
}
