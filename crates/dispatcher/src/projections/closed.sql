-- The list of closed conversations is read and counted without looking at those it does not give; a
-- start finds live ones without looking at closed ones. 3 is a closed session, 0 none.

-- `last_at_ms` of a conversation whose session is closed.
ALTER TABLE people ADD COLUMN closed_at_ms INTEGER;
UPDATE people SET closed_at_ms =
    (SELECT last_at_ms FROM conversations WHERE id = people.conversation AND status = 3);
CREATE INDEX people_by_close ON people (user_id, closed_at_ms, conversation)
    WHERE closed_at_ms IS NOT NULL;

-- How many are closed: of a team ('' is no team), or of those a user took part in (user_id).
CREATE TABLE closed_counts (
    account        TEXT    NOT NULL,
    user_id        TEXT    NOT NULL,
    team           TEXT    NOT NULL,
    conversations  INTEGER NOT NULL,
    PRIMARY KEY (account, user_id, team)
) WITHOUT ROWID;
INSERT INTO closed_counts (account, user_id, team, conversations)
    SELECT account, '', team, COUNT(*) FROM conversations WHERE status = 3 GROUP BY account, team;
INSERT INTO closed_counts (account, user_id, team, conversations)
    SELECT c.account, p.user_id, c.team, COUNT(*)
    FROM people p JOIN conversations c ON c.id = p.conversation
    WHERE c.status = 3 GROUP BY c.account, p.user_id, c.team;

DROP INDEX conversations_by_mention;
CREATE INDEX conversations_live ON conversations (id)
    WHERE status NOT IN (0, 3) OR mentioned <> '';
