// What the page knows: jobs by id, the account, the generators. Views listen; nobody else keeps a copy.

const LIVE = new Set(["preparing", "queued", "submitting", "generating", "storing", "unclear", "sending", "planning", "making", "merging"]);

/** Is something still going on with this job? */
export function isLive(job) {
  return LIVE.has(job.state);
}

class Store extends EventTarget {
  jobs = new Map();
  me = null;
  generators = [];
  defaultGenerator = null;
  privacy = null;
  operator = false;
  gone = new Set();
  // Orders whose 202 is not here yet. An event about a job that we do not know may be the answer to one of them, so it waits.
  sending = 0;
  held = [];

  /**
   * Take a status object; older versions of a job than the one we have change nothing. `asked`: when a list was asked for that brings it:
   * what was learnt since is newer than the list, also where it has no version of its own, such as a star.
   */
  apply(job, asked = Infinity) {
    if (this.gone.has(job.operation_id)) return;
    const before = this.jobs.get(job.operation_id);
    const news = (job.version ?? 0) - (before?.version ?? 0);
    if (before && !before.local && (news < 0 || (news === 0 && before.received_at > asked))) return;
    const taken = { ...job, received_at: performance.now() };
    this.jobs.set(job.operation_id, taken);
    this.#tell("job", { job: taken, before });
  }

  /** A status from the event stream; held back while an order of ours might be its origin. */
  hear(job) {
    if (this.sending && !this.jobs.has(job.operation_id)) this.held.push(job);
    else this.apply(job);
  }

  /** An order begins; call the answer when its fate is known. */
  expect() {
    this.sending += 1;
    return () => {
      this.sending -= 1;
      if (this.sending) return;
      const waiting = this.held;
      this.held = [];
      for (const job of waiting) this.apply(job);
    };
  }

  /** A local card has become a job of the server. */
  rename(localId, job) {
    const before = this.jobs.get(localId);
    this.jobs.delete(localId);
    const known = this.jobs.get(job.operation_id);
    const taken = { ...(known && (known.version ?? 0) > (job.version ?? 0) ? known : job), received_at: performance.now() };
    this.jobs.set(job.operation_id, taken);
    this.#tell("renamed", { from: localId, job: taken, before, doubled: Boolean(known) });
  }

  remove(id) {
    this.gone.add(id);
    const job = this.jobs.get(id);
    this.jobs.delete(id);
    if (job) this.#tell("gone", { id, job });
  }

  setMe(me) {
    this.me = me;
    this.#tell("me", me);
  }

  setGenerators({ default: chosen, generators }) {
    this.generators = generators;
    this.defaultGenerator = chosen;
    this.#tell("generators", generators);
  }

  generator(name) {
    return this.generators.find((one) => one.name === name) ?? null;
  }

  /** Listen: on("job", ({job, before}) => …). */
  on(name, listener) {
    this.addEventListener(name, (event) => listener(event.detail));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

export const store = new Store();
