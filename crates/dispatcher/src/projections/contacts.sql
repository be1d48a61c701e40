-- Contacts are the catalog's. What lies here is a copy for lists, written anew where the file is new.

-- Visitors who are the person of another one, known before their own row is.
CREATE TABLE contact_visitors (
    visitor  TEXT NOT NULL PRIMARY KEY,
    account  TEXT NOT NULL,
    contact  TEXT NOT NULL
);

-- One row: up to which revision of the catalog's contacts the copy goes. No row: the contacts here were
-- written before the catalog owned them, and it has not taken them over yet.
CREATE TABLE contacts_copied (
    revision  INTEGER NOT NULL
);
