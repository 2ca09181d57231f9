-- 2026-11: chats. Where their managers want clips to be made, and the clips that were posted publicly in each.

-- No row of a guild: everywhere. A row that allows: only where one allows. A row that denies: not there.
CREATE TABLE channels (
  platform TEXT NOT NULL,
  guild TEXT NOT NULL,
  channel TEXT NOT NULL,
  allowed INTEGER NOT NULL CHECK (allowed IN (0, 1)),
  at INTEGER NOT NULL,
  PRIMARY KEY (platform, guild, channel)
) STRICT, WITHOUT ROWID;

-- The chat whose members all see the clip (discord:guild:1); NULL for what only one person sees.
ALTER TABLE jobs ADD COLUMN shown_in TEXT;
CREATE INDEX jobs_of_chat ON jobs(shown_in, id) WHERE shown_in IS NOT NULL AND clip_id IS NOT NULL AND hidden = 0;

-- What a platform adapter must know again after a restart, such as which commands it registered.
CREATE TABLE platform_notes (
  platform TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (platform, name)
) STRICT, WITHOUT ROWID;
