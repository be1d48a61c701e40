-- What one uploader has is added up for each of its uploads: the index holds all of it, so that no row is
-- read for it.

DROP INDEX files_by_uploader;
CREATE INDEX files_by_uploader
    ON files (account, uploader, uploader_kind, state, created_ms, size_bytes);
