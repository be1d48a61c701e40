-- First shard only: partitions that are being moved to another shard, and how far the copy has come, in the order of
-- the last change. Once `flipped`, the partition's place is the new one, and what is left is to clean up.
--
-- In `progress` the two highest bits of `epoch` are marks: 62, the partition is paused, nothing is applied to it;
-- 63, it does not lie here any more, or not yet.
CREATE TABLE moves (
    log     SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
    source  SMALLINT UNSIGNED NOT NULL,
    target  SMALLINT UNSIGNED NOT NULL,
    flipped TINYINT UNSIGNED NOT NULL,
    changed BIGINT UNSIGNED NOT NULL,
    last    VARBINARY(12) NOT NULL
) ENGINE = InnoDB;
