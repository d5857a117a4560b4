// Package record is an event as the auditor writes it: one flat object, the same in replays, proofs and transcripts. It
// holds everything that the digest is made of, so that whoever has it can check it.
package record

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Record is an event. All fields are always there, empty where the event has none.
type Record struct {
	Offset       uint64       `json:"offset"`
	ID           string       `json:"id"`
	At           time.Time    `json:"at"` // when the log stored it, UTC, to the nanosecond
	Type         string       `json:"type"`
	Conversation string       `json:"conversation"` // room:<name>, dm:<hash> or user:<id>
	From         string       `json:"from"`         // user id; empty for a guest
	Username     string       `json:"username"`
	To           string       `json:"to"` // user id, direct messages only
	Content      string       `json:"content"`
	ClientOffset string       `json:"clientOffset"` // the idempotency key
	Scope        string       `json:"scope"`        // in which the key is unique
	Schema       int          `json:"schema"`
	Digest       event.Digest `json:"digest"`
	Damaged      string       `json:"damaged,omitempty"` // why the event is not what was sealed; then nothing above can be relied on
}

// Of is the record of an event.
func Of(e *event.Event) Record {
	r := Record{
		Offset: e.Offset, ID: e.ID, At: e.At, Type: string(e.Type),
		From: e.Sender, Username: e.SenderName, To: e.Recipient, Content: e.Content,
		ClientOffset: e.Key, Scope: e.Scope, Schema: e.Schema, Digest: e.Digest,
	}
	if e.Conversation != (subject.Conversation{}) {
		r.Conversation = e.Conversation.String()
	}
	return r
}

// Event is the event of a record, if it is what was sealed. A record of a schema that this code does not know is refused,
// because it cannot be told what its digest covers.
func (r *Record) Event() (event.Event, error) {
	if r.At != time.Unix(0, r.At.UnixNano()).UTC() {
		// Centuries away another time has the same count of nanoseconds, which is what a leaf of the tree is made of.
		return event.Event{}, fmt.Errorf("the time of the event at offset %d is none that a log gives", r.Offset)
	}
	if r.Schema != event.Schema {
		return event.Event{}, fmt.Errorf("the event at offset %d is of schema %d, this code knows %d", r.Offset, r.Schema, event.Schema)
	}
	conversation, err := subject.ParseConversation(r.Conversation)
	if err != nil {
		return event.Event{}, err
	}
	e := event.Event{
		Offset: r.Offset, At: r.At, Schema: r.Schema, Type: event.Type(r.Type), ID: r.ID, Conversation: conversation,
		Sender: r.From, SenderName: r.Username, Recipient: r.To, Scope: r.Scope, Key: r.ClientOffset, Content: r.Content, Digest: r.Digest,
	}
	if r.Damaged != "" || !e.Intact() {
		return event.Event{}, fmt.Errorf("the digest does not fit the event at offset %d", r.Offset)
	}
	return e, nil
}

// Faithful reports whether the record says all of the event: JSON cannot hold text that is not UTF-8.
func (r *Record) Faithful() bool {
	encoded, err := json.Marshal(r)
	var back Record
	return err == nil && json.Unmarshal(encoded, &back) == nil && back == *r
}
