-- What lists, counters and visitor pages read. Everything but contacts and what people wrote about
-- visitors follows from the history and is rebuilt from it; ids are xids as text, times UTC
-- milliseconds.

-- One row per log: everything up to `log_offset` is contained.
CREATE TABLE applied (
    log         INTEGER NOT NULL PRIMARY KEY,
    log_offset  INTEGER NOT NULL
);

-- A list row: a conversation with its current session.
CREATE TABLE conversations (
    id                TEXT    NOT NULL PRIMARY KEY,
    account           TEXT    NOT NULL,
    inbox             TEXT    NOT NULL,
    visitor           TEXT    NOT NULL,
    -- SessionStatus; 0 where there is no session.
    status            INTEGER NOT NULL,
    -- User or bot; empty while queued.
    owner             TEXT    NOT NULL,
    -- Empty for the common queue.
    team              TEXT    NOT NULL,
    session_number    INTEGER NOT NULL,
    waiting_since_ms  INTEGER NOT NULL,
    last_at_ms        INTEGER NOT NULL,
    priority          INTEGER NOT NULL,
    rating            INTEGER NOT NULL,
    intent            TEXT    NOT NULL,
    -- Owner and participants, sorted and separated by blanks: tells whether `people` must change.
    people            TEXT    NOT NULL,
    -- chat.v1.Session
    session           BLOB,
    -- chat.v1.Entry, its text cut to a preview: the newest that everybody may see.
    last_entry        BLOB,
    last_seq          INTEGER NOT NULL,
    visible_entries   INTEGER NOT NULL,
    -- JSON: actor id -> seq read up to.
    read_to           TEXT    NOT NULL,
    language          TEXT    NOT NULL,
    page_url          TEXT    NOT NULL,
    referrer          TEXT    NOT NULL,
    user_agent        TEXT    NOT NULL,
    created_at_ms     INTEGER NOT NULL
);
CREATE INDEX conversations_by_time ON conversations (account, last_at_ms, id);
CREATE INDEX conversations_by_status ON conversations (account, status, last_at_ms, id);
CREATE INDEX conversations_by_team ON conversations (account, team, status, last_at_ms, id);
CREATE INDEX conversations_by_visitor ON conversations (account, visitor);

-- Who owns or takes part in a conversation's current session.
CREATE TABLE people (
    user_id       TEXT NOT NULL,
    conversation  TEXT NOT NULL,
    PRIMARY KEY (user_id, conversation)
) WITHOUT ROWID;
CREATE INDEX people_by_conversation ON people (conversation);

-- A person. Written by people; kept when the rest is rebuilt.
CREATE TABLE contacts (
    id          TEXT    NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    email       TEXT    NOT NULL,
    phone       TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    updated_ms  INTEGER NOT NULL
);
CREATE INDEX contacts_by_account ON contacts (account, id);

-- A contact at one inbox.
CREATE TABLE visitors (
    id             TEXT    NOT NULL PRIMARY KEY,
    account        TEXT    NOT NULL,
    inbox          TEXT    NOT NULL,
    contact        TEXT    NOT NULL,
    conversation   TEXT    NOT NULL,
    -- SHA-256 of the visitor's secret; empty where it came with the identity of a site.
    secret_hash    BLOB    NOT NULL,
    language       TEXT    NOT NULL,
    -- JSON: what site and team know, name -> text. Kept when the rest is rebuilt.
    attributes     TEXT    NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    last_at_ms     INTEGER NOT NULL
);
CREATE INDEX visitors_by_contact ON visitors (account, contact);
