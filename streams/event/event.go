// Package event defines what the log holds: one event per message of the
// stream, metadata in headers, the content alone as payload, so that it can be
// encrypted later without touching anything else.
//
//	subject  chat.0.room.ngeneral          (package subject)
//	headers  Tidemark-Schema: 1            Tidemark-Type: message.posted
//	         Tidemark-Id: <UUIDv7>         Tidemark-Digest: <base64url SHA-256>
//	         Tidemark-Conversation, -Sender, -Sender-Name, -Recipient,
//	         -Scope, -Key                  (query-escaped; left out when empty)
//	payload  the content
//
// The offset (stream sequence) and the time are given by the log when it
// stores the event: one clock for all gateways, and the same on every replay.
package event

import (
	"time"

	"github.com/google/uuid"

	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Schema is the version this code writes. Events of a newer schema are kept,
// counted and skipped, never fatal.
const Schema = firstSchema

const firstSchema = 1

// Type is what happened.
type Type string

const (
	// Posted says that a message was posted to a conversation.
	Posted Type = "message.posted"
	// Registered says that there is a user: Sender is the id, SenderName the
	// name, and the conversation the user's own. It has no content.
	Registered Type = "user.registered"
)

// Event is one event. Everything but Offset and At is set by who appends it.
type Event struct {
	Offset uint64    `json:"offset"` // sequence in the log, from 1; 0 before the append
	At     time.Time `json:"at"`     // when the log stored it, UTC

	Schema       int                  `json:"schema"`
	Type         Type                 `json:"type"`
	ID           string               `json:"id"` // UUIDv7
	Conversation subject.Conversation `json:"conversation"`
	Sender       string               `json:"sender,omitempty"` // user id; empty for a guest
	SenderName   string               `json:"senderName,omitempty"`
	Recipient    string               `json:"recipient,omitempty"` // user id, direct messages only
	// Scope and Key are the idempotency key: in one scope, one key is one
	// event. Scope is Scope(sender, conversation). Both empty: no key.
	Scope   string `json:"scope,omitempty"`
	Key     string `json:"key,omitempty"`
	Content string `json:"content"`
	Digest  Digest `json:"digest"`

	// Stored is a hash over the message as the log holds it, of an event of any schema but the first. Whoever does not know
	// what such a schema's digest covers can still tell whether the event is the one that it was.
	Stored Digest `json:"-"`
}

// NewPosted makes a message event. id is a fresh UUIDv7. The caller fills in what
// it knows of sender and key, then seals it.
func NewPosted(id string, conversation subject.Conversation, content string) Event {
	return Event{Schema: Schema, Type: Posted, ID: id, Conversation: conversation, Content: content}
}

// NewRegistered makes the sealed event of a new user.
func NewRegistered(user, name string) (Event, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Event{}, err
	}
	e := Event{
		Schema: Schema, Type: Registered, ID: id.String(),
		Conversation: subject.Conversation{Kind: subject.User, Name: user}, Sender: user, SenderName: name,
	}
	e.Seal()
	return e, nil
}

// Known reports whether this code understands the event.
func (e *Event) Known() bool {
	return e.Schema == Schema && (e.Type == Posted || e.Type == Registered)
}

// Message reports whether the event is a message, which clients are sent.
func (e *Event) Message() bool { return e.Schema == Schema && e.Type == Posted }

// Topics are what readers follow to find a message: its room, or the inboxes of
// the two users of a direct message, the sender's first; of a message to oneself
// the second is the zero Conversation, as it is for a room.
func (e *Event) Topics() (topics [2]subject.Conversation) {
	if e.Conversation.Kind != subject.DM {
		topics[0] = e.Conversation
		return topics
	}
	topics[0] = subject.Inbox(e.Sender)
	if e.Recipient != e.Sender {
		topics[1] = subject.Inbox(e.Recipient)
	}
	return topics
}

// Seal sets the digest over the event as it stands.
func (e *Event) Seal() { e.Digest = e.digest() }

// Intact reports whether the event is what was sealed.
func (e *Event) Intact() bool { return e.Digest == e.digest() }

// SameMessage reports whether other, sent again under the same key, is this
// event: whether it would have this event's digest had it this event's id.
func (e *Event) SameMessage(other Event) bool {
	other.ID = e.ID
	return e.Digest == other.digest()
}

// Scope is the namespace of a sender's keys: one sender in one conversation.
// sender names the sender's kind too ("user:<id>", "guest", "guest:<socket>").
func Scope(sender string, conversation subject.Conversation) string {
	return sender + "/" + conversation.String()
}

// Size is roughly the memory the event holds, in bytes.
func (e *Event) Size() int {
	const fixed = 320 // the struct, its id and string headers
	return fixed + len(e.Conversation.Name) + len(e.Sender) + len(e.SenderName) + len(e.Recipient) +
		len(e.Scope) + len(e.Key) + len(e.Content)
}
