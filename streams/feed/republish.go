package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	// headInterval is how often the log is asked where it ends: the loss of its
	// newest events shows in nothing else.
	headInterval = time.Second
	// headGrace is how long the log's newest event may be on its way.
	headGrace = 250 * time.Millisecond
)

// Republish is the feed by core subjects: the log's server sends every event it has
// stored to whoever listens, once, and keeps no account of it. What is lost on the
// way is read from the log.
//
//	session:  listen ──▶ check ──▶ read up to the log's end ──▶ follow ──╮
//	             ▲              (an ordered consumer, as Ordered)        │
//	             ╰────── something is missing, or the connection went ◀──╯
//
// The log is dense. So an event is only delivered from the subjects if it is the
// next one; where it is not, and where the log turns out to be further than what was
// heard, a new session reads what is missing. What comes meanwhile waits up to a
// bound, and is dropped beyond it: that is one more thing to read.
type Republish struct {
	js      jetstream.JetStream
	ordered *Ordered // reads what was missed
	log     *eventlog.Log
	out     *slog.Logger
}

// NewRepublish makes a feed over a connection that only feeds.
func NewRepublish(js jetstream.JetStream, log *slog.Logger) *Republish {
	return &Republish{js: js, ordered: NewOrdered(js, log), log: eventlog.Open(js), out: log}
}

// errGap says that there is something to be read from the log.
var errGap = errors.New("an event was not heard of")

// Run implements Feed. A log that does not republish is a Permanent error.
func (r *Republish) Run(ctx context.Context, after uint64, apply func(Record)) error {
	at, err := begin(ctx, r.log, after)
	if err != nil {
		return err
	}
	if err := r.Check(ctx); err != nil {
		return err
	}
	strays := &strays{out: r.out}
	return keep(ctx, r.out, at, func() error {
		err := r.session(ctx, at, strays, apply)
		if errors.Is(err, errGap) {
			r.out.Info("reading from the log what was not heard of", "position", at.offset, "reason", err)
			return nil
		}
		return err
	})
}

// Check makes sure that the log sends what it stores to the subjects this feed
// listens to. Run does so too; this is for who wants to know before.
func (r *Republish) Check(ctx context.Context) error {
	stream, err := r.js.Stream(ctx, eventlog.StreamName)
	if err != nil {
		return fault.New("feed", fault.Temporary, err)
	}
	have := stream.CachedInfo().Config.RePublish
	if have == nil || have.Source != subject.All || have.Destination != eventlog.FeedSubject || have.HeadersOnly {
		return fault.Errorf("feed", fault.Permanent, "stream %s does not republish %s to %s, which gateway.feed=republish needs: "+
			"set stream.republish=true and run \"streams provision\", or set gateway.feed=ordered",
			eventlog.StreamName, subject.All, eventlog.FeedSubject)
	}
	return nil
}

// session listens, reads what the log holds already, and then follows, until
// something is missing or goes wrong.
func (r *Republish) session(ctx context.Context, at *place, strays *strays, apply func(Record)) error {
	l, err := listen(r.js.Conn(), strays)
	if err != nil {
		return err
	}
	defer l.close()
	// Asked after the subscription: what is stored from here on is heard of, or is
	// found to be missing.
	state, err := check(ctx, r.log, at)
	if err != nil {
		return err
	}
	if at.offset < state.Last {
		if err := r.ordered.consume(ctx, at, state.Last, apply); err != nil {
			return err
		}
	}
	return r.follow(ctx, l, at, apply)
}

// follow delivers what is heard, and looks from time to time whether that is all.
func (r *Republish) follow(ctx context.Context, l *listener, at *place, apply func(Record)) error {
	for next := headInterval; ; {
		if err := r.hear(ctx, l, at, next, apply); err != nil {
			return err
		}
		state, err := check(ctx, r.log, at)
		if err != nil {
			return err
		}
		next = headInterval
		if state.Last > at.offset {
			if err := r.hear(ctx, l, at, headGrace, apply); err != nil {
				return err
			}
			if at.offset < state.Last && !l.waiting() {
				return fmt.Errorf("%w: the log is at %d", errGap, state.Last)
			}
			next -= headGrace
		}
	}
}

// hear delivers what is heard for a while.
func (r *Republish) hear(ctx context.Context, l *listener, at *place, d time.Duration, apply func(Record)) error {
	interval, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for interval.Err() == nil {
		m, err := l.next(interval)
		if err != nil {
			if ctx.Err() == nil && interval.Err() != nil {
				return nil
			}
			return err
		}
		switch {
		case m.offset <= at.offset:
			// It came while the log was read, or another log has taken the place of this one.
			l.doubt = true
			continue
		case m.offset > at.offset+1:
			return fmt.Errorf("%w: after %d came %d", errGap, at.offset, m.offset)
		case l.doubt:
			if _, err := check(ctx, r.log, at); err != nil {
				return err
			}
			l.doubt = false
		}
		apply(at.step(m.offset, m.at, m.subject, m.header, m.content))
	}
	return ctx.Err()
}

var _ Feed = (*Republish)(nil)
