package delivery

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/subject"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

// narrow takes so many frames and then no more.
type narrow struct {
	room  int
	drain func()
}

func (n *narrow) Send(frames ...transport.Frame) int {
	sent := min(n.room, len(frames))
	n.room -= sent
	return sent
}
func (n *narrow) OnDrain(f func()) { n.drain = f }
func (*narrow) Time(time.Time)     {}
func (*narrow) Close()             {}

type stranger struct{}

func (stranger) Own(*event.Event) bool  { return false }
func (stranger) Sent(*event.Event) bool { return false }
func (stranger) ID() string             { return "" }

// TestAReaderThatIsLateToSettleDoesNotTakeTheMemberFromAnother has a member go
// live, fall behind, and be read for again, all before its first reader settles.
func TestAReaderThatIsLateToSettleDoesNotTakeTheMemberFromAnother(t *testing.T) {
	h := New(tail.New(1<<20, 0), nil, Options{Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler)})
	message := func(offset uint64) feed.Record {
		return feed.Record{Event: event.Event{
			Offset: offset, At: time.Unix(1, 0), Schema: event.Schema, Type: event.Posted, Conversation: subject.General, Content: "x",
		}}
	}
	take := func() *Member {
		m := h.recent.pop()
		h.mu.Lock()
		defer h.mu.Unlock()
		m.state, m.drained = reading, false
		return m
	}
	out := &narrow{room: 1} // the recovery
	h.Begin(h.Add(out, stranger{}, []subject.Conversation{subject.General}), contract.Start{}, "")
	m := take()
	verdict := h.step(context.Background(), m, false)
	if verdict != caughtUp || m.state != live {
		t.Fatalf("verdict %d, state %d", verdict, m.state)
	}
	h.Apply(message(1)) // its outlet is full: parked
	out.room = 100
	out.drain() // queued
	take()      // in another reader's hands
	h.settle(m, verdict)
	if m.state != reading || len(h.recent.members) != 0 {
		t.Errorf("state %d with %d queued: two readers have it", m.state, len(h.recent.members))
	}
}
