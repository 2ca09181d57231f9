-- 2026-11: clips that a platform keeps for us, so that one which was sent before is sent again by its handle there.

-- A handle is good for one of our bots only (owner). It goes with its clip, whichever way that goes.
CREATE TABLE platform_files (
  platform TEXT NOT NULL,
  owner TEXT NOT NULL,
  clip_id TEXT NOT NULL REFERENCES clips(id) ON DELETE CASCADE,
  variant TEXT NOT NULL CHECK (variant IN ('original', 'smaller')),
  file_id TEXT NOT NULL,
  PRIMARY KEY (platform, owner, clip_id, variant)
) STRICT, WITHOUT ROWID;
CREATE INDEX platform_files_of_clip ON platform_files(clip_id);
