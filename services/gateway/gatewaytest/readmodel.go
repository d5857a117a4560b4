package gatewaytest

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// ReadModel answers a gateway's questions in place of a persister: a list of
// events that follows the log, as far as the test lets it.
type ReadModel struct {
	epoch string
	stop  func()

	mu      sync.Mutex
	limit   uint64
	events  []event.Event // ascending offset
	reached query.Checkpoint
	change  chan struct{} // closed and replaced when reached has changed
}

var _ query.Model = (*ReadModel)(nil)

// ServeReadModel follows the log of a server and answers questions, until it is
// stopped or the test ends. The log must have been made.
func ServeReadModel(t testing.TB, s *logtest.Server) *ReadModel {
	t.Helper()
	js := s.Connect()
	state, err := eventlog.Open(js).State(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	m := &ReadModel{epoch: state.Epoch, limit: math.MaxUint64, change: make(chan struct{})}
	service, err := query.Serve(s.Connect().Conn(), m, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { _ = feed.NewOrdered(js, slog.New(slog.DiscardHandler)).Run(ctx, 0, m.apply) })
	m.stop = sync.OnceFunc(func() {
		_ = service.Stop()
		cancel()
		following.Wait()
	})
	t.Cleanup(m.stop)
	return m
}

// Stop makes it answer nothing any more.
func (m *ReadModel) Stop() { m.stop() }

// Hold lets it know nothing beyond an offset, as if it lagged.
func (m *ReadModel) Hold(offset uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = offset
}

// WaitFor waits until it has reached an offset.
func (m *ReadModel) WaitFor(ctx context.Context, offset uint64) error {
	for {
		m.mu.Lock()
		reached, change := m.reached.Offset, m.change
		m.mu.Unlock()
		if reached >= offset {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (m *ReadModel) apply(r feed.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, r.Event)
	m.reached = query.Checkpoint{Offset: r.Event.Offset, At: r.Event.At, Epoch: m.epoch}
	close(m.change)
	m.change = make(chan struct{})
}

// find is the events that fit, as far as it may know them, and its checkpoint.
func (m *ReadModel) find(fits func(e *event.Event) bool) (found []event.Event, c query.Checkpoint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.events {
		e := &m.events[i]
		if e.Offset > m.limit {
			break
		}
		c = query.Checkpoint{Offset: e.Offset, At: e.At, Epoch: m.epoch}
		if fits(e) {
			found = append(found, *e)
		}
	}
	return found, c
}

// After implements query.Model.
func (m *ReadModel) After(_ context.Context, r query.AfterRequest) (query.AfterReply, error) {
	found, c := m.find(func(e *event.Event) bool {
		return e.Message() && e.Offset > r.Offset && slices.ContainsFunc(r.Conversations, func(c subject.Conversation) bool {
			topics := e.Topics()
			return e.Conversation == c || topics[0] == c || topics[1] == c
		})
	})
	reply := query.AfterReply{Events: found, Through: max(c.Offset, r.Offset), Checkpoint: c}
	if n := fitting(found, r.Limit); n < len(found) {
		reply.Events, reply.Through = found[:n], found[n-1].Offset
	}
	return reply, nil
}

// Page implements query.Model.
func (m *ReadModel) Page(_ context.Context, r query.PageRequest) (query.PageReply, error) {
	found, c := m.find(func(e *event.Event) bool {
		return e.Message() && e.Conversation == r.Conversation && (r.Before == 0 || e.Offset < r.Before)
	})
	slices.Reverse(found)
	n := fitting(found, r.Limit)
	return query.PageReply{Events: found[:n], More: n < len(found), Checkpoint: c}, nil
}

// Moment implements query.Model.
func (m *ReadModel) Moment(_ context.Context, r query.MomentRequest) (query.MomentReply, error) {
	found, c := m.find(func(e *event.Event) bool {
		return e.Message() && e.Conversation == r.Conversation && !e.At.After(r.At)
	})
	reply := query.MomentReply{Checkpoint: c}
	if len(found) > 0 {
		reply.Offset = found[len(found)-1].Offset
	}
	return reply, nil
}

// Lookup implements query.Model.
func (m *ReadModel) Lookup(_ context.Context, r query.LookupRequest) (query.LookupReply, error) {
	found, c := m.find(func(e *event.Event) bool { return e.Key == r.Key && e.Scope == r.Scope })
	reply := query.LookupReply{Checkpoint: c}
	if len(found) > 0 {
		reply.Event = &found[0]
	}
	return reply, nil
}

// Direct implements query.Model.
func (m *ReadModel) Direct(_ context.Context, r query.DirectRequest) (query.DirectReply, error) {
	found, c := m.find(func(e *event.Event) bool {
		return e.Conversation.Kind == subject.DM && (e.Sender == r.User || e.Recipient == r.User)
	})
	slices.Reverse(found)
	var order []subject.Conversation
	of := make(map[subject.Conversation][]event.Event)
	for _, e := range found {
		if of[e.Conversation] == nil {
			order = append(order, e.Conversation)
		}
		of[e.Conversation] = append(of[e.Conversation], e)
	}
	reply := query.DirectReply{Checkpoint: c}
	for _, conversation := range order[:min(r.Conversations, len(order))] {
		events := of[conversation]
		reply.Events = append(reply.Events, events[:min(r.Messages, len(events))]...)
	}
	return reply, nil
}

// Users implements query.Model.
func (m *ReadModel) Users(_ context.Context, r query.UsersRequest) (query.UsersReply, error) {
	found, c := m.find(func(e *event.Event) bool {
		return e.Type == event.Registered && (len(r.IDs) == 0 || slices.Contains(r.IDs, e.Sender))
	})
	slices.Reverse(found)
	reply := query.UsersReply{Checkpoint: c}
	for _, e := range found {
		if len(r.IDs) == 0 && len(reply.Users) == r.Newest {
			break
		}
		reply.Users = append(reply.Users, query.User{ID: e.Sender, Name: e.SenderName, Offset: e.Offset, At: e.At})
	}
	return reply, nil
}

// Checkpoint implements query.Model.
func (m *ReadModel) Checkpoint(context.Context) (query.Checkpoint, error) {
	_, c := m.find(func(*event.Event) bool { return false })
	return c, nil
}

// fitting is how many events, from the first, fit into an answer.
func fitting(events []event.Event, limit int) int {
	if limit == 0 {
		limit = query.MaxEvents
	}
	size := 0
	for i := range events {
		size += len(events[i].Content)
		if i == limit || i == query.MaxEvents || i > 0 && size > query.MaxBytes {
			return i
		}
	}
	return len(events)
}
