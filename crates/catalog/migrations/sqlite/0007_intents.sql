-- What an account says of its own about intents (one document, see intents.rs), and what its agents are good at.

CREATE TABLE intent_settings (
    account    TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    document   TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;

-- A JSON array of words.
ALTER TABLE memberships ADD COLUMN skills TEXT NOT NULL DEFAULT '[]';
