// What the actions of a card do. Every failure is said on the card that it belongs to.

import { ApiError, api } from "./api.js";
import { confirmOnButton } from "./actions.js";
import { announce } from "./announce.js";
import { el } from "./dom.js";
import { send } from "./orders.js";
import { store } from "./store.js";
import { t } from "./words.js";

/** The function that runs a verb for a card; `composer` and `options` take what Remix and its siblings prefill. */
export function makeVerbs(composer, options) {
  const table = {
    async cancel(view) {
      view.say(t("page.cancelling"));
      store.apply(await api.cancel(view.job.operation_id));
      view.say("");
    },
    stop_waiting: (view) => table.cancel(view),

    approve: (view) => view.film.approve(),
    retry_scenes: (view) => view.film.retry([], { price: view.job.film.price ?? null }),

    async again(view) {
      const { job } = view;
      if (job.kind === "film") {
        composer.prefill(job, "edit");
        return;
      }
      const wish = { ...repeatable(job), parent_id: job.operation_id };
      // From "unclear" the button itself names the price; elsewhere it is asked for before anything is held.
      if (job.price > 0 && job.state !== "unclear") {
        const { price } = await api.estimate(wish);
        if (price > 0 && !(await view.ask("again", t("page.again.question", { count: price }), t("page.again.yes", { count: price })))) return;
      }
      const { refused } = await send({ wish, sourceUrl: job.source_url, shown: { aspect_ratio: job.applied?.aspect_ratio, facts: job.card?.facts_line } });
      if (refused) view.say(refused.message, "bad");
    },

    async remix(view) {
      composer.prefill(view.job, "remix");
    },
    async extend(view) {
      composer.prefill(view.job, "extend");
    },
    async edit_prompt(view) {
      composer.prefill(view.job, "edit");
      if (view.job.local) store.remove(view.job.operation_id);
    },
    async cheaper(view) {
      composer.prefill(view.job, "edit");
      options.cheapest();
      if (view.job.local) store.remove(view.job.operation_id);
    },
    async other_generator(view) {
      composer.prefill(view.job, "edit");
      options.another(view.job.applied?.provider ?? view.job.wanted?.provider);
      if (view.job.local) store.remove(view.job.operation_id);
    },
    async check_again(view) {
      view.say(t("page.checking"));
      const job = await api.checkAgain(view.job.operation_id);
      store.apply(job);
      view.say(job.state === "unclear" ? t("page.checked.same") : "");
    },

    favourite: (view) => mark(view, true),
    unfavourite: (view) => mark(view, false),

    async delete(view) {
      if (!(await view.ask("delete", t("page.delete.question"), t("page.delete.yes"), { danger: true, no: t("page.delete.no") }))) return;
      await api.remove(view.job.operation_id);
      store.remove(view.job.operation_id);
      announce(t("page.delete.done"));
    },
    async details(view) {
      view.toggleDetails();
    },
    async copy_link(view) {
      const made = api.link(view.job.video_id).then((answer) => answer.url);
      await copy(view, made, "copy_link", t("page.link.copied"));
    },
    async copy_prompt(view) {
      await copy(view, Promise.resolve(view.job.prompt), "copy_prompt", t("page.copied"));
    },
    async report(view) {
      view.say((await api.report(view.job.video_id)).message);
    },
    async use_seed(view, value) {
      options.choose("seed", value);
      options.show();
    },
    async download() {},

    async retry(view) {
      await send(view.job.order);
    },
    async discard(view) {
      store.remove(view.job.operation_id);
    },
  };

  return async function run(verb, view, value) {
    if (view.busy === verb) return;
    view.busy = verb;
    try {
      await table[verb]?.(view, value);
    } catch (problem) {
      view.say(problem instanceof ApiError && problem.message ? problem.message : t("page.unreachable"), "bad");
    } finally {
      view.busy = null;
    }
  };
}

async function mark(view, wanted) {
  const { job } = view;
  const verb = { favourite: "unfavourite", unfavourite: "favourite" };
  const flipped = (job.card?.actions ?? []).map((one) => (verb[one.verb] ? { ...one, verb: wanted ? "unfavourite" : "favourite", label: t(`page.verb.${wanted ? "unfavourite" : "favourite"}`) } : one));
  store.apply({ ...job, favourite: wanted, card: { ...job.card, actions: flipped } });
  try {
    await api.favourite(job.video_id, wanted);
    announce(t(wanted ? "page.favourite.on" : "page.favourite.off"));
  } catch (problem) {
    const now = store.jobs.get(job.operation_id);
    if (now) store.apply({ ...now, favourite: job.favourite, card: job.card });
    throw problem;
  }
}

// The same wish once more, as new: what the person set, the same pictures or the clip it went on from, but not the same seed.
function repeatable(job) {
  const { seed, parent_id, reuse_image_of, idempotency_key, prompt, ...wanted } = job.wanted ?? {};
  const wish = { ...wanted, prompt: job.prompt };
  if (job.negative_prompt) wish.negative_prompt = job.negative_prompt;
  if (job.begins_with) wish.reuse_image_of = job.operation_id;
  return wish;
}

// Safari allows the clipboard only inside the click, so it gets the promise; without a clipboard (plain http on a
// network address) the text is shown, selected, to be copied by hand.
async function copy(view, promise, verb, said) {
  const node = view.card.querySelector(`[data-verb="${verb}"]`);
  try {
    if (!navigator.clipboard) throw new TypeError("no clipboard here");
    if (typeof ClipboardItem === "function" && navigator.clipboard.write) {
      const blob = promise.then((text) => new Blob([text], { type: "text/plain" }));
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    } else await navigator.clipboard.writeText(await promise);
    confirmOnButton(node, said);
    announce(said);
  } catch {
    const text = await promise; // raises what the call raised
    const field = el("input", { class: "copy-field", readonly: true, value: text, "aria-label": t("page.copy_by_hand") });
    view.say(t("page.copy_by_hand"));
    view.note.append(field);
    field.focus();
    field.select();
  }
}
