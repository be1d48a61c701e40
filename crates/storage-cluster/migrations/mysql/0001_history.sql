-- The history of conversations on one database of several (a shard). All that is not a number is binary:
-- no character set, no collation and no version of either can change what is stored.

-- Which database this is: a random id, so that databases that changed places are noticed.
CREATE TABLE identity (
    one TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    id  BINARY(16) NOT NULL
) ENGINE = InnoDB;

-- First shard only: the databases by their place in the configuration.
CREATE TABLE shards (
    shard    SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
    identity BINARY(16) NOT NULL
) ENGINE = InnoDB;

-- First shard only: where each partition lies.
CREATE TABLE placements (
    log   SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
    shard SMALLINT UNSIGNED NOT NULL
) ENGINE = InnoDB;

-- Who owns a partition that lies here (the highest epoch), and what was applied from it.
CREATE TABLE progress (
    log     SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
    epoch   BIGINT UNSIGNED NOT NULL,
    applied BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB;

CREATE TABLE conversations (
    id    BINARY(12) NOT NULL PRIMARY KEY,
    log   SMALLINT UNSIGNED NOT NULL,
    state MEDIUMBLOB NOT NULL,
    KEY by_log (log, id)
) ENGINE = InnoDB;

-- client_msg_id is NULL for what nobody sends twice; NULLs are not compared.
CREATE TABLE entries (
    conversation  BINARY(12) NOT NULL,
    seq           BIGINT UNSIGNED NOT NULL,
    sender        VARBINARY(255) NOT NULL,
    client_msg_id VARBINARY(64) NULL,
    content_hash  BIGINT UNSIGNED NOT NULL,
    entry         MEDIUMBLOB NOT NULL,
    PRIMARY KEY (conversation, seq),
    UNIQUE KEY sent (conversation, sender, client_msg_id)
) ENGINE = InnoDB;

CREATE TABLE events (
    conversation BINARY(12) NOT NULL,
    number       BIGINT UNSIGNED NOT NULL,
    event        MEDIUMBLOB NOT NULL,
    PRIMARY KEY (conversation, number)
) ENGINE = InnoDB;
