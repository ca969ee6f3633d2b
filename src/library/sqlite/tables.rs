//! The tables of a library file, as SQL, and what each version adds to them.

/// Version 1.
pub const TABLES: &str = "
CREATE TABLE samples (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- Text where the path is UTF-8, else its bytes.
    path NOT NULL,
    size INTEGER NOT NULL,
    kind TEXT NOT NULL,
    architecture TEXT,
    label TEXT,
    added TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
CREATE TABLE thumbnails (
    sample INTEGER PRIMARY KEY REFERENCES samples(id) ON DELETE CASCADE,
    -- 32 by 32 pixels of RGB.
    rgb BLOB NOT NULL
);
CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- The safetensors file.
    bytes BLOB NOT NULL,
    added TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
CREATE TABLE embeddings (
    model INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    -- Little-endian f32, of length 1.
    vector BLOB NOT NULL,
    PRIMARY KEY (model, sample)
) WITHOUT ROWID;
CREATE TABLE places (
    model INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    x REAL NOT NULL,
    y REAL NOT NULL,
    PRIMARY KEY (model, sample)
) WITHOUT ROWID;
-- The model that was used last.
CREATE TABLE current_model (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    model INTEGER NOT NULL REFERENCES models(id)
);
";

/// What each version adds to the one before it: the first migrates version 1 to version 2.
pub const MIGRATIONS: [&str; 6] = [
    "

CREATE TABLE label_changes (
    id INTEGER PRIMARY KEY,
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    before TEXT,
    after TEXT,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    -- The user's name on this machine.
    who TEXT NOT NULL,
    -- The folder, or another way the label was given.
    source TEXT NOT NULL,
    -- Whether it was undone.
    undone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX label_changes_of_sample ON label_changes (sample);
",
    "
-- What the views of a model see of a sample.
CREATE TABLE views (
    model INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    -- `view::FileViews::to_bytes`.
    seen BLOB NOT NULL,
    PRIMARY KEY (model, sample)
) WITHOUT ROWID;
",
    "
-- Whether it was removed: then it is kept, with its labels and embeddings, and shown nowhere.
ALTER TABLE samples ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX removed_samples ON samples (id) WHERE removed;
-- What one command of a user changed.
CREATE TABLE edits (
    id INTEGER PRIMARY KEY,
    -- label, rename, merge, remove, restore, import.
    kind TEXT NOT NULL,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    who TEXT NOT NULL,
    source TEXT NOT NULL,
    -- 0, or a number that is higher the later it was undone.
    undone INTEGER NOT NULL DEFAULT 0
);
ALTER TABLE label_changes ADD COLUMN edit INTEGER REFERENCES edits(id);
CREATE INDEX label_changes_of_edit ON label_changes (edit);
CREATE TABLE removals (
    id INTEGER PRIMARY KEY,
    edit INTEGER NOT NULL REFERENCES edits(id),
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    -- 1 if the sample was removed, 0 if it came back.
    removed INTEGER NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX removals_of_edit ON removals (edit);
CREATE INDEX removals_of_sample ON removals (sample);
ALTER TABLE models ADD COLUMN name TEXT;
-- Earlier versions wrote no edits: what was changed in the same second and from the same source is one.
INSERT INTO edits (kind, at, who, source, undone)
    SELECT CASE WHEN source IN ('the window', 'lookalike library label') THEN 'label' ELSE 'import' END,
        at, who, source, min(undone)
    FROM label_changes GROUP BY at, who, source ORDER BY min(id);
CREATE INDEX edits_by_source ON edits (at, who, source);
UPDATE label_changes SET edit = (SELECT e.id FROM edits e
    WHERE e.at = label_changes.at AND e.who = label_changes.who AND e.source = label_changes.source);
DROP INDEX edits_by_source;
",
    "
-- Apart from the facts, so that looking one up reads little.
CREATE TABLE digests (
    sample INTEGER PRIMARY KEY REFERENCES samples(id) ON DELETE CASCADE,
    sha1 BLOB NOT NULL CHECK (length(sha1) = 20),
    md5 BLOB NOT NULL CHECK (length(md5) = 16)
);
CREATE INDEX digests_by_sha1 ON digests (sha1);
CREATE INDEX digests_by_md5 ON digests (md5);
CREATE TABLE facts (
    sample INTEGER PRIMARY KEY REFERENCES samples(id) ON DELETE CASCADE,
    -- `sample::KeptFacts::to_bytes`.
    kept BLOB NOT NULL
);
",
    "
-- In place of `views`, whose rows took a page each: one of more than a quarter of a page is kept apart in a table without row ids.
CREATE TABLE seen (
    -- The row id of the model times 2^40, and that of the sample.
    look INTEGER PRIMARY KEY,
    -- `view::FileViews::to_bytes`.
    seen BLOB NOT NULL
);
INSERT INTO seen (look, seen) SELECT model << 40 | sample, seen FROM views ORDER BY model, sample;
DROP TABLE views;
CREATE INDEX samples_by_label ON samples (label, removed) WHERE label IS NOT NULL;
-- Which samples the files beside the library have that a search reads: see `segments`.
CREATE TABLE segments (
    -- Names the file.
    token BLOB PRIMARY KEY CHECK (length(token) = 16),
    model INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    -- It has all samples with these ids that the model has embedded.
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER segment_lacks_one AFTER INSERT ON embeddings BEGIN
    DELETE FROM segments WHERE model = NEW.model AND NEW.sample BETWEEN first AND last;
END;
CREATE TRIGGER segment_has_another AFTER UPDATE ON embeddings BEGIN
    DELETE FROM segments WHERE model = OLD.model AND OLD.sample BETWEEN first AND last;
END;
",
    "
-- The team's library that this file is the copy of, if it is one.
CREATE TABLE copy_of (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    url TEXT NOT NULL,
    -- When it was last as the server had it; NULL before the first time.
    refreshed TEXT,
    -- Why the user may not change it there.
    read_only TEXT
);
-- What was changed in a copy while the server could not be reached, until the server has it: an edit, or some of the samples of an
-- import. A row id is never used again.
CREATE TABLE queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- By which the server knows it again.
    token BLOB NOT NULL UNIQUE CHECK (length(token) = 16),
    -- NULL if samples that are there were only read by another model.
    edit INTEGER REFERENCES edits(id),
    -- Whether it was sent, so that the server may have it.
    sent INTEGER NOT NULL DEFAULT 0,
    -- Why the server did not take it.
    refused TEXT
);
CREATE INDEX queue_by_edit ON queue (edit);
-- The samples that an entry adds.
CREATE TABLE queued_samples (
    entry INTEGER NOT NULL REFERENCES queue(id) ON DELETE CASCADE,
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    PRIMARY KEY (entry, sample)
) WITHOUT ROWID;
-- The edits of which the server has all or a part, and its number for each; NULL if nothing was left to change.
CREATE TABLE taken_edits (
    edit INTEGER PRIMARY KEY REFERENCES edits(id),
    there INTEGER
);
",
];
