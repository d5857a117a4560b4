// Package presence knows who is connected, across all gateways.
//
//	Enter, Leave ──▶ view ──▶ Changed, Has, Count        at once, also without NATS
//	                 │  ▲
//	          outbox ▼  │ watch
//	      PRESENCE  <incarnation>.<kind>.<token of the id> = who    written at connect and disconnect only
//	                <incarnation>                                   its claim, renewed with the lease
//	      LEASES    <incarnation>                                   gone a lease after its last renewal
//
// Both are key-value buckets: in memory where gateways make them, and on disk
// where an operator does, because nobody would make them again when a server has
// forgotten them. What outlives a server is not believed for that: an incarnation
// is one stay of a gateway in the buckets, and its keys count while its lease
// lives. It promises:
//   - Changed is called exactly when somebody's first connection anywhere
//     begins and when the last one ends, whatever the number of gateways.
//   - this gateway is the authority on its own connections: they show at once,
//     and the buckets follow as soon as they can be reached.
//   - the connections of a gateway that stops orderly end at once; of one that
//     dies, after a lease and a fifth of the renewal interval, or little later:
//     by the defaults within 20 s.
//   - nobody goes offline because this gateway was cut off, or stood still, or
//     the server was restarted and forgot everything: a lease is judged by this
//     gateway's own clock, and only while its own renewals come back through
//     its watches; after an interruption every lease gets a fresh term.
//   - a gateway that lost its lease takes a new incarnation and writes anew
//     who is connected. What clears away the old one cannot touch the new.
package presence

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Kind is a kind of presence. Each is counted apart.
type Kind string

const (
	User Kind = "user" // ID is a user's id
	Nick Kind = "nick" // ID is a Socket.IO id
)

// Entry is somebody who is online. ID and Name are free text in UTF-8.
type Entry struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Change says that somebody came online or went offline.
type Change struct {
	Entry
	Online bool
	Count  int // how many of this kind are online now
}

// Options of a gateway's presence.
type Options struct {
	Lease    time.Duration // 0 is 15 s; the same for all gateways
	Renew    time.Duration // 0 is a third of Lease, which is the longest
	Replicas int           // of the buckets: 1, 3 or 5; 0 is 1
	Mode     provision.Mode
	// Changed is told every change, in order, on any goroutine, under a lock
	// that all methods take: it must neither block nor call back. May be nil.
	Changed func(Change)
	Log     *slog.Logger // nil for none
}

const (
	defaultLease = 15 * time.Second
	// leaveTimeout bounds how long the end of Run takes.
	leaveTimeout = 2 * time.Second
)

// Presence is one gateway's part in it. Safe for concurrent use.
type Presence struct {
	js      jetstream.JetStream
	options Options
	log     *slog.Logger
	id      string        // the beginning of this process's incarnations
	wake    chan struct{} // holds a value when the outbox may not be empty

	mu      sync.Mutex
	view    *view
	outbox  outbox
	stays   int      // incarnations so far
	current bool     // a stay follows the buckets
	dead    []string // incarnations whose keys are to be removed from the bucket
}

func (o Options) withDefaults() Options {
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	if o.Renew <= 0 || o.Renew > o.Lease/3 {
		o.Renew = o.Lease / 3
	}
	if o.Changed == nil {
		o.Changed = func(Change) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Replicas = max(o.Replicas, 1)
	return o
}

// New makes the presence of a gateway over a connection that may be shared. It
// does not talk to the server; Run does.
func New(js jetstream.JetStream, o Options) *Presence {
	o = o.withDefaults()
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	p := &Presence{
		js: js, options: o, log: o.Log, id: hex.EncodeToString(id[:]),
		wake: make(chan struct{}, 1), outbox: newOutbox(),
	}
	p.view = newView(p.id+"-", o.Lease, o.Renew, o.Changed)
	return p
}

// Run takes part until ctx ends, and then removes what this gateway wrote. It
// works through everything that may happen to the server; a Permanent error
// says that the connection was closed. To be called once.
func (p *Presence) Run(ctx context.Context) error {
	var last *stay
	var out outage
	for ctx.Err() == nil {
		s, err := p.begin(ctx)
		if err == nil {
			last = s
			out.over()
			p.attached(true)
			err = s.follow(ctx)
			p.attached(false)
		}
		if ctx.Err() != nil {
			break
		}
		if p.js.Conn().IsClosed() {
			return fault.New("presence", fault.Permanent, err)
		}
		if out.worthSaying(time.Now()) {
			p.log.Warn("presence interrupted", "error", err)
		}
		if !errors.Is(err, errLost) {
			pause(ctx, p.tick())
		}
	}
	if last != nil {
		last.leave()
	}
	return nil
}

// Enter says that one more connection of somebody began on this gateway. Their
// name may be another than before; that is no change. Other gateways see those
// who enter and leave here at about the same time in any order.
func (p *Presence) Enter(e Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.view.enter(e) && p.view.own != "" {
		p.outbox.put(p.key(e.Kind, e.ID), e)
		p.nudge()
	}
}

// Leave says that a connection of somebody who entered has ended.
func (p *Presence) Leave(kind Kind, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.view.leave(kind, id) && p.view.own != "" {
		p.outbox.drop(p.key(kind, id))
		p.nudge()
	}
}

// Expect says that somebody is about to connect somewhere. They count as online
// until a connection of theirs appears and ends, or for one lease: not at all if
// one has just done so.
func (p *Presence) Expect(e Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.view.expect(e, time.Now())
}

// Count is how many of a kind are online.
func (p *Presence) Count(kind Kind) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view.count(kind)
}

// Has reports whether somebody is online.
func (p *Presence) Has(kind Kind, id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view.has(kind, id)
}

// key is where the bucket says that somebody is on this gateway.
func (p *Presence) key(kind Kind, id string) string {
	return p.view.own + "." + string(kind) + "." + subject.Token(id)
}

func (p *Presence) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// tick is how often leases are judged, and what failed is tried again.
func (p *Presence) tick() time.Duration { return p.options.Renew / 5 }

// reincarnate begins a new incarnation, which has to write everybody anew.
func (p *Presence) reincarnate() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stays++
	p.view.own = fmt.Sprintf("%s-%d", p.id, p.stays)
	p.outbox = newOutbox()
	for e := range p.view.here() {
		p.outbox.put(p.key(e.Kind, e.ID), e)
	}
	p.nudge()
	return p.view.own
}

// own is this gateway's incarnation; empty before the first.
func (p *Presence) own() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view.own
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
