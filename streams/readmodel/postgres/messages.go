package postgres

import (
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	// portionBytes of content are written by one statement at most, and portionRows.
	portionRows  = 1000
	portionBytes = 4 << 20

	// Only a taken key is passed over. A row that is there already is one
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
	for len(messages) > 0 {
		n := portion(messages)
		taken, err := w.insertPortion(messages[:n])
		if err != nil {
			return nil, err
		}
		refused, messages = append(refused, taken...), messages[n:]
	}
	return refused, nil
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
	c := columnsOf(messages)
	written, err := w.offsets(insertSQL, c.conversation, c.offset, c.id, c.at, c.sender, c.senderName, c.recipient,
		c.scope, c.key, c.content, c.digest)
	if err != nil || len(written) == len(messages) {
		return nil, err
	}
	var conversations [][]byte
	var offsets []int64
	for i := range messages {
		if m := &messages[i]; !written[m.Event.Offset] {
			refused = append(refused, m.DeadLetter(readmodel.ReasonKeyTaken))
			conversations, offsets = append(conversations, c.conversation[i]), append(offsets, c.offset[i])
		}
	}
	there, err := w.offsets(existsSQL, conversations, offsets)
	if err == nil && len(there) > 0 { // they were there before, under the same key
		err = beyond("write messages")
	}
	return refused, err
}

// columns are rows of messages, turned on their side, as the statement takes them.
type columns struct {
	offset, at                                                                   []int64
	conversation, id, sender, senderName, recipient, scope, key, content, digest [][]byte
}

func columnsOf(messages []readmodel.Row) (c columns) {
	for i := range messages {
		c.add(&messages[i].Event)
	}
	return c
}

// add adds the values of readmodel.MessageRow.
func (c *columns) add(e *event.Event) {
	text := func(column *[][]byte, value string) { *column = append(*column, []byte(value)) }
	c.offset, c.at = append(c.offset, int64(e.Offset)), append(c.at, readmodel.Nanoseconds(e.At))
	text(&c.conversation, e.Conversation.String())
	text(&c.id, e.ID)
	text(&c.sender, e.Sender)
	text(&c.senderName, e.SenderName)
	text(&c.recipient, e.Recipient)
	text(&c.scope, e.Scope)
	text(&c.content, e.Content)
	text(&c.digest, e.Digest.String())
	if e.Key == "" {
		c.key = append(c.key, nil)
	} else {
		text(&c.key, e.Key)
	}
}
