// Package delivery gets every event to every connection that may see it: in
// the log's order, each exactly once, at the pace at which the connection reads.
//
// A member is behind the feed or live. Behind, readers send it what follows its
// cursor: out of the tail, or where the tail does not reach, out of the history.
// When nothing is left it goes live, under the same lock under which the feed
// delivers the next event, so that nothing is missed and nothing sent twice.
// A live member whose outlet is full goes back to being behind.
//
//	Begin ──▶ waiting ──▶ reading ──▶ live ◀── Apply (the feed)
//	             ▲           │ ▲        │
//	             │ drain     ▼ │        │ outlet full
//	             ╰───────── parked ◀────╯
//
// A member follows topics: rooms, and a user's inbox. It may join and leave rooms
// at any time; what is read for it meanwhile is read again.
//
// Newcomers, reconnect storms and slow readers are thus one path. What a member
// costs beside its outlet's budget is a struct; readers are a fixed number.
package delivery

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/seldom"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/subject"
	"github.com/tidemark-chat/tidemark/streams/tail"
	"github.com/tidemark-chat/tidemark/streams/trace"
)

// Options of a hub.
type Options struct {
	Epoch             string // of the log it follows
	Readers           int    // members read for at the same time from the history
	WatermarkInterval time.Duration
	Metrics           *Metrics
	Tracer            *trace.Tracer // nil: nothing is traced
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
	warnings    seldom.Log

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
		all.Go(func() { h.serve(ctx, h.old) })
	}
	// Reading from the tail takes nothing but a processor, and leaves half of
	// them to who is live.
	for range max(1, min(h.options.Readers, runtime.GOMAXPROCS(0)/2)) {
		all.Go(func() { h.serve(ctx, h.recent) })
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
// members of its topics: each form of its frame is built once. It does not block.
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
	if r.Damaged != nil || !e.Message() {
		h.tail.Skip(e.Offset, e.At)
		return
	}
	h.tail.Append(e)
	span := h.options.Tracer.Deliver(r.Trace, e.Offset)
	c, sent, bytes := encoder{event: e}, 0, 0
	for _, topic := range e.Topics() {
		for m := range h.live[topic] {
			if e.Offset <= m.cursor {
				continue // it came from a gateway whose feed was further
			}
			f, ok := c.frame(m, m.interest)
			if ok && m.outlet.Send(f) == 0 {
				h.fallBehind(m, e.Offset-1)
				continue
			}
			m.cursor = e.Offset
			if ok {
				m.shown = e.Offset
				if sent == 0 { // any of them: a map's order is by chance
					m.outlet.Time(e.At)
				}
				sent++
				bytes += f.Size()
			}
		}
	}
	h.options.Metrics.events.Inc()
	h.options.Metrics.delivered.Add(float64(sent))
	h.options.Metrics.live.add(sent, bytes)
	if span.Traced() {
		span.Set("tidemark.connections", int64(sent)).Set("tidemark.bytes", int64(bytes)).End("")
	}
}

// Add adds a member that follows some topics. It is sent nothing before Begin.
func (h *Hub) Add(outlet Outlet, viewer Viewer, topics []subject.Conversation) *Member {
	m := &Member{
		outlet: outlet, viewer: viewer, mark: mark(viewer.ID()), resolved: make(chan struct{}),
		interest: &interest{topics: topics, lounge: never},
	}
	outlet.OnDrain(func() { h.drained(m) })
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		m.state = gone
		outlet.Close()
		return m
	}
	h.members[m] = struct{}{}
	return m
}

// Begin begins delivery where a client says, whose offset is of the log of an
// epoch if it names one. "From now on" is now: an event applied after Begin
// returned is sent.
func (h *Hub) Begin(m *Member, from contract.Start, epoch string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.state != idle {
		return
	}
	m.start = &start{offset: from.Offset, epoch: epoch}
	if from.Latest {
		m.start = &start{offset: h.tail.Position()}
	}
	m.state = waiting
	h.recent.push(m)
}

// Join lets a member follow a topic too, from after the offset it returns: what
// follows it is sent. It waits until it is clear where the member begins, which is
// soon after Begin, or until ctx ends; then it is false. A member that follows the
// topic already goes on as before.
func (h *Hub) Join(ctx context.Context, m *Member, topic subject.Conversation) (head uint64, ok bool) {
	select {
	case <-m.resolved:
	case <-ctx.Done():
		return 0, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	// A member that comes from a gateway whose feed was further, or was read to
	// from a read model that is, is ahead of this feed.
	head = max(h.tail.Position(), m.cursor)
	if m.state == gone || m.interest.follows(topic) {
		return head, m.state != gone
	}
	m.interest = m.interest.with(topic, head)
	if m.state == live {
		h.follow(m, topic)
	}
	return head, true
}

// Part ends what Join began, or what the member followed from its beginning:
// once it has returned, nothing more of the topic is sent.
func (h *Hub) Part(m *Member, topic subject.Conversation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m.interest = m.interest.without(topic)
	if m.state == live {
		h.unfollow(m, topic)
	}
}

// Lounge lets a member see messages of the room general as "new message" too,
// from now on.
func (h *Hub) Lounge(m *Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := *m.interest
	i.lounge = h.tail.Position()
	m.interest = &i
}

// Signal sends a frame that is no event, and may be lost, to the live members of
// a topic.
func (h *Hub) Signal(topic subject.Conversation, f transport.Frame, except *Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for m := range h.live[topic] {
		if m != except {
			m.outlet.Send(f)
		}
	}
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

func (h *Hub) warn(message string, args ...any) {
	h.warnings.Log(h.options.Log, slog.LevelWarn, message, args...)
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
	for _, topic := range m.interest.topics {
		h.follow(m, topic)
	}
}

func (h *Hub) follow(m *Member, topic subject.Conversation) {
	if h.live[topic] == nil {
		h.live[topic] = make(map[*Member]struct{})
	}
	h.live[topic][m] = struct{}{}
}

func (h *Hub) unfollow(m *Member, topic subject.Conversation) {
	delete(h.live[topic], m)
	if len(h.live[topic]) == 0 {
		delete(h.live, topic)
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
	for _, topic := range m.interest.topics {
		h.unfollow(m, topic)
	}
}
