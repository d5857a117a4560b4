// Package selection says which events of the log are meant: by offset, time, conversation, sender and type.
package selection

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/pflag"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// Selection is what was asked for. Its zero value is the whole log.
type Selection struct {
	From, To     uint64    // offsets, both included; 0: from the first, to the last
	Since, Until time.Time // since included, until not; zero: no bound
	Rooms        []string
	Between      []string // two users, by id or name: their direct conversation
	Senders      []string // by id or name
	Types        []string
}

// AddFlags adds the flags of a selection.
func (s *Selection) AddFlags(flags *pflag.FlagSet) { panic("not yet") }

// Span is what of the log has to be read: after < offset <= through.
func (s *Selection) Span(ctx context.Context, js jetstream.JetStream, state eventlog.State) (after, through uint64, err error) {
	panic("not yet")
}

// Matcher tells the events that are meant. Names of users are looked up in the log first; a name that several users have is an error
// that says which.
func (s *Selection) Matcher(ctx context.Context, js jetstream.JetStream) (func(*event.Event) bool, error) {
	panic("not yet")
}
