package revocation

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/bucket"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

const (
	heartbeat   = time.Second // two of which may not come
	examination = 100 * time.Millisecond
	pause       = 250 * time.Millisecond // before the bucket is followed again
	// patience is how long who is looked up waits for a list that does not follow.
	patience      = time.Second
	ensureTimeout = 5 * time.Second
)

var (
	errDisconnected = errors.New("no connection to nats-server")
	errReconnected  = errors.New("the connection was interrupted")
	errBehind       = errors.New("the revocations are not known now")
)

// Options of a gateway's list.
type Options struct {
	Replicas int // of the bucket, if it has to be made: 1, 3 or 5; 0 is 1
	Mode     provision.Mode
	// Changed is told each revocation, again after each interruption, and never of one
	// that was lifted. On the goroutine of Run, which it must not hold up. May be nil.
	Changed func(Revocation)
	Log     *slog.Logger // nil for none
}

// List is the revocations as a gateway knows them. Safe for concurrent use.
type List struct {
	js      jetstream.JetStream
	options Options

	mu         sync.Mutex
	known      map[string]time.Time // by key
	next       map[string]time.Time // while a new watch is behind: what replaces known
	current    bool                 // known is what the bucket holds
	reconnects uint64               // of the connection, when the watch began
	changed    chan struct{}        // closed and replaced when current becomes true
}

// Open makes a list over a connection that may be shared. It does not talk to the
// server; Run does.
func Open(js jetstream.JetStream, o Options) *List {
	if o.Changed == nil {
		o.Changed = func(Revocation) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &List{js: js, options: o, known: map[string]time.Time{}, changed: make(chan struct{})}
}

// Run follows the bucket until ctx ends, through everything that may happen to the
// server. A Permanent error says that the connection was closed.
func (l *List) Run(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		followed, err := l.follow(ctx)
		failing = failing && !followed
		if ctx.Err() != nil {
			break
		}
		if l.js.Conn().IsClosed() {
			return fault.New("follow revocations", fault.Permanent, err)
		}
		if !failing {
			failing = true
			l.options.Log.Warn("revocations are not followed; users cannot connect until they are", "error", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return nil
}

// follow is one watch of the bucket. It returns why it ended, and whether it ever
// caught up.
func (l *List) follow(ctx context.Context) (followed bool, err error) {
	nc := l.js.Conn()
	if !nc.IsConnected() {
		return false, errDisconnected
	}
	reconnects := nc.Stats().Reconnects
	ensuring, cancel := context.WithTimeout(ctx, ensureTimeout)
	stream, result, err := Bucket(l.options.Replicas).Ensure(ensuring, l.js, l.options.Mode)
	cancel()
	result.Log(l.options.Log)
	if err != nil {
		return false, err
	}
	l.mu.Lock()
	l.next, l.reconnects = map[string]time.Time{}, reconnects
	l.mu.Unlock()

	watching, end := context.WithCancelCause(ctx)
	var examining sync.WaitGroup
	examining.Go(func() { l.examine(watching, end) })
	err = bucket.Watch{Bucket: bucketName, Stream: stream, Apply: l.apply, CaughtUp: l.caughtUp, Heartbeat: heartbeat}.Run(watching)
	end(err) // if nothing has before
	examining.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	followed, l.current, l.next = l.current, false, nil
	return followed, context.Cause(watching)
}

// examine ends a watch whose connection was interrupted: what was said meanwhile may
// be late.
func (l *List) examine(ctx context.Context, end func(error)) {
	ticker := time.NewTicker(examination)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if !l.connected() {
				end(errReconnected)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// connected reports whether the connection is the one on which the watch began.
func (l *List) connected() bool {
	nc := l.js.Conn()
	l.mu.Lock()
	defer l.mu.Unlock()
	return nc.IsConnected() && nc.Stats().Reconnects == l.reconnects
}

func (l *List) apply(u bucket.Update) {
	r, err := decode(u.Key, u.Value, u.At)
	key := strings.Clone(u.Key)
	l.mu.Lock()
	for _, known := range []map[string]time.Time{l.known, l.next} {
		switch {
		case known == nil:
		case u.Put:
			known[key] = r.At
		default:
			delete(known, key)
		}
	}
	l.mu.Unlock()
	if !u.Put {
		return
	}
	if err != nil {
		l.options.Log.Error("a revocation was not understood; it counts, but connections may not be cut", "key", key, "error", err)
	}
	l.options.Changed(r)
}

func (l *List) caughtUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known, l.next, l.current = l.next, nil, true
	close(l.changed)
	l.changed = make(chan struct{})
}

// Revoked tells since when a target is revoked; the zero time: it is not. It waits up
// to a second for a list that does not follow, and then fails with a Temporary error.
func (l *List) Revoked(ctx context.Context, t Target) (time.Time, error) {
	const op = "look up a revocation"
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		l.mu.Lock()
		since, current, changed := l.known[t.key()], l.current, l.changed
		l.mu.Unlock()
		if current && l.connected() {
			return since, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return time.Time{}, fault.New(op, fault.Temporary, errBehind)
		}
	}
}

// Known is Revoked as far as it is known, current or not, at once.
func (l *List) Known(t Target) (since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[t.key()]
}
