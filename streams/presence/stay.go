package presence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	watch "github.com/tidemark-chat/tidemark/streams/bucket"
)

const (
	requestTimeout = 5 * time.Second
	// inFlight is how many keys are written at once.
	inFlight = 64
	// markerTTL is how long a removed key leaves a mark for those who watch.
	// Who was interrupted for longer misses the key instead.
	markerTTL = time.Minute
)

var (
	errLost         = errors.New("this gateway's lease is lost")
	errDisconnected = errors.New("no connection to nats-server")
	errReconnected  = errors.New("the connection was interrupted")
	errSilent       = errors.New("own renewals do not come back")
)

// stay is one time of being attached to the buckets, without interruption.
type stay struct {
	*Presence
	presence, leases bucket
	own              string // incarnation
	began            time.Time
	reconnects       uint64            // of the connection, when it began
	end              func(cause error) // ends follow
	echoes           map[string]bool   // by bucket; what came back since the last echo; guarded by mu
}

// begin finds or makes the buckets and holds a lease there: the one it has, or
// that of a new incarnation.
func (p *Presence) begin(ctx context.Context) (*stay, error) {
	nc := p.js.Conn()
	s := &stay{Presence: p, began: time.Now(), reconnects: nc.Stats().Reconnects, echoes: map[string]bool{}}
	if !nc.IsConnected() {
		return nil, errDisconnected
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	if s.own = p.own(); s.own != "" {
		if err := s.renew(ctx); !errors.Is(err, errLost) {
			return s, err
		}
	}
	s.own = p.reincarnate()
	for _, b := range s.buckets() {
		if _, err := b.Create(ctx, s.own, nil); err != nil {
			return nil, fmt.Errorf("take a lease: %w", err)
		}
	}
	return s, nil
}

func (s *stay) buckets() []bucket { return []bucket{s.presence, s.leases} }

// renew renews the claim and the lease. errLost if either is gone: then others
// may have removed this incarnation's keys, or the server has forgotten them.
func (s *stay) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for _, b := range s.buckets() {
		have, err := b.Get(ctx, s.own)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return errLost
		}
		if err != nil {
			return fmt.Errorf("renew: %w", err)
		}
		// At this revision only: what has gone meanwhile must not come back.
		if _, err := b.Update(ctx, s.own, nil, have.Revision()); err != nil {
			return fmt.Errorf("renew: %w", err)
		}
	}
	return nil
}

// follow writes what changes here and applies what others write, until the
// buckets can no longer be relied on, or ctx ends. It returns why.
func (s *stay) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	s.end = cancel
	s.mu.Lock()
	s.view.interrupted()
	s.mu.Unlock()
	var all sync.WaitGroup
	all.Go(func() { s.watch(ctx, s.leases, s.applyLease) })
	all.Go(func() { s.watch(ctx, s.presence, s.applyKey) })
	all.Go(func() { s.write(ctx) })
	all.Go(func() { every(ctx, s.tick(), s.judge) })
	all.Go(func() { every(ctx, s.options.Renew, func() { s.keep(ctx) }) })
	all.Go(func() { every(ctx, s.options.Renew, func() { s.clear(ctx) }) })
	all.Wait()
	return context.Cause(ctx)
}

// watch applies all that a bucket holds, and then what is written to it.
func (s *stay) watch(ctx context.Context, b bucket, apply func(watch.Update, time.Time)) {
	s.end(b.watch(ctx, func(u watch.Update) {
		s.mu.Lock()
		defer s.mu.Unlock()
		now := time.Now()
		switch {
		case u.Key != s.own:
			apply(u, now)
		case u.Put:
			s.echo(b, now)
		default:
			s.end(errLost)
		}
	}))
}

// echo is this gateway's own claim or lease. The watches work if both come back.
func (s *stay) echo(b bucket, now time.Time) {
	s.echoes[b.Bucket()] = true
	if len(s.echoes) == len(s.buckets()) {
		clear(s.echoes)
		s.view.echo(now)
	}
}

func (s *stay) applyLease(u watch.Update, now time.Time) {
	if u.Put {
		s.view.leaseSeen(u.Key, now)
	} else {
		s.view.leaseGone(u.Key, now)
	}
}

func (s *stay) applyKey(u watch.Update, now time.Time) {
	incarnation, key, _ := strings.Cut(u.Key, ".")
	if !u.Put {
		s.view.remove(incarnation, key)
		return
	}
	var e Entry
	if key != "" {
		if err := json.Unmarshal(u.Value, &e); err != nil {
			s.log.Warn("presence key not understood", "key", u.Key, "error", err)
			return
		}
	}
	if incarnation == s.own && !s.view.entered(e) {
		// A write that was given up for lost arrived after all, or it is just
		// being removed.
		s.outbox.found(u.Key)
		s.nudge()
	}
	s.view.put(incarnation, strings.Clone(key), e, now)
}

// judge ends what has run out, and this stay if it cannot be relied on.
func (s *stay) judge() {
	nc := s.js.Conn()
	if !nc.IsConnected() || nc.Stats().Reconnects != s.reconnects {
		s.end(errReconnected)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.dead = s.view.expire(now)
	heard := s.began
	if s.view.echoed.After(heard) {
		heard = s.view.echoed
	}
	if now.Sub(heard) > s.options.Lease {
		s.end(errSilent)
	}
}

// keep renews the lease.
func (s *stay) keep(ctx context.Context) {
	if err := s.renew(ctx); err != nil {
		s.end(err)
	}
}

// write tells the bucket what the outbox holds.
func (s *stay) write(ctx context.Context) {
	for ctx.Err() == nil {
		s.mu.Lock()
		writes := s.outbox.take(inFlight)
		s.mu.Unlock()
		if len(writes) == 0 {
			select {
			case <-s.wake:
			case <-ctx.Done():
			}
			continue
		}
		errs := make([]error, len(writes))
		var all sync.WaitGroup
		for i, w := range writes {
			all.Go(func() { errs[i] = s.send(ctx, w) })
		}
		all.Wait()
		s.mu.Lock()
		for i, w := range writes {
			s.outbox.done(w, errs[i] == nil)
		}
		s.mu.Unlock()
		if err := cmp.Or(errs...); err != nil && ctx.Err() == nil {
			s.log.Warn("presence not written", "error", err)
			pause(ctx, s.tick())
		}
	}
}

func (s *stay) send(ctx context.Context, w write) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if w.entry == nil {
		return s.presence.Purge(ctx, w.key, jetstream.PurgeTTL(markerTTL))
	}
	value, err := json.Marshal(w.entry)
	if err == nil {
		_, err = s.presence.Put(ctx, w.key, value)
	}
	return err
}

// clear removes the keys of incarnations that have no lease. All gateways do.
func (s *stay) clear(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	s.mu.Lock()
	dead := s.dead
	s.mu.Unlock()
	for _, incarnation := range dead {
		// While there is a lease it could still be renewed. Once it is gone it
		// never comes back, and neither does the incarnation.
		_, err := s.leases.Get(ctx, incarnation)
		if err == nil {
			continue
		}
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			err = s.presence.purge(ctx, incarnation)
		}
		if err != nil {
			s.log.Warn("presence of a gateway that is gone not removed", "incarnation", incarnation, "error", err)
			return
		}
		s.mu.Lock()
		s.view.forget(incarnation)
		s.mu.Unlock()
	}
}

// leave removes the lease, so that everybody here is offline at once, and then
// the keys, which others would do too.
func (s *stay) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	err := errDisconnected
	if s.js.Conn().IsConnected() {
		if err = s.leases.Delete(ctx, s.own); err == nil {
			err = s.presence.purge(ctx, s.own)
		}
	}
	if err != nil {
		s.log.Warn("presence not given up; others see it after a lease", "error", err)
	}
}

// every calls f at an interval until ctx ends.
func every(ctx context.Context, interval time.Duration, f func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f()
		case <-ctx.Done():
			return
		}
	}
}
