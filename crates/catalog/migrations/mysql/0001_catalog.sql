-- What people configure, in a database several nodes share. The tables are those of SQLite
-- (migrations/sqlite), where each column is explained. All that is not a number is binary: no character
-- set, no collation and no version of either decides what is equal, or changes what is stored.

-- What a write locks first; see the crate's Lock.
CREATE TABLE catalog_locks (
    name VARBINARY(32) NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
INSERT INTO catalog_locks (name)
VALUES ('configuration'), ('files'), ('contacts'), ('identities'), ('sessions'), ('sightings');

-- What nodes tell each other. Revisions have no gaps; the oldest go.
CREATE TABLE catalog_changes (
    revision BIGINT NOT NULL PRIMARY KEY,
    -- Random bytes of the process that made the change.
    node     BINARY(8) NOT NULL,
    -- everything, account, user, login or key; the other columns are empty where they do not matter.
    kind     VARBINARY(16) NOT NULL,
    account  VARBINARY(20) NOT NULL,
    user_id  VARBINARY(20) NOT NULL,
    -- The handle of a login session, or the id of a key.
    detail   VARBINARY(64) NOT NULL
) ENGINE = InnoDB;
-- The newest is always there: a node that does not find the one it saw last has missed something.
INSERT INTO catalog_changes (revision, node, kind, account, user_id, detail)
VALUES (0, '        ', 'everything', '', '', '');

CREATE TABLE accounts (
    id         VARBINARY(20) NOT NULL PRIMARY KEY,
    name       VARBINARY(400) NOT NULL,
    language   VARBINARY(64) NOT NULL,
    demo       BIGINT NOT NULL DEFAULT 0,
    created_ms BIGINT NOT NULL
) ENGINE = InnoDB;

CREATE TABLE users (
    id            VARBINARY(20) NOT NULL PRIMARY KEY,
    email         VARBINARY(254) NOT NULL,
    -- Lower case may take more bytes than upper case.
    email_key     VARBINARY(762) NOT NULL UNIQUE,
    password_hash VARBINARY(255) NOT NULL,
    display_name  VARBINARY(400) NOT NULL,
    avatar        VARBINARY(64) NOT NULL,
    language      VARBINARY(64) NOT NULL,
    disabled      BIGINT NOT NULL DEFAULT 0,
    presence      VARBINARY(16) NOT NULL DEFAULT 'offline',
    created_ms    BIGINT NOT NULL
) ENGINE = InnoDB;

CREATE TABLE roles (
    id      VARBINARY(20) NOT NULL PRIMARY KEY,
    account VARBINARY(20) NOT NULL,
    builtin VARBINARY(16) NOT NULL,
    names   MEDIUMBLOB NOT NULL,
    rights  MEDIUMBLOB NOT NULL,
    UNIQUE KEY of_account (account, id),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE memberships (
    account    VARBINARY(20) NOT NULL,
    user_id    VARBINARY(20) NOT NULL,
    role_id    VARBINARY(20) NOT NULL,
    capacity   BIGINT,
    disabled   BIGINT NOT NULL DEFAULT 0,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (account, user_id),
    KEY by_user (user_id),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (account, role_id) REFERENCES roles (account, id)
) ENGINE = InnoDB;

CREATE TABLE teams (
    id         VARBINARY(20) NOT NULL PRIMARY KEY,
    account    VARBINARY(20) NOT NULL,
    names      MEDIUMBLOB NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE KEY of_account (account, id),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE team_members (
    account VARBINARY(20) NOT NULL,
    team_id VARBINARY(20) NOT NULL,
    user_id VARBINARY(20) NOT NULL,
    PRIMARY KEY (team_id, user_id),
    KEY by_user (account, user_id),
    FOREIGN KEY (account, team_id) REFERENCES teams (account, id) ON DELETE CASCADE,
    FOREIGN KEY (account, user_id) REFERENCES memberships (account, user_id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE inboxes (
    id            VARBINARY(20) NOT NULL PRIMARY KEY,
    account       VARBINARY(20) NOT NULL,
    public_key    VARBINARY(64) NOT NULL UNIQUE,
    name          VARBINARY(400) NOT NULL,
    kind          VARBINARY(16) NOT NULL,
    origins       MEDIUMBLOB NOT NULL,
    default_team  VARBINARY(20),
    routing       VARBINARY(16) NOT NULL,
    look          MEDIUMBLOB NOT NULL,
    texts         MEDIUMBLOB NOT NULL,
    hours         MEDIUMBLOB NOT NULL,
    created_ms    BIGINT NOT NULL,
    language      VARBINARY(64) NOT NULL DEFAULT '',
    questions     MEDIUMBLOB NOT NULL DEFAULT ('{}'),
    hours_text    MEDIUMBLOB NOT NULL DEFAULT ('{}'),
    identity_mode VARBINARY(16) NOT NULL DEFAULT 'off',
    UNIQUE KEY of_account (account, id),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE,
    FOREIGN KEY (account, default_team) REFERENCES teams (account, id)
) ENGINE = InnoDB;

CREATE TABLE canned_replies (
    id         VARBINARY(20) NOT NULL PRIMARY KEY,
    account    VARBINARY(20) NOT NULL,
    team_id    VARBINARY(20),
    scope      VARBINARY(20) NOT NULL,
    shortcut   VARBINARY(400) NOT NULL,
    texts      MEDIUMBLOB NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE KEY by_shortcut (account, scope, shortcut),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE,
    FOREIGN KEY (account, team_id) REFERENCES teams (account, id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE settings (
    account    VARBINARY(20) NOT NULL,
    scope_kind VARBINARY(16) NOT NULL,
    scope_id   VARBINARY(20) NOT NULL,
    name       VARBINARY(64) NOT NULL,
    value      MEDIUMBLOB NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (account, scope_kind, scope_id, name),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE api_keys (
    id           VARBINARY(20) NOT NULL PRIMARY KEY,
    account      VARBINARY(20) NOT NULL,
    name         VARBINARY(400) NOT NULL,
    hash         BINARY(32) NOT NULL UNIQUE,
    hint         VARBINARY(16) NOT NULL,
    rights       MEDIUMBLOB NOT NULL,
    created_ms   BIGINT NOT NULL,
    last_used_ms BIGINT,
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE login_sessions (
    hash       BINARY(32) NOT NULL PRIMARY KEY,
    handle     VARBINARY(32) NOT NULL UNIQUE,
    user_id    VARBINARY(20) NOT NULL,
    account    VARBINARY(20) NOT NULL,
    user_agent VARBINARY(800) NOT NULL,
    created_ms BIGINT NOT NULL,
    seen_ms    BIGINT NOT NULL,
    ends_ms    BIGINT NOT NULL,
    KEY by_user (user_id),
    FOREIGN KEY (account, user_id) REFERENCES memberships (account, user_id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE setup_tokens (
    hash    BINARY(32) NOT NULL PRIMARY KEY,
    ends_ms BIGINT NOT NULL
) ENGINE = InnoDB;

CREATE TABLE idempotency_keys (
    account      VARBINARY(20) NOT NULL,
    principal    VARBINARY(255) NOT NULL,
    route        VARBINARY(512) NOT NULL,
    client_key   VARBINARY(800) NOT NULL,
    request_hash BINARY(32) NOT NULL,
    status       BIGINT,
    body         MEDIUMBLOB,
    created_ms   BIGINT NOT NULL,
    PRIMARY KEY (account, principal, route, client_key),
    KEY by_time (created_ms),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE files (
    id            VARBINARY(32) NOT NULL PRIMARY KEY,
    account       VARBINARY(20) NOT NULL,
    conversation  VARBINARY(20) NOT NULL,
    uploader_kind VARBINARY(32) NOT NULL,
    uploader      VARBINARY(255) NOT NULL,
    name          VARBINARY(1024) NOT NULL,
    media_type    VARBINARY(255) NOT NULL,
    size_bytes    BIGINT NOT NULL,
    width         BIGINT NOT NULL,
    height        BIGINT NOT NULL,
    has_thumbnail BIGINT NOT NULL,
    state         VARBINARY(16) NOT NULL,
    created_ms    BIGINT NOT NULL,
    KEY by_conversation (account, conversation),
    KEY by_uploader (account, uploader, uploader_kind, state, created_ms, size_bytes),
    KEY by_state (state, created_ms),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE file_usage (
    account VARBINARY(20) NOT NULL PRIMARY KEY,
    files   BIGINT NOT NULL,
    bytes   BIGINT NOT NULL,
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE identity_secrets (
    id         VARBINARY(20) NOT NULL PRIMARY KEY,
    account    VARBINARY(20) NOT NULL,
    inbox      VARBINARY(20) NOT NULL,
    salt       BINARY(16) NOT NULL,
    created_ms BIGINT NOT NULL,
    FOREIGN KEY (account, inbox) REFERENCES inboxes (account, id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE visitor_identities (
    account      VARBINARY(20) NOT NULL,
    inbox        VARBINARY(20) NOT NULL,
    subject      VARBINARY(800) NOT NULL,
    visitor      VARBINARY(20) NOT NULL,
    conversation VARBINARY(20) NOT NULL,
    claims       MEDIUMBLOB NOT NULL,
    created_ms   BIGINT NOT NULL,
    updated_ms   BIGINT NOT NULL,
    PRIMARY KEY (account, inbox, subject),
    UNIQUE KEY by_visitor (account, visitor),
    FOREIGN KEY (account, inbox) REFERENCES inboxes (account, id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE invitations (
    id           VARBINARY(20) NOT NULL PRIMARY KEY,
    account      VARBINARY(20) NOT NULL,
    hash         BINARY(32) NOT NULL UNIQUE,
    email        VARBINARY(254) NOT NULL,
    email_key    VARBINARY(762) NOT NULL,
    display_name VARBINARY(400) NOT NULL,
    language     VARBINARY(64) NOT NULL,
    role_id      VARBINARY(20) NOT NULL,
    teams        MEDIUMBLOB NOT NULL,
    by_kind      VARBINARY(16) NOT NULL,
    by_id        VARBINARY(20) NOT NULL,
    created_ms   BIGINT NOT NULL,
    ends_ms      BIGINT NOT NULL,
    UNIQUE KEY by_email (account, email_key),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE,
    FOREIGN KEY (account, role_id) REFERENCES roles (account, id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE user_preferences (
    user_id               VARBINARY(20) NOT NULL PRIMARY KEY,
    sound                 BIGINT NOT NULL,
    desktop               BIGINT NOT NULL,
    title                 BIGINT NOT NULL,
    repeat_until_answered BIGINT NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE inbox_sightings (
    account  VARBINARY(20) NOT NULL,
    inbox    VARBINARY(20) NOT NULL,
    origin   VARBINARY(1024) NOT NULL,
    refused  BIGINT NOT NULL,
    page     BLOB NOT NULL,
    seen_ms  BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (inbox, refused, origin),
    KEY by_time (inbox, refused, seen_ms),
    FOREIGN KEY (account, inbox) REFERENCES inboxes (account, id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE contacts (
    account         VARBINARY(20) NOT NULL,
    id              VARBINARY(20) NOT NULL,
    name            VARBINARY(1016) NOT NULL,
    email           VARBINARY(1016) NOT NULL,
    phone           VARBINARY(1016) NOT NULL,
    note            MEDIUMBLOB NOT NULL,
    updated_ms      BIGINT NOT NULL,
    updated_by      VARBINARY(64) NOT NULL,
    updated_by_name VARBINARY(1016) NOT NULL,
    revision        BIGINT NOT NULL UNIQUE,
    PRIMARY KEY (account, id),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

CREATE TABLE contact_visitors (
    account  VARBINARY(20) NOT NULL,
    visitor  VARBINARY(20) NOT NULL,
    contact  VARBINARY(20) NOT NULL,
    revision BIGINT NOT NULL UNIQUE,
    PRIMARY KEY (account, visitor),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;
