// Package modeltest is what every read model has to pass: TestModel asks a
// query.Model from outside, TestStore exercises a readmodel.Store and its Reader. They hold
// for each database, and for a model behind the query service.
package modeltest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Epoch is the log's in these tests.
const Epoch = "modeltest"

// Room names a room.
func Room(name string) subject.Conversation {
	return subject.Conversation{Kind: subject.Room, Name: name}
}

// Event is a sealed event as the log would give it at an offset: always the
// same for the same arguments.
func Event(offset uint64, c subject.Conversation, content string) event.Event {
	e := event.Event{
		Offset: offset, At: time.Unix(1_700_000_000, int64(offset)*1001).UTC(),
		Schema: event.Schema, Type: event.Posted,
		ID:           uuid.NewSHA1(uuid.Nil, fmt.Append(nil, offset)).String(),
		Conversation: c, Content: content,
	}
	e.Seal()
	return e
}

// Keyed is Event with a sender and an idempotency key.
func Keyed(offset uint64, c subject.Conversation, content, key string) event.Event {
	e := Event(offset, c, content)
	e.Sender, e.SenderName = "u1", "Zoë"
	e.Scope, e.Key = event.Scope("user:u1", c), key
	e.Seal()
	return e
}

// Direct is Keyed as a direct message, with a key of its own.
func Direct(offset uint64, from, to, content string) event.Event {
	c := subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)}
	e := Event(offset, c, content)
	e.Sender, e.SenderName, e.Recipient = from, "name of "+from, to
	e.Scope, e.Key = event.Scope("user:"+from, c), fmt.Sprint("key-", offset)
	e.Seal()
	return e
}

// Registered is the event of a new user.
func Registered(offset uint64, user, name string) event.Event {
	e := Event(offset, subject.Conversation{Kind: subject.User, Name: user}, "")
	e.Type, e.Sender, e.SenderName = event.Registered, user, name
	e.Seal()
	return e
}

// Batch is a batch of these events that continues previous.
func Batch(previous readmodel.Position, events ...event.Event) readmodel.Batch {
	b := readmodel.Batch{Previous: previous}
	for _, e := range events {
		m := e.Encode()
		row := readmodel.Row{Event: e, Stored: readmodel.Stored{Subject: m.Subject, Header: m.Header, Content: m.Data}}
		if e.Message() {
			b.Messages = append(b.Messages, row)
		} else {
			b.Users = append(b.Users, row)
		}
		b.Next = readmodel.Position{Offset: e.Offset, At: e.At, Epoch: Epoch, Digest: e.Digest}
	}
	return b
}

// Project appends events to a store.
func Project(t testing.TB, s readmodel.Store, events ...event.Event) []readmodel.DeadLetter {
	t.Helper()
	previous, err := s.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refused, err := s.Append(t.Context(), Batch(previous, events...))
	if err != nil {
		t.Fatal(err)
	}
	return refused
}
