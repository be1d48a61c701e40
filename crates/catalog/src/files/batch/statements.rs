//! The statements of a batch. Lists go to the database as JSON, which SQLite takes apart by `json_each`, MySQL
//! and MariaDB by `JSON_TABLE`.

use crate::sql::Dialects;

/// What accounts have stored, by a list of their ids.
pub(super) const ACCOUNTS: Dialects = Dialects {
    sqlite: "SELECT accounts.id, COALESCE(files, 0) AS files, COALESCE(bytes, 0) AS bytes \
             FROM accounts LEFT JOIN file_usage ON file_usage.account = accounts.id \
             WHERE accounts.id IN (SELECT value FROM json_each(?))",
    mysql: "SELECT accounts.id, COALESCE(files, 0) AS files, COALESCE(bytes, 0) AS bytes \
            FROM JSON_TABLE(?, '$[*]' COLUMNS (id VARCHAR(20) PATH '$')) AS asked \
            JOIN accounts ON accounts.id = CAST(asked.id AS BINARY) \
            LEFT JOIN file_usage ON file_usage.account = accounts.id",
};

/// What uploaders have stored, by a list of account, uploader, kind, since when; answered by the place in it.
pub(super) const UPLOADERS: Dialects = Dialects {
    sqlite: "SELECT asked.key AS place, COUNT(created_ms) AS files, \
             COALESCE(SUM(size_bytes), 0) AS bytes, \
             COALESCE(SUM(created_ms >= json_extract(asked.value, '$[3]')), 0) AS since_files, \
             COALESCE(SUM(CASE WHEN created_ms >= json_extract(asked.value, '$[3]') \
             THEN size_bytes ELSE 0 END), 0) AS since_bytes \
             FROM json_each(?) AS asked LEFT JOIN files \
             ON files.account = json_extract(asked.value, '$[0]') \
             AND files.uploader = json_extract(asked.value, '$[1]') \
             AND files.uploader_kind = json_extract(asked.value, '$[2]') \
             AND files.state IN ('uploading', 'stored') \
             GROUP BY asked.key",
    mysql: "SELECT CAST(asked.place AS SIGNED) - 1 AS place, COUNT(created_ms) AS files, \
            CAST(COALESCE(SUM(size_bytes), 0) AS SIGNED) AS bytes, \
            CAST(COALESCE(SUM(created_ms >= asked.since_ms), 0) AS SIGNED) AS since_files, \
            CAST(COALESCE(SUM(CASE WHEN created_ms >= asked.since_ms THEN size_bytes ELSE 0 END), 0) \
            AS SIGNED) AS since_bytes \
            FROM JSON_TABLE(?, '$[*]' COLUMNS (place FOR ORDINALITY, \
            account VARCHAR(20) PATH '$[0]', \
            uploader VARCHAR(255) CHARACTER SET utf8mb4 PATH '$[1]', \
            uploader_kind VARCHAR(32) PATH '$[2]', since_ms BIGINT PATH '$[3]')) AS asked \
            LEFT JOIN files ON files.account = CAST(asked.account AS BINARY) \
            AND files.uploader = CAST(asked.uploader AS BINARY) \
            AND files.uploader_kind = CAST(asked.uploader_kind AS BINARY) \
            AND files.state IN ('uploading', 'stored') \
            GROUP BY asked.place",
};

/// Files, by a list of their ids.
pub(super) const FILES: Dialects = Dialects {
    sqlite: "SELECT * FROM files WHERE id IN (SELECT value FROM json_each(?))",
    mysql: "SELECT files.* FROM JSON_TABLE(?, '$[*]' COLUMNS (id VARCHAR(32) PATH '$')) AS asked \
            JOIN files ON files.id = CAST(asked.id AS BINARY)",
};

/// Makes files, or changes what may change of them, by a list of their columns in order.
pub(super) const WRITE_FILES: Dialects = Dialects {
    sqlite: "INSERT INTO files (id, account, conversation, uploader_kind, uploader, name, \
             media_type, size_bytes, width, height, has_thumbnail, state, created_ms) \
             SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), \
             json_extract(value, '$[2]'), json_extract(value, '$[3]'), \
             json_extract(value, '$[4]'), json_extract(value, '$[5]'), \
             json_extract(value, '$[6]'), json_extract(value, '$[7]'), \
             json_extract(value, '$[8]'), json_extract(value, '$[9]'), \
             json_extract(value, '$[10]'), json_extract(value, '$[11]'), \
             json_extract(value, '$[12]') FROM json_each(?) WHERE true \
             ON CONFLICT (id) DO UPDATE SET media_type = excluded.media_type, \
             size_bytes = excluded.size_bytes, width = excluded.width, \
             height = excluded.height, has_thumbnail = excluded.has_thumbnail, \
             state = excluded.state",
    mysql: "INSERT INTO files (id, account, conversation, uploader_kind, uploader, name, \
            media_type, size_bytes, width, height, has_thumbnail, state, created_ms) \
            SELECT given.* FROM JSON_TABLE(?, '$[*]' COLUMNS ( \
            id VARCHAR(32) PATH '$[0]', account VARCHAR(20) PATH '$[1]', \
            conversation VARCHAR(20) PATH '$[2]', uploader_kind VARCHAR(32) PATH '$[3]', \
            uploader VARCHAR(255) CHARACTER SET utf8mb4 PATH '$[4]', \
            name VARCHAR(1024) CHARACTER SET utf8mb4 PATH '$[5]', \
            media_type VARCHAR(255) CHARACTER SET utf8mb4 PATH '$[6]', \
            size_bytes BIGINT PATH '$[7]', width BIGINT PATH '$[8]', height BIGINT PATH '$[9]', \
            has_thumbnail BIGINT PATH '$[10]', state VARCHAR(16) PATH '$[11]', \
            created_ms BIGINT PATH '$[12]')) AS given \
            ON DUPLICATE KEY UPDATE media_type = VALUES(media_type), \
            size_bytes = VALUES(size_bytes), width = VALUES(width), height = VALUES(height), \
            has_thumbnail = VALUES(has_thumbnail), state = VALUES(state)",
};

/// Says what accounts have stored, by a list of account, files, bytes.
pub(super) const WRITE_ACCOUNTS: Dialects = Dialects {
    sqlite: "INSERT INTO file_usage (account, files, bytes) \
             SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), \
             json_extract(value, '$[2]') FROM json_each(?) WHERE true \
             ON CONFLICT (account) DO UPDATE SET files = excluded.files, bytes = excluded.bytes",
    mysql: "INSERT INTO file_usage (account, files, bytes) \
            SELECT given.* FROM JSON_TABLE(?, '$[*]' COLUMNS (account VARCHAR(20) PATH '$[0]', \
            files BIGINT PATH '$[1]', bytes BIGINT PATH '$[2]')) AS given \
            ON DUPLICATE KEY UPDATE files = VALUES(files), bytes = VALUES(bytes)",
};
