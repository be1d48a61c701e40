-- Invitations, what a user wants to be told by, and where widgets were seen.

-- A link by which somebody becomes a member. Used or withdrawn ones are gone.
CREATE TABLE invitations (
    id            TEXT    NOT NULL PRIMARY KEY,
    account       TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- SHA-256 of the link's 128 random bits.
    hash          BLOB    NOT NULL UNIQUE,
    email         TEXT    NOT NULL,
    -- The address in lower case: one open invitation for each.
    email_key     TEXT    NOT NULL,
    -- Empty where the invited person is to say it.
    display_name  TEXT    NOT NULL,
    language      TEXT    NOT NULL,
    role_id       TEXT    NOT NULL,
    -- JSON: ids of teams.
    teams         TEXT    NOT NULL,
    -- user or key, and its id: the link gives what that one may give when it is used.
    by_kind       TEXT    NOT NULL,
    by_id         TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    ends_ms       INTEGER NOT NULL,
    UNIQUE (account, email_key),
    FOREIGN KEY (account, role_id) REFERENCES roles (account, id) ON DELETE CASCADE
);

-- One row per user who chose something.
CREATE TABLE user_preferences (
    user_id                TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sound                  INTEGER NOT NULL,
    desktop                INTEGER NOT NULL,
    title                  INTEGER NOT NULL,
    repeat_until_answered  INTEGER NOT NULL
);

-- Sites whose pages asked for a visitor's ticket, the newest ones of each inbox.
CREATE TABLE inbox_sightings (
    account     TEXT    NOT NULL,
    inbox       TEXT    NOT NULL,
    origin      TEXT    NOT NULL,
    -- 1 where the site was not on the inbox's list.
    refused     INTEGER NOT NULL,
    -- Address of the newest page, without query; empty where the page did not say.
    page        TEXT    NOT NULL,
    seen_ms     INTEGER NOT NULL,
    -- How often it asked.
    requests    INTEGER NOT NULL,
    PRIMARY KEY (inbox, refused, origin),
    FOREIGN KEY (account, inbox) REFERENCES inboxes (account, id) ON DELETE CASCADE
);
CREATE INDEX inbox_sightings_by_time ON inbox_sightings (inbox, refused, seen_ms);
