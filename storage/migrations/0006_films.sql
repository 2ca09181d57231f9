-- 2026-11: films. Their scenes, scripts and pictures are jobs with a parent; what a film is to be stands here.

CREATE TABLE films (
  job_id TEXT PRIMARY KEY REFERENCES jobs(id) ON DELETE CASCADE,
  plan TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Pictures of who recurs in somebody's films, kept for their later ones.
CREATE TABLE characters (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts(id),
  description TEXT NOT NULL,
  clip_id TEXT NOT NULL REFERENCES clips(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  UNIQUE (account_id, description)
) STRICT, WITHOUT ROWID;
CREATE INDEX characters_of_clip ON characters(clip_id);

-- Prompts of somebody's own, with places to fill in.
CREATE TABLE templates (
  account_id TEXT NOT NULL REFERENCES accounts(id),
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;

-- Jobs of one unit count as one running job of their person: the scenes of a film, the calls of one program.
ALTER TABLE jobs ADD COLUMN unit TEXT;

DROP INDEX jobs_live;
CREATE INDEX jobs_live ON jobs(account_id, state, provider)
  WHERE state NOT IN ('done', 'failed', 'cancelled');
