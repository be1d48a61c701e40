-- What a team knows, what it says of its bots and of a language model, and what became of both.

-- One row for each account that ever had an article; the version rises with every change of its articles, so that who
-- holds an index or a page knows whether it is old.
CREATE TABLE knowledge_bases (
    account  TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    version  INTEGER NOT NULL,
    articles INTEGER NOT NULL,
    bytes    INTEGER NOT NULL
) STRICT;

CREATE TABLE articles (
    account    TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id         TEXT    NOT NULL,
    slug       TEXT    NOT NULL,
    category   TEXT    NOT NULL,
    -- draft or published.
    state      TEXT    NOT NULL,
    -- A JSON object by language.
    texts      TEXT    NOT NULL,
    -- Slug, category and titles in lower case: what the team's list is searched by.
    names      TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    helpful    INTEGER NOT NULL,
    unhelpful  INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (account, id),
    UNIQUE (account, slug)
) STRICT;
CREATE UNIQUE INDEX articles_in_order ON articles (account, category, slug);
CREATE INDEX articles_by_state ON articles (account, state, id);

CREATE TABLE article_votes (
    account TEXT    NOT NULL,
    article TEXT    NOT NULL,
    -- A keyed hash of whoever voted, another one every day.
    voter   BLOB    NOT NULL,
    -- Days since 1970, UTC.
    day     INTEGER NOT NULL,
    helpful INTEGER NOT NULL,
    PRIMARY KEY (account, article, voter),
    FOREIGN KEY (account, article) REFERENCES articles (account, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX article_votes_by_day ON article_votes (account, day);

-- Flows, rules of words, what is said of the model and of bots: one document each, see documents.rs.
CREATE TABLE documents (
    account    TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    document   TEXT    NOT NULL,
    -- A secret that belongs to it, encrypted with a key that lies elsewhere.
    sealed     BLOB,
    revision   INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    by_name    TEXT    NOT NULL,
    PRIMARY KEY (account, kind, name)
) STRICT;

CREATE TABLE document_versions (
    account  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    document TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    by_name  TEXT    NOT NULL,
    PRIMARY KEY (account, kind, name, revision),
    FOREIGN KEY (account, kind, name) REFERENCES documents (account, kind, name) ON DELETE CASCADE
) STRICT;

CREATE TABLE llm_spend (
    account    TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- Days since 1970, UTC.
    day        INTEGER NOT NULL,
    tokens_in  INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    requests   INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) STRICT;

CREATE TABLE screen_hits (
    account      TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id           TEXT    NOT NULL,
    at_ms        INTEGER NOT NULL,
    rule         TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    by_kind      TEXT    NOT NULL,
    by_id        TEXT    NOT NULL,
    by_name      TEXT    NOT NULL,
    conversation TEXT    NOT NULL,
    PRIMARY KEY (account, id)
) STRICT;

CREATE TABLE bot_sessions (
    account      TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    session      TEXT    NOT NULL,
    conversation TEXT    NOT NULL,
    inbox        TEXT    NOT NULL,
    at_ms        INTEGER NOT NULL,
    -- open, contained, handed_over or no_answer.
    outcome      TEXT    NOT NULL,
    -- Why it was handed over; empty where it was not.
    reason       TEXT    NOT NULL,
    -- What the visitor wrote while the bot had the session, and how much of it the bot answered.
    turns        INTEGER NOT NULL,
    answered     INTEGER NOT NULL,
    PRIMARY KEY (account, session)
) STRICT;
CREATE INDEX bot_sessions_by_time ON bot_sessions (account, at_ms, session);

-- A key that speaks on the socket as a bot.
ALTER TABLE api_keys ADD COLUMN bot INTEGER NOT NULL DEFAULT 0;

-- The built-in roles get the rights that are new, but for those somebody has narrowed.
UPDATE roles SET rights = substr(rights, 1, length(rights) - 1) || ',"settings.knowledge","settings.bots"]'
WHERE builtin IN ('owner', 'admin') AND rights LIKE '%"settings.account"%';
UPDATE roles SET rights = substr(rights, 1, length(rights) - 1) || ',"settings.knowledge"]'
WHERE builtin = 'supervisor' AND rights LIKE '%"settings.replies"%';
