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
	// sayAgain is how soon another reason is said why the bucket is not followed.
	sayAgain = 5 * time.Second
)

var (
	errDisconnected = errors.New("no connection to nats-server")
	errReconnected  = errors.New("the connection was interrupted")
	errBehind       = errors.New("the revocations are not known now")
	errReading      = errors.New("they have not been read yet")
)

// Options of a gateway's list.
type Options struct {
	Replicas int            // of the bucket, if it has to be made: 1, 3 or 5; 0 is 1
	Mode     provision.Mode // at the start; a bucket that has gone later is not made again
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
	known      map[string]time.Time // by key; only an entry that lifts it takes one away
	created    time.Time            // of the bucket, when it was first found: which one it is
	seen       uint64               // newest sequence that was applied, by any watch
	want       uint64               // sequence that the bucket's leader last told of
	caughtUp   bool                 // the watch has what its server had when it began
	current    bool                 // and known is what the bucket holds
	reconnects uint64               // of the connection, when the watch began
	changed    chan struct{}        // closed and replaced when current becomes true
	lost       time.Time            // when current was last true, if it is not; zero: never
	why        error                // it is not
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
	return &List{js: js, options: o, known: map[string]time.Time{}, changed: make(chan struct{}), why: errReading}
}

// Run follows the bucket until ctx ends, through everything that may happen to the
// server. A Permanent error says that the connection was closed.
func (l *List) Run(ctx context.Context) error {
	var said string // of this outage
	var when time.Time
	for ctx.Err() == nil {
		followed, err := l.follow(ctx)
		if ctx.Err() != nil {
			break
		}
		if l.js.Conn().IsClosed() {
			return fault.New("follow revocations", fault.Permanent, err)
		}
		if followed {
			said = ""
		}
		if said == "" || err.Error() != said && time.Since(when) > sayAgain {
			said, when = err.Error(), time.Now()
			l.options.Log.Warn("revocations are not followed; nobody who has a session or a token can connect until they are", "error", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return nil
}

// follow is one watch of the bucket. It returns why it ended, and whether it was ever
// current.
func (l *List) follow(ctx context.Context) (followed bool, err error) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if followed = l.current; followed {
			l.lost = time.Now()
		}
		l.current, l.caughtUp, l.why = false, false, err
	}()
	nc := l.js.Conn()
	if !nc.IsConnected() {
		return false, errDisconnected
	}
	reconnects := nc.Stats().Reconnects
	stream, err := l.find(ctx)
	if err != nil {
		return false, err
	}
	l.mu.Lock()
	l.reconnects = reconnects
	l.mu.Unlock()
	watching, end := context.WithCancelCause(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { l.examine(watching, end) })
	beside.Go(func() { l.verify(watching, stream, end) })
	err = bucket.Watch{Bucket: bucketName, Stream: stream, Apply: l.apply, CaughtUp: l.caught, Heartbeat: heartbeat}.Run(watching)
	end(err) // if nothing has before
	beside.Wait()
	return false, context.Cause(watching)
}

// find makes the bucket, when it is first looked for, and then sees that it is the same.
func (l *List) find(ctx context.Context) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, ensureTimeout)
	defer cancel()
	l.mu.Lock()
	mode, seen := l.options.Mode, l.seen
	if !l.created.IsZero() {
		mode = provision.Check
	}
	l.mu.Unlock()
	stream, result, err := Bucket(l.options.Replicas).Ensure(ctx, l.js, mode)
	result.Log(l.options.Log)
	if err != nil {
		return nil, err
	}
	return stream, l.judge(stream.CachedInfo(), seen)
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
	l.mu.Lock()
	if u.Put {
		l.known[strings.Clone(u.Key)] = r.At
	} else {
		delete(l.known, u.Key)
	}
	l.seen = max(l.seen, u.Seq)
	l.settle()
	l.mu.Unlock()
	if !u.Put {
		return
	}
	if err != nil {
		l.options.Log.Error("a revocation was not understood; it counts, but connections may not be cut", "key", u.Key, "error", err)
	}
	l.options.Changed(r)
}

func (l *List) caught() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.caughtUp = true
	l.settle()
}

// settle begins to answer when the watch has had all that the bucket's leader told of:
// the server that it is on may have been behind. With mu held.
func (l *List) settle() {
	if l.current || !l.caughtUp || l.seen < l.want {
		return
	}
	l.current, l.why = true, nil
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

// Status says how far a list can be relied on.
type Status struct {
	Current bool      // it is what the bucket holds
	Since   time.Time // when it last was, if it is not; zero: never
	Why     error     // it is not
}

// Status never waits.
func (l *List) Status() Status {
	connected := l.connected()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.current && connected:
		return Status{Current: true}
	case l.current: // for as long as it takes to notice
		return Status{Since: time.Now(), Why: errReconnected}
	}
	return Status{Since: l.lost, Why: l.why}
}
