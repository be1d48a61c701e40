-- The persons behind visitors, as far as anybody wrote something about them. Every row carries the
-- revision of its last change, one sequence over both tables: who holds a copy asks for what came after.

CREATE TABLE contacts (
    account          TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- The visitor's id, where nobody turned out to be somebody else.
    id               TEXT    NOT NULL,
    name             TEXT    NOT NULL,
    email            TEXT    NOT NULL,
    phone            TEXT    NOT NULL,
    note             TEXT    NOT NULL,
    updated_ms       INTEGER NOT NULL,
    -- User, key or visitor, and the name it had then.
    updated_by       TEXT    NOT NULL,
    updated_by_name  TEXT    NOT NULL,
    revision         INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (account, id)
);

-- Visitors who turned out to be the person of another one.
CREATE TABLE contact_visitors (
    account   TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    visitor   TEXT    NOT NULL,
    contact   TEXT    NOT NULL,
    revision  INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (account, visitor)
);
