// Package delivery gets every event to every connection that may see it: in
// the log's order, each exactly once, at the pace at which the connection reads.
//
// A member is behind the feed or live. Behind, readers send it what follows its
// cursor: out of the tail, or where the tail does not reach, out of the history.
// When nothing is left it goes live, under the same lock under which the feed
// delivers the next event, so that nothing is missed and nothing sent twice.
// A live member whose outlet is full goes back to being behind.
//
//	Join ──▶ waiting ──▶ reading ──▶ live ◀── Apply (the feed)
//	            ▲           │ ▲        │
//	            │ drain     ▼ │        │ outlet full
//	            ╰───────── parked ◀────╯
//
// Newcomers, reconnect storms and slow readers are thus one path. What a member
// costs beside its outlet's budget is a struct; readers are a fixed number.
package delivery

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/subject"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

// Options of a hub.
type Options struct {
	Epoch             string // of the log it follows
	Readers           int    // members read for at the same time, from the tail and from the history each
	WatermarkInterval time.Duration
	Metrics           *Metrics
	Log               *slog.Logger
}

// Hub delivers one log's events, from one feed, to members.
//
// Apply is called by the feed's goroutine; the other methods by any. The hub
// must be running for members to catch up.
type Hub struct {
	options Options
	tail    *tail.Tail
	history History

	recent, old *queue // members waiting for the tail, and for the history
	warned      atomic.Int64

	// mu makes one step of what must be one: the feed's event and everyone it
	// goes to; a member's last look at the tail and its going live. Nothing
	// blocks under it. It is taken before an outlet's own lock, never after.
	mu      sync.Mutex
	members map[*Member]struct{}
	live    map[subject.Conversation]map[*Member]struct{}
	closed  bool
}

// New makes a hub over a tail, which from now on only its Apply appends to.
func New(t *tail.Tail, history History, options Options) *Hub {
	return &Hub{
		options: options, tail: t, history: history,
		recent: newQueue(), old: newQueue(),
		members: make(map[*Member]struct{}),
		live:    make(map[subject.Conversation]map[*Member]struct{}),
	}
}

// Run reads for members and tells watermarks until ctx ends. Then it cuts every
// member's connection, waits for its goroutines and returns.
func (h *Hub) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range h.options.Readers {
		all.Go(func() { h.serve(ctx, h.recent) })
		all.Go(func() { h.serve(ctx, h.old) })
	}
	all.Go(func() { h.tellWatermarks(ctx) })
	<-ctx.Done()
	h.recent.close()
	h.old.close()
	h.close()
	all.Wait()
}

func (h *Hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for m := range h.members {
		h.cut(m)
	}
}

// Apply takes the next position of the log and sends its event to the live
// members of its conversation: one frame, built once. It does not block.
//
// Where the log has a hole, everybody is cut: what is missing may still be in
// the read model, which a client that comes back is read to from.
func (h *Hub) Apply(r feed.Record) {
	e := &r.Event
	if r.Missing > 0 {
		h.options.Metrics.missing.Add(float64(r.Missing))
		h.options.Log.Error("the log has a hole", "before", e.Offset, "missing", r.Missing)
	}
	if r.Damaged != nil {
		h.options.Metrics.damaged.Inc()
		h.warn("damaged event in the log, not delivered", "offset", e.Offset, "error", r.Damaged)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Missing > 0 {
		for m := range h.members {
			h.cut(m)
		}
	}
	if r.Damaged != nil || !e.Known() {
		h.tail.Skip(e.Offset, e.At)
		return
	}
	h.tail.Append(e)
	members := h.live[e.Conversation]
	if len(members) == 0 {
		return
	}
	shared, sent := frames([]*event.Event{e}, nobody), 0
	for m := range members {
		if e.Offset <= m.cursor {
			continue // it came from a gateway whose feed was further
		}
		f := shared
		if e.Key != "" && m.interest.Own(e) {
			f = frames([]*event.Event{e}, m.interest.Own)
		}
		if m.outlet.Send(f...) == 0 {
			h.fallBehind(m, e.Offset-1)
			continue
		}
		m.cursor = e.Offset
		sent++
	}
	h.options.Metrics.delivered.Add(float64(sent))
}

func nobody(*event.Event) bool { return false }

// frames encodes events for one member, or for all that own none of them.
func frames(events []*event.Event, own func(*event.Event) bool) []transport.Frame {
	encoded := make([]transport.Frame, len(events))
	var text []byte
	for i, e := range events {
		text = contract.AppendMessage(text[:0], e, e.Key != "" && own(e))
		encoded[i] = transport.NewFrame(text)
	}
	return encoded
}

// Join adds a member that begins where hello says. "From now on" is now: an
// event applied after Join returned is sent.
func (h *Hub) Join(outlet Outlet, interest Interest, hello contract.Hello) *Member {
	m := &Member{outlet: outlet, interest: interest, start: &hello}
	outlet.OnDrain(func() { h.drained(m) })
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		m.state = gone
		outlet.Close()
		return m
	}
	if hello.Start.Latest {
		hello.Start = contract.Start{Offset: h.tail.Position()}
		hello.Epoch = ""
	}
	h.members[m] = struct{}{}
	h.recent.push(m)
	return m
}

// Leave removes a member. It may be called more than once.
func (h *Hub) Leave(m *Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(m)
}

// Count is how many members there are, and how many of them are live.
func (h *Hub) Count() (members, liveMembers int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for m := range h.members {
		if m.state == live {
			liveMembers++
		}
	}
	return len(h.members), liveMembers
}

// warn logs at most one line a second: what goes wrong for one goes wrong for
// thousands.
func (h *Hub) warn(message string, args ...any) {
	now := time.Now().Unix()
	if h.warned.Swap(now) != now {
		h.options.Log.Warn(message, args...)
	}
}

// The methods below are called under mu.

func (h *Hub) remove(m *Member) {
	h.unsubscribe(m)
	m.state = gone
	delete(h.members, m)
}

// cut removes a member and cuts its connection.
func (h *Hub) cut(m *Member) {
	h.remove(m)
	m.outlet.Close()
}

func (h *Hub) goLive(m *Member) {
	m.state = live
	for _, c := range m.interest.Conversations {
		if h.live[c] == nil {
			h.live[c] = make(map[*Member]struct{})
		}
		h.live[c][m] = struct{}{}
	}
}

// fallBehind takes a live member whose outlet is full back to being behind. Its
// outlet's drain will queue it.
func (h *Hub) fallBehind(m *Member, cursor uint64) {
	h.unsubscribe(m)
	m.cursor = cursor
	m.state = parked
	h.options.Metrics.fellBehind.Inc()
}

func (h *Hub) unsubscribe(m *Member) {
	if m.state != live {
		return
	}
	for _, c := range m.interest.Conversations {
		delete(h.live[c], m)
		if len(h.live[c]) == 0 {
			delete(h.live, c)
		}
	}
}
