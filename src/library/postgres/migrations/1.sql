-- Version 1 of a team's library. What is stored of a sample is its hash, its name, facts and vectors: never its bytes.
CREATE SCHEMA lookalike;

-- How this program recognises its schema.
CREATE TABLE lookalike.library (
    only boolean PRIMARY KEY DEFAULT true CHECK (only),
    application text NOT NULL DEFAULT 'org.lookalike.Lookalike',
    version integer NOT NULL,
    created timestamptz NOT NULL DEFAULT now()
);
INSERT INTO lookalike.library (version) VALUES (1);

CREATE TABLE lookalike.samples (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    -- The name of its file, without folders, as its system has it.
    name bytea NOT NULL,
    size bigint NOT NULL,
    kind text NOT NULL,
    architecture text,
    label text,
    -- Whether it was removed: then it is kept, with its labels and embeddings, and shown nowhere.
    removed boolean NOT NULL DEFAULT false,
    added timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL DEFAULT session_user
);
CREATE INDEX samples_by_label ON lookalike.samples (label) WHERE label IS NOT NULL;

CREATE TABLE lookalike.thumbnails (
    sample bigint PRIMARY KEY REFERENCES lookalike.samples ON DELETE CASCADE,
    -- 32 by 32 pixels of RGB.
    rgb bytea NOT NULL
);

CREATE TABLE lookalike.models (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    -- The safetensors file.
    bytes bytea NOT NULL,
    name text NOT NULL,
    added timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL DEFAULT session_user
);
CREATE UNIQUE INDEX models_by_name ON lookalike.models (lower(name));

-- What a model makes of samples. It never changes.
CREATE TABLE lookalike.looks (
    model bigint NOT NULL REFERENCES lookalike.models ON DELETE CASCADE,
    sample bigint NOT NULL REFERENCES lookalike.samples ON DELETE CASCADE,
    -- Of length 1.
    embedding vector NOT NULL,
    -- What the model's views see, if it has any: `view::FileViews::to_bytes`.
    seen bytea,
    PRIMARY KEY (model, sample)
);

CREATE TABLE lookalike.places (
    model bigint NOT NULL REFERENCES lookalike.models ON DELETE CASCADE,
    sample bigint NOT NULL REFERENCES lookalike.samples ON DELETE CASCADE,
    x real NOT NULL,
    y real NOT NULL,
    PRIMARY KEY (model, sample)
);

-- The model that was used last.
CREATE TABLE lookalike.current_model (
    only boolean PRIMARY KEY DEFAULT true CHECK (only),
    model bigint NOT NULL REFERENCES lookalike.models
);

CREATE TABLE lookalike.facts (
    sample bigint PRIMARY KEY REFERENCES lookalike.samples ON DELETE CASCADE,
    sha1 bytea NOT NULL CHECK (octet_length(sha1) = 20),
    md5 bytea NOT NULL CHECK (octet_length(md5) = 16),
    -- `sample::KeptFacts::to_bytes`.
    kept bytea NOT NULL
);
CREATE INDEX facts_by_sha1 ON lookalike.facts (sha1);
CREATE INDEX facts_by_md5 ON lookalike.facts (md5);

-- What one command of a user changed. Who it was is what the server knows, not what a program says.
CREATE TABLE lookalike.edits (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- label, rename, merge, remove, restore, import.
    kind text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL DEFAULT session_user,
    source text NOT NULL,
    -- 0, or a number that is higher the later it was undone.
    undone bigint NOT NULL DEFAULT 0
);
CREATE TABLE lookalike.label_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edit bigint NOT NULL REFERENCES lookalike.edits,
    sample bigint NOT NULL REFERENCES lookalike.samples ON DELETE CASCADE,
    before text,
    after text,
    at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL DEFAULT session_user,
    source text NOT NULL,
    undone boolean NOT NULL DEFAULT false
);
CREATE INDEX label_changes_of_sample ON lookalike.label_changes (sample);
CREATE INDEX label_changes_of_edit ON lookalike.label_changes (edit);
CREATE TABLE lookalike.removals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edit bigint NOT NULL REFERENCES lookalike.edits,
    sample bigint NOT NULL REFERENCES lookalike.samples ON DELETE CASCADE,
    -- Whether the sample was removed, or came back.
    removed boolean NOT NULL,
    undone boolean NOT NULL DEFAULT false
);
CREATE INDEX removals_of_sample ON lookalike.removals (sample);
CREATE INDEX removals_of_edit ON lookalike.removals (edit);
