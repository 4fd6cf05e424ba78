-- The library's tables as its first version made them.
CREATE TABLE kept_case (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    label TEXT,
    he_path TEXT, he_identity TEXT NOT NULL DEFAULT '',
    ihc_path TEXT NOT NULL, ihc_identity TEXT NOT NULL,
    notes TEXT NOT NULL DEFAULT '',
    fields TEXT,
    alignment TEXT,
    created TEXT NOT NULL,
    opened TEXT NOT NULL,
    removed TEXT,
    UNIQUE (he_identity, ihc_identity)
) STRICT;
CREATE INDEX case_opened ON kept_case (opened DESC, id DESC);
CREATE TABLE tag (
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    tag TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (kept_case, tag)
) STRICT, WITHOUT ROWID;
CREATE TABLE prediction (
    id INTEGER PRIMARY KEY,
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    score TEXT NOT NULL, no_call TEXT,
    model TEXT NOT NULL, model_sha256 TEXT NOT NULL,
    document TEXT NOT NULL,
    utc TEXT NOT NULL
) STRICT;
CREATE INDEX prediction_of_case ON prediction (kept_case, id);
CREATE TABLE reading (
    id INTEGER PRIMARY KEY,
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    score TEXT NOT NULL, reason TEXT NOT NULL, reader TEXT NOT NULL,
    seconds REAL, model_score TEXT, revealed INTEGER NOT NULL,
    utc TEXT NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX reading_of_case ON reading (kept_case, id);
CREATE TABLE revealed (
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    model_sha256 TEXT NOT NULL,
    utc TEXT NOT NULL,
    PRIMARY KEY (kept_case, model_sha256)
) STRICT, WITHOUT ROWID;
CREATE TABLE step (                  -- what can be undone; `after` and `before` are JSON
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL, kept_case INTEGER NOT NULL, what TEXT NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE outbox (                -- entries that are still to be appended to the log
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, utc TEXT NOT NULL
) STRICT;
