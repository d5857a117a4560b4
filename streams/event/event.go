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
const Schema = 1

// Type is what happened.
type Type string

// Posted says that a message was posted to a conversation.
const Posted Type = "message.posted"

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
}

// NewPosted makes a message event with a fresh id. The caller fills in what it
// knows of sender and key, then seals it.
func NewPosted(conversation subject.Conversation, content string) (Event, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Event{}, err
	}
	return Event{Schema: Schema, Type: Posted, ID: id.String(), Conversation: conversation, Content: content}, nil
}

// Known reports whether this code understands the event.
func (e *Event) Known() bool { return e.Schema == Schema && e.Type == Posted }

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
