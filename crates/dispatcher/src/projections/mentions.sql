-- Who has unread mentions, so that a start finds the closed conversations among them; and who wrote
-- about a contact last.

-- User ids, sorted and separated by blanks.
ALTER TABLE conversations ADD COLUMN mentioned TEXT NOT NULL DEFAULT '';
CREATE INDEX conversations_by_mention ON conversations (id) WHERE mentioned <> '';

-- User, key or visitor, and the name it had then; empty before this was kept.
ALTER TABLE contacts ADD COLUMN updated_by TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN updated_by_name TEXT NOT NULL DEFAULT '';
