-- +goose Up

-- One row for each user who has registered.
CREATE TABLE users (
    id       TEXT    NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    "offset" INTEGER NOT NULL, -- of the registration
    at       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX users_offset ON users ("offset");

-- Which direct conversations a user is in, and how far each goes: one row for
-- each of its two users, or the one who writes to himself. A conversation's name
-- is a hash and does not tell whose it is. It is written with the messages, so
-- that a database without direct messages has nothing to be filled in.
CREATE TABLE direct (
    user_id      TEXT    NOT NULL,
    conversation TEXT    NOT NULL, -- dm:<hash>
    last         INTEGER NOT NULL, -- offset of its newest message
    PRIMARY KEY (user_id, conversation)
) WITHOUT ROWID;

CREATE INDEX direct_last ON direct (user_id, last);

-- +goose Down
DROP TABLE direct;
DROP TABLE users;
