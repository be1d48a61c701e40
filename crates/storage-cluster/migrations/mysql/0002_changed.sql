-- With which batch a conversation changed last, so that nodes which keep lists of conversations can follow. What is
-- there already counts as changed by the first record.
ALTER TABLE conversations
    ADD COLUMN changed BIGINT UNSIGNED NOT NULL DEFAULT 1,
    ADD KEY by_change (log, changed, id);
