-- Who was forgotten since the file was rewritten last: committed with the deletion, removed when no trace of it is left in the file.
CREATE TABLE erasures (
  account_id TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
