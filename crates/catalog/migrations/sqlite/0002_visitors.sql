-- What an inbox says and asks before the first message, and the identities a site signs for its
-- visitors.

-- BCP 47; empty for the account's language.
ALTER TABLE inboxes ADD COLUMN language TEXT NOT NULL DEFAULT '';
-- JSON: language -> suggested questions.
ALTER TABLE inboxes ADD COLUMN questions TEXT NOT NULL DEFAULT '{}';
-- JSON: language -> opening hours in free words.
ALTER TABLE inboxes ADD COLUMN hours_text TEXT NOT NULL DEFAULT '{}';
-- off, optional or required.
ALTER TABLE inboxes ADD COLUMN identity_mode TEXT NOT NULL DEFAULT 'off';

-- The secrets a site signs identities with; at most two of an inbox. The secret itself is not here: it
-- is derived from the salt with the installation's key.
CREATE TABLE identity_secrets (
    id          TEXT    NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL,
    inbox       TEXT    NOT NULL,
    -- 16 random bytes.
    salt        BLOB    NOT NULL,
    created_ms  INTEGER NOT NULL,
    FOREIGN KEY (account, inbox) REFERENCES inboxes (account, id) ON DELETE CASCADE
);
CREATE INDEX identity_secrets_by_inbox ON identity_secrets (account, inbox);

-- Which visitor of an inbox is whom on the site: one for each name the site signs, over all devices.
CREATE TABLE visitor_identities (
    account       TEXT    NOT NULL,
    inbox         TEXT    NOT NULL,
    -- The claim `sub`: the site's own name for the person.
    subject       TEXT    NOT NULL,
    visitor       TEXT    NOT NULL,
    conversation  TEXT    NOT NULL,
    -- JSON: what the site said last of the person.
    claims        TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    updated_ms    INTEGER NOT NULL,
    PRIMARY KEY (account, inbox, subject),
    UNIQUE (account, visitor),
    FOREIGN KEY (account, inbox) REFERENCES inboxes (account, id) ON DELETE CASCADE
);
