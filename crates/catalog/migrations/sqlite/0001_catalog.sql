-- What people configure. Ids are xids as text; times are UTC milliseconds; maps by language, rights
-- and other structures are JSON text, checked by the crate before they are written.
-- Everything but users, login sessions and the set-up token belongs to an account, and every query
-- names it.

CREATE TABLE accounts (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    demo        INTEGER NOT NULL DEFAULT 0,
    created_ms  INTEGER NOT NULL
);

CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    -- The address in lower case: unique for the installation.
    email_key     TEXT    NOT NULL UNIQUE,
    password_hash TEXT    NOT NULL,
    display_name  TEXT    NOT NULL,
    -- A file id; empty for none.
    avatar        TEXT    NOT NULL,
    language      TEXT    NOT NULL,
    -- Set by the operator: the user can enter no account.
    disabled      INTEGER NOT NULL DEFAULT 0,
    -- What the agent chose: online, away or offline; one choice for all tabs.
    presence      TEXT    NOT NULL DEFAULT 'offline',
    created_ms    INTEGER NOT NULL
);

CREATE TABLE roles (
    id       TEXT    NOT NULL PRIMARY KEY,
    account  TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- agent, supervisor, admin or owner for those every account begins with; else empty.
    builtin  TEXT    NOT NULL,
    names    TEXT    NOT NULL,
    rights   TEXT    NOT NULL,
    UNIQUE (account, id)
);

CREATE TABLE memberships (
    account     TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_id     TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id     TEXT    NOT NULL,
    -- Sessions at a time; NULL takes the account's default.
    capacity    INTEGER,
    -- Set by the account: the user cannot enter this account.
    disabled    INTEGER NOT NULL DEFAULT 0,
    created_ms  INTEGER NOT NULL,
    PRIMARY KEY (account, user_id),
    FOREIGN KEY (account, role_id) REFERENCES roles (account, id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE teams (
    id          TEXT    NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    names       TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    UNIQUE (account, id)
);

CREATE TABLE team_members (
    account  TEXT NOT NULL,
    team_id  TEXT NOT NULL,
    user_id  TEXT NOT NULL,
    PRIMARY KEY (team_id, user_id),
    FOREIGN KEY (account, team_id) REFERENCES teams (account, id) ON DELETE CASCADE,
    FOREIGN KEY (account, user_id) REFERENCES memberships (account, user_id) ON DELETE CASCADE
);
CREATE INDEX team_members_by_user ON team_members (account, user_id);

CREATE TABLE inboxes (
    id            TEXT    NOT NULL PRIMARY KEY,
    account       TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- Names the inbox to the public: 128 random bits, and still no secret.
    public_key    TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    origins       TEXT    NOT NULL,
    default_team  TEXT,
    routing       TEXT    NOT NULL,
    look          TEXT    NOT NULL,
    texts         TEXT    NOT NULL,
    hours         TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    UNIQUE (account, id),
    FOREIGN KEY (account, default_team) REFERENCES teams (account, id)
);

CREATE TABLE canned_replies (
    id          TEXT    NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- NULL: for the whole account.
    team_id     TEXT,
    -- The team again, empty for the whole account: NULLs are never equal in a unique index.
    scope       TEXT    NOT NULL,
    shortcut    TEXT    NOT NULL,
    texts       TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    UNIQUE (account, scope, shortcut),
    FOREIGN KEY (account, team_id) REFERENCES teams (account, id) ON DELETE CASCADE
);

CREATE TABLE settings (
    account     TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- account, inbox or team.
    scope_kind  TEXT    NOT NULL,
    -- Empty for the account itself.
    scope_id    TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    updated_ms  INTEGER NOT NULL,
    PRIMARY KEY (account, scope_kind, scope_id, name)
);

CREATE TABLE api_keys (
    id            TEXT    NOT NULL PRIMARY KEY,
    account       TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL,
    -- SHA-256 of the key's 128 random bits.
    hash          BLOB    NOT NULL UNIQUE,
    -- The last characters, so that people can tell keys apart.
    hint          TEXT    NOT NULL,
    rights        TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    last_used_ms  INTEGER
);
CREATE INDEX api_keys_by_account ON api_keys (account);

CREATE TABLE login_sessions (
    -- SHA-256 of the token's 128 random bits.
    hash        BLOB    NOT NULL PRIMARY KEY,
    -- Names the session to its user: the first 12 bytes of the hash, in hexadecimal.
    handle      TEXT    NOT NULL UNIQUE,
    user_id     TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    user_agent  TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    seen_ms     INTEGER NOT NULL,
    -- The end whatever happens; idle sessions end earlier.
    ends_ms     INTEGER NOT NULL,
    FOREIGN KEY (account, user_id) REFERENCES memberships (account, user_id) ON DELETE CASCADE
);
CREATE INDEX login_sessions_by_user ON login_sessions (user_id);

CREATE TABLE setup_tokens (
    hash        BLOB    NOT NULL PRIMARY KEY,
    ends_ms     INTEGER NOT NULL
);

CREATE TABLE idempotency_keys (
    account       TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    principal     TEXT    NOT NULL,
    route         TEXT    NOT NULL,
    client_key    TEXT    NOT NULL,
    -- SHA-256 of the request: the same key with another body is an error.
    request_hash  BLOB    NOT NULL,
    -- NULL while the first request is being answered.
    status        INTEGER,
    body          BLOB,
    created_ms    INTEGER NOT NULL,
    PRIMARY KEY (account, principal, route, client_key)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_ms);

CREATE TABLE files (
    -- 128 random bits in hexadecimal.
    id             TEXT    NOT NULL PRIMARY KEY,
    account        TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- The conversation may have no row anywhere yet; empty for avatars and pictures of an inbox.
    conversation   TEXT    NOT NULL,
    uploader_kind  TEXT    NOT NULL,
    uploader       TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    media_type     TEXT    NOT NULL,
    size_bytes     INTEGER NOT NULL,
    width          INTEGER NOT NULL,
    height         INTEGER NOT NULL,
    has_thumbnail  INTEGER NOT NULL,
    -- uploading, stored or deleted.
    state          TEXT    NOT NULL,
    created_ms     INTEGER NOT NULL
);
CREATE INDEX files_by_conversation ON files (account, conversation);
CREATE INDEX files_by_uploader ON files (account, uploader);
CREATE INDEX files_by_state ON files (state, created_ms);
