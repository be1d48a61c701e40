-- Where an article came from: empty where somebody wrote it here, or changed what it says.
ALTER TABLE articles ADD COLUMN origin TEXT NOT NULL DEFAULT '';

-- What language models cost a conversation.
CREATE TABLE llm_conversations (
    account      TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    conversation TEXT    NOT NULL,
    tokens       INTEGER NOT NULL,
    -- Of the last question; days since 1970, UTC.
    day          INTEGER NOT NULL,
    PRIMARY KEY (account, conversation)
) STRICT;
CREATE INDEX llm_conversations_by_day ON llm_conversations (account, day);
