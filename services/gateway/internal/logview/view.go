// Package logview shows a gateway's log to people who watch it, as Server-Sent
// Events: which conversations, when, how much, and by which digests. What was
// said, and by whom, is in none of it.
//
//	feed ──▶ Apply ──▶ queue ──▶ viewer        one bounded queue a viewer
//	                     ▲
//	    read model ──╮   │
//	    AUDIT ───────┼──▶ poller                while anybody watches
//	    head ────────╯
//
// A viewer is sent, in this order: state; the newest events, or those behind the
// one it had last; then each event as the feed applies it. In between, once a
// second, how far the log, the read model and the notary are. Where a viewer is
// too slow, or what it missed is too much, it is told how many it was not sent.
// Where too many watch, the newest viewer takes the place of the oldest.
//
// While nobody watches nothing is encoded or asked, and of what was asked only the
// checkpoint is kept. How often something is asked does not depend on how often
// viewers come and go.
package logview

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/tail"
)

const (
	// MaxViewers is how many may watch at the same time.
	MaxViewers = 16
	// queueLength is how many events may wait for one viewer.
	queueLength = 1024
	// newest is how many events a viewer that begins is sent at most.
	newest = 200

	writeTimeout = 10 * time.Second
	keepAlive    = 15 * time.Second
	pollInterval = time.Second
	// comeBack is for how long a viewer keeps its place, whoever wants it, and after
	// how long those who have lost theirs, or got none, may come again: so often at
	// most do two full sets of viewers take each other's places.
	comeBack = 5 * time.Second
	// gathering is the least time between two writes to a viewer: at high rates
	// events go out together, and cost one system call.
	gathering = 50 * time.Millisecond
)

// Why somebody may not watch now.
var (
	errFull   = errors.New("too many are watching the log at this gateway")
	errClosed = errors.New("this gateway is not following the log now")
)

// Options are what a view reads. Its functions and methods are called from
// several goroutines, those of Model and Audit with a context of a few seconds.
type Options struct {
	Epoch string // of the log
	Tail  *tail.Tail
	Log   interface {
		Get(ctx context.Context, offset uint64) (event.Event, error)
	}
	Model interface {
		Checkpoint(ctx context.Context) (query.Checkpoint, error)
	}
	Audit interface {
		Last(ctx context.Context) (notary.Entry, error)
	}
	// Ends is where the log began and ended when it was last asked.
	Ends func() (first, last uint64)
	// Now is the log's time.
	Now func() time.Time

	writeTimeout, keepAlive time.Duration // set by tests
}

// View shows one log to its viewers.
type View struct {
	options Options
	ctx     context.Context // ends with the view
	end     context.CancelFunc
	// reading is for one viewer at a time: what the tail has not kept is read
	// from the log.
	reading chan struct{}

	mu       sync.Mutex // nothing blocks under it
	viewers  map[*viewer]struct{}
	closed   bool
	stopPoll context.CancelFunc  // nil while nobody watches
	latest   [statuses]frame     // what the poller has found out last
	next     [statuses]time.Time // when it may find out again, whoever comes and goes
	polling  sync.WaitGroup
}

// New makes a view that nobody watches yet.
func New(o Options) *View {
	if o.writeTimeout == 0 {
		o.writeTimeout = writeTimeout
	}
	if o.keepAlive == 0 {
		o.keepAlive = keepAlive
	}
	v := &View{options: o, reading: make(chan struct{}, 1), viewers: make(map[*viewer]struct{})}
	v.ctx, v.end = context.WithCancel(context.Background())
	return v
}

// Apply shows the next position of the log, which the tail has by now. It is
// called by the feed's goroutine, and does not block. The event is encoded once
// for all viewers, and not at all if there are none.
func (v *View) Apply(r feed.Record) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.viewers) == 0 {
		return
	}
	l := line{offset: r.Event.Offset, frame: recordFrame(r)}
	for x := range v.viewers {
		x.push(l)
	}
}

// Watching is how many watch.
func (v *View) Watching() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.viewers)
}

// Close ends all streams, soon, and lets nobody begin another.
func (v *View) Close() {
	v.mu.Lock()
	v.closed = true
	for x := range v.viewers {
		x.end()
	}
	v.stopPolling()
	v.end()
	v.mu.Unlock()
	v.polling.Wait()
}

// join begins to watch, until leave, until ctx ends, or until another viewer takes
// its place. The first who does starts the poller.
func (v *View) join(ctx context.Context) (*viewer, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.makeRoom(); err != nil {
		return nil, err
	}
	x := newViewer(ctx)
	// The tail has an event before Apply shows it: what it has now is read from
	// there, and what comes is pushed.
	x.held, x.position, _ = v.options.Tail.Stats()
	x.statuses = v.latest
	if len(v.viewers) == 0 {
		var polling context.Context
		polling, v.stopPoll = context.WithCancel(v.ctx)
		v.polling.Go(func() { v.poll(polling) })
	}
	v.viewers[x] = struct{}{}
	return x, nil
}

// makeRoom ends the oldest viewer if there is no place for another one, which may
// be one that never reads, or whose page nobody looks at.
func (v *View) makeRoom() error {
	if v.closed {
		return errClosed
	}
	if len(v.viewers) < MaxViewers {
		return nil
	}
	oldest := slices.MinFunc(slices.Collect(maps.Keys(v.viewers)), func(a, b *viewer) int { return a.joined.Compare(b.joined) })
	if time.Since(oldest.joined) < comeBack {
		return errFull
	}
	oldest.end()
	delete(v.viewers, oldest)
	return nil
}

// leave ends what join began.
func (v *View) leave(x *viewer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	x.end()
	delete(v.viewers, x)
	if len(v.viewers) == 0 {
		v.stopPolling()
	}
}

// stopPolling is called under mu.
func (v *View) stopPolling() {
	if v.stopPoll != nil {
		v.stopPoll()
		v.stopPoll = nil
	}
	v.latest[headStatus], v.latest[persisterStatus] = nil, nil
}

// show tells all viewers how something stands, unless ctx has ended.
func (v *View) show(ctx context.Context, s status, f frame) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if ctx.Err() != nil {
		return // another poller may have begun
	}
	v.latest[s] = f
	for x := range v.viewers {
		x.show(s, f)
	}
}
