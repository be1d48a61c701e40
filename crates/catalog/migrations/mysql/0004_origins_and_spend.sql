-- Where an article came from: empty where somebody wrote it here, or changed what it says.
ALTER TABLE articles ADD COLUMN origin VARBINARY(300) NOT NULL DEFAULT '';

-- What language models cost a conversation.
CREATE TABLE llm_conversations (
    account      VARBINARY(20) NOT NULL,
    conversation VARBINARY(20) NOT NULL,
    tokens       BIGINT NOT NULL,
    -- Of the last question; days since 1970, UTC.
    day          BIGINT NOT NULL,
    PRIMARY KEY (account, conversation),
    KEY by_day (account, day),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE = InnoDB;
