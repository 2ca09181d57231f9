-- 2026-11: how the generators are, learnt from what became of calls to them, and what the operator chose while Reelay ran.

CREATE TABLE health (
  provider TEXT PRIMARY KEY,
  troubles TEXT NOT NULL DEFAULT '[]',                          -- bad outcomes that nothing good has followed: call, job, code, at, times
  opened_at INTEGER,                                            -- since when nothing is submitted, but probes; NULL: all is well
  until INTEGER,                                                -- when one job is let through
  rounds INTEGER NOT NULL DEFAULT 0,                            -- how often that was in vain
  probe TEXT,                                                   -- the attempt that was let through last
  limited_from INTEGER,                                         -- the vendor's rate limit: polls rest as well
  limited_until INTEGER
) STRICT, WITHOUT ROWID;

-- Wins over the settings until it is unset.
CREATE TABLE choices (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
