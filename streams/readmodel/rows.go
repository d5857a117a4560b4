package readmodel

import (
	"bytes"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/event"
)

// Columns are the columns of a table, in the order of TableRow.Values.
func Columns(table Table) []string {
	switch table {
	case Messages:
		return []string{"conversation", "offset", "id", "at", "sender", "sender_name", "recipient", "scope", "key", "content", "digest"}
	case Users:
		return []string{"id", "name", "offset", "at"}
	case DeadLetters:
		return []string{"offset", "through", "reason", "at", "subject", "headers", "content"}
	}
	return nil
}

// MessageRow is the row that a message must have.
func MessageRow(e *event.Event) TableRow {
	return TableRow{Offset: e.Offset, Values: []sql.NullString{
		text(e.Conversation.String()), number(e.Offset), text(e.ID), nanoseconds(e.At),
		text(e.Sender), text(e.SenderName), text(e.Recipient),
		text(e.Scope), {String: e.Key, Valid: e.Key != ""}, text(e.Content), text(e.Digest.String()),
	}}
}

// UserRow is the row that a registration must have.
func UserRow(e *event.Event) TableRow {
	return TableRow{Offset: e.Offset, Values: []sql.NullString{
		text(e.Sender), text(e.SenderName), number(e.Offset), nanoseconds(e.At),
	}}
}

// DeadLetterRow is the row that a dead letter must have. Of a missing range nothing was stored, and a message without headers
// has NULL for them.
func DeadLetterRow(d DeadLetter) TableRow {
	values := []sql.NullString{number(d.Offset), number(d.Through), text(d.Reason), {}, {}, {}, {}}
	if d.Stored.Subject != "" {
		headers := string(HeaderText(d.Stored.Header))
		values[3], values[4] = nanoseconds(d.At), text(d.Stored.Subject)
		values[5], values[6] = sql.NullString{String: headers, Valid: headers != ""}, text(string(d.Stored.Content))
	}
	return TableRow{Offset: d.Offset, Values: values}
}

// HeaderText is headers as they look on the wire, sorted, so that the same
// headers are the same bytes. Of none it is nil.
func HeaderText(h nats.Header) []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	return b.Bytes()
}

// Nanoseconds is a time as the tables hold it: since 1970, 0 for none.
func Nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func text(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }

func number(n uint64) sql.NullString { return text(strconv.FormatUint(n, 10)) }

func nanoseconds(t time.Time) sql.NullString { return text(strconv.FormatInt(Nanoseconds(t), 10)) }
