package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	uniqueViolation = "23505"

	// portionBytes of content are written by one INSERT at most, and portionRows.
	portionRows  = 1000
	portionBytes = 4 << 20

	// insertSQL is for when a key is taken, which COPY cannot pass over. Only that is passed over. A row that is there already is one
	// beyond the checkpoint, and an error.
	insertSQL = `INSERT INTO messages
		(conversation, "offset", id, at, sender, sender_name, recipient, scope, "key", content, digest)
		SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bytea[],
			$8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[]) AS event (conversation, "offset") ORDER BY event."offset"
		ON CONFLICT (sha256(scope), sha256("key")) WHERE "key" IS NOT NULL DO NOTHING RETURNING "offset"`

	existsSQL = `SELECT m."offset" FROM unnest($1::bytea[], $2::bigint[]) AS event (conversation, "offset")
		JOIN messages m ON sha256(m.conversation) = sha256(event.conversation) AND m."offset" = event."offset"`
)

// insert writes messages and returns those whose key was taken.
func (w *writer) insert(messages []readmodel.Row) (refused []readmodel.DeadLetter, err error) {
	if len(messages) == 0 {
		return nil, nil
	}
	if taken, err := w.copy(messages); !taken {
		return nil, err
	}
	for len(messages) > 0 {
		n := portion(messages)
		some, err := w.insertPortion(messages[:n])
		if err != nil {
			return nil, err
		}
		refused, messages = append(refused, some...), messages[n:]
	}
	return refused, nil
}

// copy writes messages the fast way, all or nothing. taken says that nothing was written, because a key is.
func (w *writer) copy(messages []readmodel.Row) (taken bool, err error) {
	err = pgx.BeginFunc(w.ctx, w.tx, func(savepoint pgx.Tx) error {
		_, err := savepoint.CopyFrom(w.ctx, pgx.Identifier{string(readmodel.Messages)}, readmodel.Columns(readmodel.Messages),
			pgx.CopyFromSlice(len(messages), func(i int) ([]any, error) { return values(&messages[i].Event), nil }))
		return err
	})
	var refused *pgconn.PgError
	taken = errors.As(err, &refused) && refused.Code == uniqueViolation && refused.ConstraintName == "messages_key"
	return taken, err
}

// portion is how many of some messages one statement writes.
func portion(messages []readmodel.Row) (n int) {
	for size := 0; n < min(len(messages), portionRows); n++ {
		if size += len(messages[n].Event.Content); n > 0 && size > portionBytes {
			break
		}
	}
	return n
}

func (w *writer) insertPortion(messages []readmodel.Row) (refused []readmodel.DeadLetter, err error) {
	columns := columnsOf(messages)
	written, err := w.offsets(insertSQL, columns[:]...)
	if err != nil || len(written) == len(messages) {
		return nil, err
	}
	var conversations [][]byte
	var offsets []int64
	for i := range messages {
		if m := &messages[i]; !written[m.Event.Offset] {
			refused = append(refused, m.DeadLetter(readmodel.ReasonKeyTaken))
			conversations = append(conversations, []byte(m.Event.Conversation.String()))
			offsets = append(offsets, int64(m.Event.Offset))
		}
	}
	there, err := w.offsets(existsSQL, conversations, offsets)
	if err == nil && len(there) > 0 { // they were there before, under the same key
		err = beyond("write messages")
	}
	return refused, err
}

// values are those of readmodel.MessageRow, in the types of the table.
func values(e *event.Event) []any {
	var key []byte
	if e.Key != "" {
		key = []byte(e.Key)
	}
	return []any{
		[]byte(e.Conversation.String()), int64(e.Offset), []byte(e.ID), readmodel.Nanoseconds(e.At),
		[]byte(e.Sender), []byte(e.SenderName), []byte(e.Recipient), []byte(e.Scope), key, []byte(e.Content), []byte(e.Digest.String()),
	}
}

// columns are rows of messages, turned on their side, as a statement takes them.
type columns [11]any

func columnsOf(messages []readmodel.Row) (c columns) {
	for i := range messages {
		for j, value := range values(&messages[i].Event) {
			switch v := value.(type) {
			case int64:
				column, _ := c[j].([]int64)
				c[j] = append(column, v)
			case []byte:
				column, _ := c[j].([][]byte)
				c[j] = append(column, v)
			}
		}
	}
	return c
}
