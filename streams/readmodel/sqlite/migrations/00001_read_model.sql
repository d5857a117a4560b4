-- +goose Up

-- One row for each message of the log. Times are nanoseconds since 1970, UTC, as
-- the log gave them: exact, and they sort. A rowid table, because a message of
-- 64 KiB does not belong inside a b-tree of keys, and new rows go to its end
-- whichever conversation they are of.
CREATE TABLE messages (
    conversation TEXT    NOT NULL, -- room:<name>, dm:<hash> or user:<id>
    "offset"     INTEGER NOT NULL,
    id           TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    sender       TEXT    NOT NULL, -- '' for a guest
    sender_name  TEXT    NOT NULL,
    recipient    TEXT    NOT NULL, -- '' except in direct messages
    scope        TEXT    NOT NULL,
    "key"        TEXT,             -- NULL for a message without one
    content      TEXT    NOT NULL,
    digest       TEXT    NOT NULL, -- base64url, 43 characters
    PRIMARY KEY (conversation, "offset")
);

-- Once: in one scope, one key is one message.
CREATE UNIQUE INDEX messages_key ON messages (scope, "key") WHERE "key" IS NOT NULL;

-- How far the read model is. Exactly one row.
CREATE TABLE checkpoint (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    "offset" INTEGER NOT NULL,
    at       INTEGER NOT NULL, -- 0 at offset 0
    epoch    TEXT    NOT NULL, -- '' at offset 0
    digest   TEXT    NOT NULL  -- of the event at this offset; '' if it has none
);
INSERT INTO checkpoint (one, "offset", at, epoch, digest) VALUES (1, 0, 0, '', '');

-- What could not be projected, as the log holds it. A row with through > offset
-- is a range of offsets that the log does not hold.
CREATE TABLE dead_letter (
    "offset" INTEGER NOT NULL PRIMARY KEY,
    through  INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    at       INTEGER,
    subject  TEXT,
    headers  BLOB,
    content  BLOB
);

-- +goose Down
DROP TABLE dead_letter;
DROP TABLE checkpoint;
DROP TABLE messages;
