-- What each account has uploading or stored. Every upload asks twice, and adding up the rows of all its
-- files took longer with every file.

CREATE TABLE file_usage (
    account TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    files   INTEGER NOT NULL,
    bytes   INTEGER NOT NULL
);

INSERT INTO file_usage (account, files, bytes)
SELECT account, COUNT(*), SUM(size_bytes) FROM files
WHERE state IN ('uploading', 'stored') GROUP BY account;
