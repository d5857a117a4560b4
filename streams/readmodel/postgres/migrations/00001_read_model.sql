-- +goose Up

-- The tables of the read model, column for column those that SQLite has. Texts are bytea, because a text of the log may hold
-- what PostgreSQL's text cannot: the character U+0000 and bytes that are no UTF-8. They compare byte by byte, as in the log. Times are
-- nanoseconds since 1970, UTC.
--
-- Indexes hold the hash of a text that can be longer than an entry of an index, which ends at 2,700 bytes.

-- One row for each message of the log.
CREATE TABLE messages (
    conversation bytea  NOT NULL, -- room:<name>, dm:<hash> or user:<id>
    "offset"     bigint NOT NULL,
    id           bytea  NOT NULL,
    at           bigint NOT NULL,
    sender       bytea  NOT NULL, -- '' for a guest
    sender_name  bytea  NOT NULL,
    recipient    bytea  NOT NULL, -- '' except in direct messages
    scope        bytea  NOT NULL,
    "key"        bytea,           -- NULL for a message without one
    content      bytea  NOT NULL,
    digest       bytea  NOT NULL  -- base64url, 43 characters
);

CREATE UNIQUE INDEX messages_place ON messages (sha256(conversation), "offset");

-- Once: in one scope, one key is one message.
CREATE UNIQUE INDEX messages_key ON messages (sha256(scope), sha256("key")) WHERE "key" IS NOT NULL;

-- So that an audit can read the messages in the order of the log. It is not
-- unique: whoever compares wants to be told of two rows at one offset.
CREATE INDEX messages_offset ON messages ("offset");

-- How far the read model is. Exactly one row.
CREATE TABLE checkpoint (
    one      integer NOT NULL PRIMARY KEY CHECK (one = 1),
    "offset" bigint  NOT NULL,
    at       bigint  NOT NULL, -- 0 at offset 0
    epoch    bytea   NOT NULL, -- '' at offset 0
    digest   bytea   NOT NULL  -- of the event at this offset; '' if it has none
);
INSERT INTO checkpoint (one, "offset", at, epoch, digest) VALUES (1, 0, 0, '', '');

-- What could not be projected, as the log holds it. A row with through > offset
-- is a range of offsets that the log does not hold.
CREATE TABLE dead_letter (
    "offset" bigint NOT NULL PRIMARY KEY,
    through  bigint NOT NULL,
    reason   bytea  NOT NULL,
    at       bigint,
    subject  bytea,
    headers  bytea,
    content  bytea
);

-- One row for each user who has registered.
CREATE TABLE users (
    id       bytea  NOT NULL,
    name     bytea  NOT NULL,
    "offset" bigint NOT NULL, -- of the registration
    at       bigint NOT NULL
);

CREATE UNIQUE INDEX users_id ON users (sha256(id));
CREATE INDEX users_offset ON users ("offset");

-- Which direct conversations a user is in, and how far each goes: one row for
-- each of its two users, or the one who writes to himself. Each direct message changes two rows, in their place, because no
-- index has what changes and pages are left room: a user's rows are sorted when he asks.
CREATE TABLE direct (
    user_id      bytea  NOT NULL,
    conversation bytea  NOT NULL, -- dm:<hash>
    last         bigint NOT NULL  -- offset of its newest message
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX direct_member ON direct (sha256(user_id), conversation);

-- +goose Down
DROP TABLE direct;
DROP TABLE users;
DROP TABLE dead_letter;
DROP TABLE checkpoint;
DROP TABLE messages;
