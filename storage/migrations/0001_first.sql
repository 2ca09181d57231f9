-- 2026-11: the first schema. Times are UTC milliseconds, money is whole credits, JSON is text.
-- It already allows films (parent, position, several jobs a scene), several places for one result, and linked identities.

CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  merged_into TEXT REFERENCES accounts(id),
  granted INTEGER NOT NULL DEFAULT 0 CHECK (granted >= 0),      -- credits given by an operator and not yet used; the ledger is the truth
  last_vt REAL NOT NULL DEFAULT 0,                              -- fair queueing: where this person's last job stands
  blocked_at INTEGER,
  forgotten_at INTEGER
) STRICT;

-- After "forget" external_id holds a keyed hash until the month ends, so that forgetting is no way to a fresh allowance.
CREATE TABLE identities (
  id INTEGER PRIMARY KEY,
  platform TEXT NOT NULL,
  external_id TEXT NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts(id),
  created_at INTEGER NOT NULL,
  UNIQUE (platform, external_id)
) STRICT;
CREATE INDEX identities_by_account ON identities(account_id);

CREATE TABLE settings (
  account_id TEXT NOT NULL REFERENCES accounts(id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account_id, key)
) STRICT, WITHOUT ROWID;

-- A raw command, durable before anything is understood of it.
CREATE TABLE inbox (
  id INTEGER PRIMARY KEY,
  platform TEXT NOT NULL,
  update_id TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'refused')),
  job_id TEXT,
  failure TEXT,
  account_id TEXT,
  received_at INTEGER NOT NULL,
  UNIQUE (platform, update_id)
) STRICT;
CREATE INDEX inbox_pending ON inbox(id) WHERE state = 'pending';

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('clip', 'film', 'picture', 'script', 'merge')),
  parent_id TEXT REFERENCES jobs(id),                           -- the film of a scene
  position INTEGER,                                             -- scene number; a scene may have many jobs
  chosen INTEGER NOT NULL DEFAULT 0 CHECK (chosen IN (0, 1)),   -- the scene's job that goes into the film
  origin_id TEXT,                                               -- the job this one repeats, remixes or extends
  account_id TEXT NOT NULL REFERENCES accounts(id),
  identity_id INTEGER NOT NULL,
  place TEXT NOT NULL,
  session_id TEXT,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  provider_named INTEGER NOT NULL CHECK (provider_named IN (0, 1)),
  wanted TEXT NOT NULL,
  applied TEXT NOT NULL,
  changed TEXT NOT NULL,
  attachment TEXT,
  state TEXT NOT NULL CHECK (state IN ('preparing', 'queued', 'submitting', 'generating', 'storing', 'unclear', 'done', 'failed', 'cancelled',
                                       'planning', 'awaiting', 'making', 'merging')),
  version INTEGER NOT NULL DEFAULT 1,
  price INTEGER NOT NULL CHECK (price >= 0),
  hold TEXT NOT NULL,
  charged INTEGER,
  true_cost INTEGER,
  cancel_wish TEXT CHECK (cancel_wish IN ('cancel', 'stop_waiting')),
  failure TEXT,
  progress REAL,
  note TEXT,
  attempt_id TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  retries INTEGER NOT NULL DEFAULT 0,
  vt REAL,                                                      -- place in the fair queue
  due_at INTEGER,                                               -- when to look at this job next; NULL once ended
  deadline INTEGER,                                             -- when its present state has lasted too long
  not_before INTEGER,                                           -- a queued job that was refused waits until then
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  queued_at INTEGER,
  started_at INTEGER,
  finished_at INTEGER,
  clip_id TEXT,
  hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
  dedupe_key TEXT NOT NULL,
  dedupe_hash TEXT NOT NULL,
  UNIQUE (identity_id, dedupe_key)
) STRICT;
CREATE INDEX jobs_due ON jobs(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_queue ON jobs(provider, vt) WHERE state = 'queued';  -- equal tags go by rowid: whoever came first
CREATE INDEX jobs_live ON jobs(account_id, state, provider)
  WHERE state IN ('preparing', 'queued', 'submitting', 'generating', 'storing', 'unclear');
CREATE INDEX jobs_running ON jobs(provider, state, account_id) WHERE state IN ('submitting', 'generating', 'storing');
CREATE INDEX jobs_of_account ON jobs(account_id, created_at) WHERE hidden = 0;
CREATE INDEX jobs_by_end ON jobs(finished_at) WHERE hidden = 0 AND finished_at IS NOT NULL;
CREATE INDEX jobs_gone ON jobs(account_id, updated_at) WHERE hidden = 1;
CREATE INDEX jobs_of_parent ON jobs(parent_id, position) WHERE parent_id IS NOT NULL;

-- One submission to one generator. The row is committed before the call (the intent), the ticket after it.
CREATE TABLE attempts (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs(id),
  number INTEGER NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  seconds INTEGER NOT NULL,
  resolution TEXT NOT NULL,
  applied TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'won', 'failed', 'lost')),
  ticket TEXT,
  intent_at INTEGER NOT NULL,
  ticket_at INTEGER,
  ended_at INTEGER,
  error_code TEXT,
  watch_at INTEGER,                                             -- its job was given up: when to look whether a clip came after all
  watch_until INTEGER,
  watch_tries INTEGER NOT NULL DEFAULT 0,                       -- how often that clip could not be kept
  UNIQUE (job_id, number)
) STRICT;
CREATE INDEX attempts_watched ON attempts(watch_at) WHERE watch_at IS NOT NULL;
CREATE INDEX attempts_won ON attempts(provider, model, ended_at) WHERE state = 'won';

-- Append-only. A job has one hold and, once it ended, exactly one charge or release (0 credits included).
CREATE TABLE ledger (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('hold', 'charge', 'release', 'grant', 'refund')),
  amount INTEGER NOT NULL CHECK (amount >= 0),
  from_grants INTEGER NOT NULL DEFAULT 0 CHECK (from_grants >= 0),
  account_id TEXT NOT NULL,
  identity_id INTEGER,
  job_id TEXT,
  note TEXT,
  UNIQUE (job_id, kind)
) STRICT;
CREATE INDEX ledger_of_account ON ledger(account_id, at);
-- An operator's note may name the person; "forget" takes it away, and nothing else of a line ever changes.
CREATE TRIGGER ledger_is_append_only_update BEFORE UPDATE ON ledger
  WHEN NEW.note IS NOT NULL OR (NEW.id, NEW.at, NEW.kind, NEW.amount, NEW.from_grants, NEW.account_id, NEW.identity_id, NEW.job_id)
    IS NOT (OLD.id, OLD.at, OLD.kind, OLD.amount, OLD.from_grants, OLD.account_id, OLD.identity_id, OLD.job_id)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_is_append_only_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- Cached sums of one window, checked against the ledger. The limit is not here: see limits.
CREATE TABLE allowances (
  scope TEXT NOT NULL CHECK (scope IN ('person', 'chat', 'role', 'everybody')),
  subject TEXT NOT NULL,
  period TEXT NOT NULL CHECK (period IN ('day', 'month')),
  window_start INTEGER NOT NULL,
  held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
  spent INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
  PRIMARY KEY (scope, subject, period, window_start)
) STRICT, WITHOUT ROWID;

-- An operator's own limits. No row: unset, the configured default applies. amount NULL: unlimited. amount 0: nothing.
CREATE TABLE limits (
  scope TEXT NOT NULL CHECK (scope IN ('person', 'chat', 'role', 'everybody')),
  subject TEXT NOT NULL,
  period TEXT NOT NULL CHECK (period IN ('day', 'month')),
  amount INTEGER CHECK (amount IS NULL OR amount >= 0),
  PRIMARY KEY (scope, subject, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE cards (
  id INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs(id),
  platform TEXT NOT NULL,
  place TEXT NOT NULL,
  receipt TEXT,
  shown_hash TEXT,
  next_edit_at INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1))
) STRICT;
CREATE INDEX cards_of_job ON cards(job_id);
CREATE INDEX cards_open ON cards(next_edit_at) WHERE closed = 0;

CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs(id),
  clip_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  place TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('clip', 'notify')),
  state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'unclear', 'dead')),
  tries INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER,
  receipt TEXT,
  error_code TEXT,
  created_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT;
CREATE INDEX deliveries_due ON deliveries(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_of_job ON deliveries(job_id);

-- Stored files: generated clips, posters, normalised source pictures, raw uploads. The file exists before its row does.
CREATE TABLE clips (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('clip', 'poster', 'source', 'upload')),
  account_id TEXT NOT NULL,
  job_id TEXT,
  key TEXT NOT NULL UNIQUE,
  poster_key TEXT,
  mime TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  width INTEGER,
  height INTEGER,
  seconds REAL,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT;
CREATE INDEX clips_of_job ON clips(job_id);
CREATE INDEX clips_of_account ON clips(account_id);
CREATE INDEX clips_by_age ON clips(created_at) WHERE deleted_at IS NULL;

CREATE TABLE favourites (
  account_id TEXT NOT NULL,
  clip_id TEXT NOT NULL REFERENCES clips(id),
  at INTEGER NOT NULL,
  PRIMARY KEY (account_id, clip_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX favourites_of_clip ON favourites(clip_id);

CREATE TABLE pauses (
  provider TEXT PRIMARY KEY,                                    -- '*': intake of every provider
  until INTEGER,                                                -- NULL: until resumed
  reason TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  name TEXT PRIMARY KEY,                                        -- platform:shard
  owner TEXT NOT NULL,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('signin', 'api')),
  account_id TEXT NOT NULL REFERENCES accounts(id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
  cause TEXT PRIMARY KEY,
  since INTEGER NOT NULL,
  text TEXT NOT NULL,
  told INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  verb TEXT NOT NULL,
  details TEXT NOT NULL
) STRICT;

-- The hop trail: received, accepted, submitted, ready, stored, posted, with times.
CREATE TABLE events (
  job_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  hop TEXT NOT NULL,
  note TEXT,
  PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

-- Start-time fair queueing: the start tag of the job admitted last, over all generators.
CREATE TABLE fairness (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  vt REAL NOT NULL
) STRICT;
INSERT INTO fairness (id, vt) VALUES (1, 0);
