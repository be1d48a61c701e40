-- What a team knows, what it says of its bots and of a language model, and what became of both.

-- One row for each account that ever had an article; the version rises with every change of its articles, so that who
-- holds an index or a page knows whether it is old.
CREATE TABLE knowledge_bases (
    account  VARBINARY(20) NOT NULL PRIMARY KEY,
    version  BIGINT NOT NULL,
    articles BIGINT NOT NULL,
    bytes    BIGINT NOT NULL,
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE articles (
    account    VARBINARY(20) NOT NULL,
    id         VARBINARY(20) NOT NULL,
    slug       VARBINARY(100) NOT NULL,
    category   VARBINARY(240) NOT NULL,
    -- draft or published.
    state      VARBINARY(16) NOT NULL,
    -- A JSON object by language.
    texts      MEDIUMBLOB NOT NULL,
    -- Slug, category and titles in lower case: what the team's list is searched by.
    names      MEDIUMBLOB NOT NULL,
    bytes      BIGINT NOT NULL,
    helpful    BIGINT NOT NULL,
    unhelpful  BIGINT NOT NULL,
    revision   BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (account, id),
    UNIQUE KEY by_slug (account, slug),
    UNIQUE KEY in_order (account, category, slug),
    KEY by_state (account, state, id),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE article_votes (
    account VARBINARY(20) NOT NULL,
    article VARBINARY(20) NOT NULL,
    -- A keyed hash of whoever voted, another one every day.
    voter   VARBINARY(32) NOT NULL,
    -- Days since 1970, UTC.
    day     BIGINT NOT NULL,
    helpful BIGINT NOT NULL,
    PRIMARY KEY (account, article, voter),
    KEY by_day (account, day),
    FOREIGN KEY (account, article) REFERENCES articles (account, id) ON DELETE CASCADE
) ENGINE = InnoDB;

-- Flows, rules of words, what is said of the model and of bots: one document each, see documents.rs.
CREATE TABLE documents (
    account    VARBINARY(20) NOT NULL,
    kind       VARBINARY(16) NOT NULL,
    name       VARBINARY(400) NOT NULL,
    document   MEDIUMBLOB NOT NULL,
    -- A secret that belongs to it, encrypted with a key that lies elsewhere.
    sealed     BLOB,
    revision   BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    by_name    VARBINARY(1016) NOT NULL,
    PRIMARY KEY (account, kind, name),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE document_versions (
    account  VARBINARY(20) NOT NULL,
    kind     VARBINARY(16) NOT NULL,
    name     VARBINARY(400) NOT NULL,
    revision BIGINT NOT NULL,
    document MEDIUMBLOB NOT NULL,
    at_ms    BIGINT NOT NULL,
    by_name  VARBINARY(1016) NOT NULL,
    PRIMARY KEY (account, kind, name, revision),
    FOREIGN KEY (account, kind, name) REFERENCES documents (account, kind, name) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE llm_spend (
    account    VARBINARY(20) NOT NULL,
    -- Days since 1970, UTC.
    day        BIGINT NOT NULL,
    tokens_in  BIGINT NOT NULL,
    tokens_out BIGINT NOT NULL,
    requests   BIGINT NOT NULL,
    failures   BIGINT NOT NULL,
    PRIMARY KEY (account, day),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE screen_hits (
    account      VARBINARY(20) NOT NULL,
    id           VARBINARY(20) NOT NULL,
    at_ms        BIGINT NOT NULL,
    rule         VARBINARY(1016) NOT NULL,
    action       VARBINARY(16) NOT NULL,
    by_kind      VARBINARY(16) NOT NULL,
    by_id        VARBINARY(64) NOT NULL,
    by_name      VARBINARY(1016) NOT NULL,
    conversation VARBINARY(20) NOT NULL,
    PRIMARY KEY (account, id),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE bot_sessions (
    account      VARBINARY(20) NOT NULL,
    session      VARBINARY(20) NOT NULL,
    conversation VARBINARY(20) NOT NULL,
    inbox        VARBINARY(20) NOT NULL,
    at_ms        BIGINT NOT NULL,
    -- open, contained, handed_over or no_answer.
    outcome      VARBINARY(16) NOT NULL,
    -- Why it was handed over; empty where it was not.
    reason       VARBINARY(64) NOT NULL,
    -- What the visitor wrote while the bot had the session, and how much of it the bot answered.
    turns        BIGINT NOT NULL,
    answered     BIGINT NOT NULL,
    PRIMARY KEY (account, session),
    KEY by_time (account, at_ms, session),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

-- A key that speaks on the socket as a bot.
ALTER TABLE api_keys ADD COLUMN bot BIGINT NOT NULL DEFAULT 0;

-- The built-in roles get the rights that are new, but for those somebody has narrowed.
UPDATE roles SET rights = CONCAT(SUBSTRING(rights, 1, LENGTH(rights) - 1), ',"settings.knowledge","settings.bots"]')
WHERE builtin IN ('owner', 'admin') AND rights LIKE '%"settings.account"%';
UPDATE roles SET rights = CONCAT(SUBSTRING(rights, 1, LENGTH(rights) - 1), ',"settings.knowledge"]')
WHERE builtin = 'supervisor' AND rights LIKE '%"settings.replies"%';
