package evidence_test

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/tidemark-chat/tidemark/services/swarm/evidence"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// model is a read model that holds what a log holds, until a test changes it. Its pages are short.
type model struct {
	events []event.Event // messages, ascending
	keys   []event.Event // by which keys are looked up
	inbox  []event.Event // by which inboxes are read
	users  []query.User  // ascending
	at     query.Checkpoint

	stuckPage, stuckInbox bool         // they do not go on
	reach                 atomic.Int64 // how often its checkpoint is asked for before it has reached at; below 0: never answers that
	temporary             atomic.Int64 // how many questions it cannot answer just now
}

const pageSize = 3

func newModel(r evidence.Reading) *model {
	m := &model{at: query.Checkpoint{Offset: r.Log.Head, Epoch: r.Log.Epoch}}
	for _, e := range r.Events {
		if e.Message() {
			m.events, m.keys, m.inbox = append(m.events, e), append(m.keys, e), append(m.inbox, e)
		} else {
			m.users = append(m.users, query.User{ID: e.Sender, Name: e.SenderName, Offset: e.Offset, At: e.At})
		}
	}
	return m
}

// serve serves the model until the test ends.
func (m *model) serve(t *testing.T, s *logtest.Server) {
	t.Helper()
	service, err := query.Serve(s.Connect().Conn(), m, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Stop() })
}

func (m *model) busy() error {
	if m.temporary.Add(-1) >= 0 {
		return fault.Errorf("test", fault.Temporary, "busy")
	}
	return nil
}

func (m *model) After(_ context.Context, r query.AfterRequest) (query.AfterReply, error) {
	reply := query.AfterReply{Through: m.at.Offset}
	if m.stuckInbox {
		reply.Through = r.Offset
	}
	for _, e := range m.inbox {
		if topics := e.Topics(); e.Offset > r.Offset && (topics[0] == r.Conversations[0] || topics[1] == r.Conversations[0]) {
			if len(reply.Events) == pageSize {
				reply.Through = reply.Events[pageSize-1].Offset
				break
			}
			reply.Events = append(reply.Events, e)
		}
	}
	return reply, m.busy()
}

func (m *model) Page(_ context.Context, r query.PageRequest) (reply query.PageReply, err error) {
	for _, e := range slices.Backward(m.events) {
		if e.Conversation == r.Conversation && (e.Offset < r.Before || m.stuckPage) {
			if len(reply.Events) == pageSize {
				reply.More = true
				break
			}
			reply.Events = append(reply.Events, e)
		}
	}
	return reply, m.busy()
}

func (m *model) Lookup(_ context.Context, r query.LookupRequest) (reply query.LookupReply, err error) {
	for i, e := range m.keys {
		if e.Key != "" && e.Key == r.Key && e.Scope == r.Scope {
			reply.Event = &m.keys[i]
			break
		}
	}
	return reply, m.busy()
}

func (m *model) Moment(context.Context, query.MomentRequest) (query.MomentReply, error) {
	return query.MomentReply{}, nil
}

func (m *model) Direct(context.Context, query.DirectRequest) (query.DirectReply, error) {
	return query.DirectReply{}, nil
}

func (m *model) Users(_ context.Context, r query.UsersRequest) (reply query.UsersReply, err error) {
	for _, u := range slices.Backward(m.users) {
		if len(r.IDs) == 0 || slices.Contains(r.IDs, u.ID) {
			reply.Users = append(reply.Users, u)
		}
	}
	return reply, m.busy()
}

func (m *model) Checkpoint(context.Context) (query.Checkpoint, error) {
	c := m.at
	if m.reach.Add(-1) >= 0 {
		c.Offset--
	}
	return c, m.busy()
}

// messages is what a test's log holds: registrations at 1 and 2, messages of two rooms and of an inbox up to 24.
func messages(t *testing.T) []event.Event {
	t.Helper()
	all := []event.Event{registered(t, "u1"), registered(t, "u2")}
	for i := range 11 {
		content := string(rune('a' + i))
		all = append(all, logtest.Keyed(t, "general", "general "+content, content), direct(t, "u1", "u2", content))
	}
	all[7] = logtest.Message(t, "other", "alone")
	return all
}

var _ query.Model = (*model)(nil)

func has(c subject.Conversation, offset uint64) func(event.Event) bool {
	return func(e event.Event) bool { return e.Conversation == c && e.Offset == offset }
}
