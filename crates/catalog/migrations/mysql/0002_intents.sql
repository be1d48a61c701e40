-- What an account says of its own about intents (one document, see intents.rs), and what its agents are good at.

CREATE TABLE intent_settings (
    account    VARBINARY(20) NOT NULL PRIMARY KEY,
    document   MEDIUMBLOB NOT NULL,
    revision   BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;

-- A JSON array of words.
ALTER TABLE memberships ADD COLUMN skills VARBINARY(4096) NOT NULL DEFAULT '[]';
