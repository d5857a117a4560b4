// Package query is the contract between gateways and the read model: what can
// be asked, over NATS request and reply (the "micro" service protocol), and
// how errors travel. Serve is the persister's side, Client the gateway's.
//
//	tidemark.query.after       events after an offset, for a set of conversations
//	tidemark.query.page        a page of one conversation, newest first
//	tidemark.query.moment      where a conversation was at a time
//	tidemark.query.lookup      the event an idempotency key stands for
//	tidemark.query.direct      a user's newest direct conversations
//	tidemark.query.users       users by id, or the newest
//	tidemark.query.checkpoint  how far the read model is
//
// Every answer says at which checkpoint it was given: the offset up to which
// the read model holds everything. A reply stays below 1 MiB and carries at most
// MaxBytes of content; one to "after" or "page" carries at most MaxEvents events
// and says how far it reaches.
package query

import (
	"context"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	// MaxEvents and MaxBytes bound one answer; a single event is always given.
	MaxEvents = 100
	MaxBytes  = 256 << 10
	// MaxConversations bounds one question.
	MaxConversations = 1000
	// MaxUsers bounds the users of one question and one answer.
	MaxUsers = 5000
)

// Checkpoint is how far the read model is.
type Checkpoint struct {
	Offset uint64    `json:"offset"` // everything up to here is projected
	At     time.Time `json:"at"`     // when the log stored that event; zero at offset 0
	Epoch  string    `json:"epoch"`  // which log it is of; empty at offset 0
}

// AfterRequest asks for the events after an offset. A conversation may be an
// inbox (subject.Inbox): all direct messages from and to a user.
type AfterRequest struct {
	Conversations []subject.Conversation `json:"conversations"`
	Offset        uint64                 `json:"offset"`
	Limit         int                    `json:"limit"` // 1 to MaxEvents; 0 means MaxEvents
}

// AfterReply holds events in ascending offset. It is complete up to Through,
// which is the checkpoint's offset unless a limit cut the answer short.
type AfterReply struct {
	Events     []event.Event `json:"events"`
	Through    uint64        `json:"through"`
	Checkpoint Checkpoint    `json:"checkpoint"`
}

// PageRequest asks for the newest events of a conversation before an offset.
type PageRequest struct {
	Conversation subject.Conversation `json:"conversation"`
	Before       uint64               `json:"before"` // 0: from the newest
	Limit        int                  `json:"limit"`  // 1 to MaxEvents; 0 means MaxEvents
}

// PageReply holds events in descending offset.
type PageReply struct {
	Events     []event.Event `json:"events"`
	More       bool          `json:"more"` // there are older ones
	Checkpoint Checkpoint    `json:"checkpoint"`
}

// MomentRequest asks for the last event of a conversation that the log had stored
// at a time.
type MomentRequest struct {
	Conversation subject.Conversation `json:"conversation"`
	At           time.Time            `json:"at"` // inclusive; of the years 1970 to 9999
}

// MomentReply holds that event's offset: it was stored at the time or before, and
// the conversation's next one later, if there is one up to the checkpoint. Where
// the log's clock was set back, so that there are several of which that holds, it is
// any of them.
type MomentReply struct {
	Offset     uint64     `json:"offset"` // 0 if there is none
	Checkpoint Checkpoint `json:"checkpoint"`
}

// LookupRequest asks for the event stored under an idempotency key.
type LookupRequest struct {
	Scope string `json:"scope"`
	Key   string `json:"key"`
}

// LookupReply holds the event, or none up to the checkpoint.
type LookupReply struct {
	Event      *event.Event `json:"event,omitempty"`
	Checkpoint Checkpoint   `json:"checkpoint"`
}

// DirectRequest asks for the newest messages of a user's direct conversations.
type DirectRequest struct {
	User          string `json:"user"`
	Conversations int    `json:"conversations"` // the newest so many; 1 to MaxConversations
	Messages      int    `json:"messages"`      // the newest so many of each; 1 to MaxEvents
}

// DirectReply holds the events, the conversation with the newest event first,
// and of each conversation the newest first. It may hold fewer than asked for: of
// a conversation the older ones, where long messages take more than an equal
// share, and whole conversations at its end.
type DirectReply struct {
	Events     []event.Event `json:"events"`
	Checkpoint Checkpoint    `json:"checkpoint"`
}

// UsersRequest asks for users: those with some ids or, without any, the newest.
type UsersRequest struct {
	IDs    []string `json:"ids,omitempty"` // at most MaxUsers
	Newest int      `json:"newest"`        // 1 to MaxUsers; not used with IDs
}

// User is someone who has registered.
type User struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Offset uint64    `json:"offset"` // of the registration
	At     time.Time `json:"at"`
}

// UsersReply holds the users in descending offset. It may hold fewer than asked
// for: then the oldest are missing, and Cut is set.
type UsersReply struct {
	Users      []User     `json:"users"`
	Cut        bool       `json:"cut,omitempty"`
	Checkpoint Checkpoint `json:"checkpoint"`
}

// Model is what answers: the read model, read-only. Its errors are of kind
// fault.Permanent (the question is wrong) or fault.Temporary (ask again).
// Methods are called from several goroutines.
type Model interface {
	After(ctx context.Context, r AfterRequest) (AfterReply, error)
	Page(ctx context.Context, r PageRequest) (PageReply, error)
	Moment(ctx context.Context, r MomentRequest) (MomentReply, error)
	Lookup(ctx context.Context, r LookupRequest) (LookupReply, error)
	Direct(ctx context.Context, r DirectRequest) (DirectReply, error)
	Users(ctx context.Context, r UsersRequest) (UsersReply, error)
	Checkpoint(ctx context.Context) (Checkpoint, error)
}
