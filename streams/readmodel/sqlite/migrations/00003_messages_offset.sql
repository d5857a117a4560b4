-- +goose Up

-- So that an audit can read the messages in the order of the log. It is not
-- unique: whoever compares wants to be told of two rows at one offset.
CREATE INDEX messages_offset ON messages ("offset");

-- +goose Down
DROP INDEX messages_offset;
