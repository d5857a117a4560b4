package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	// pullBatch is how many events are asked for in advance.
	pullBatch = 2000
	// heartbeat is how often an idle consumer must show that it lives; twice
	// that without one and it is made anew behind the last event delivered.
	heartbeat = 2 * time.Second
	// checkInterval is how often the feed makes sure that it still follows
	// the log it began with.
	checkInterval = 2 * time.Second
	retryPause    = 250 * time.Millisecond
	resetAttempts = 1
	// patience is for how many check intervals a consumer may deliver nothing although the log goes on.
	patience = 3
)

// Ordered is the feed by an ordered consumer on the whole log: the client
// library checks the consumer's own sequence for gaps, and makes a new
// consumer behind the last event delivered when it finds one.
type Ordered struct {
	js  jetstream.JetStream
	log *eventlog.Log
	out *slog.Logger
}

// NewOrdered makes a feed over a connection that only feeds.
func NewOrdered(js jetstream.JetStream, log *slog.Logger) *Ordered {
	return &Ordered{js: js, log: eventlog.Open(js), out: log}
}

// Run implements Feed.
func (o *Ordered) Run(ctx context.Context, after uint64, apply func(Record)) error {
	begin, err := o.log.State(ctx)
	if err != nil {
		return err
	}
	if after > begin.Last {
		return lost("asked for what follows %d, the log ends at %d", after, begin.Last)
	}
	at := &place{epoch: begin.Epoch, offset: after}
	at.reached.Store(after)
	for ctx.Err() == nil {
		err := o.consume(ctx, at, apply)
		if errors.Is(err, ErrLost) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			o.out.Warn("feed interrupted", "position", at.offset, "error", err)
			pause(ctx, retryPause)
		}
	}
	return nil
}

// place is where the feed is, and how it would know that place again.
type place struct {
	epoch    string
	offset   uint64
	reached  atomic.Uint64 // offset, for watch
	digest   event.Digest  // of the event at offset; zero if none was delivered intact
	consumer string        // the server-side consumer that delivered it
}

// consume runs one ordered consumer until it fails or ctx ends.
func (o *Ordered) consume(ctx context.Context, at *place, apply func(Record)) error {
	if err := o.check(ctx, at); err != nil {
		return err
	}
	consumer, err := o.js.OrderedConsumer(ctx, eventlog.StreamName, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   at.offset + 1,
		// Rather than retry for ever inside the library, come back and check
		// whether there still is a log.
		MaxResetAttempts: resetAttempts,
	})
	if err != nil {
		return fmt.Errorf("create consumer: %w", err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(pullBatch), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	// Next may be busy making a new consumer, which a context does not end.
	stop := context.AfterFunc(ctx, messages.Stop)
	watching, unwatch := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { o.watch(watching, at, messages.Stop) })
	defer func() { unwatch(); watch.Wait(); stop(); messages.Stop() }()

	for {
		if err := o.deliver(ctx, messages, at, apply); err != nil {
			return err
		}
		if err := o.check(ctx, at); err != nil {
			return err
		}
	}
}

// deliver applies events for one check interval.
func (o *Ordered) deliver(ctx context.Context, messages jetstream.MessagesContext, at *place, apply func(Record)) error {
	interval, cancel := context.WithTimeout(ctx, checkInterval)
	defer cancel()
	for interval.Err() == nil {
		msg, err := messages.Next(jetstream.NextContext(interval))
		if err != nil {
			if ctx.Err() == nil && interval.Err() != nil {
				return nil
			}
			return err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		if meta.Consumer != at.consumer {
			// The library made a new consumer, perhaps on another log of the
			// same name: make sure before anything of it is delivered.
			if err := o.check(ctx, at); err != nil {
				return err
			}
			at.consumer = meta.Consumer
		}
		if meta.Sequence.Stream <= at.offset {
			continue
		}
		r := Record{Missing: meta.Sequence.Stream - at.offset - 1}
		r.Event, r.Damaged = event.Decode(meta.Sequence.Stream, meta.Timestamp, msg.Subject(), msg.Headers(), msg.Data())
		at.offset, at.digest = meta.Sequence.Stream, event.Digest{}
		at.reached.Store(at.offset)
		if r.Damaged == nil {
			at.digest = r.Event.Digest
		}
		apply(r)
	}
	return nil
}

// watch stops a consumer that has delivered nothing for a while although the log
// goes on, until ctx ends. Such a one looks healthy: in a cluster, the replica it
// reads from may be behind and stay so.
func (o *Ordered) watch(ctx context.Context, at *place, stop func()) {
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	due, last, still := uint64(0), at.reached.Load(), 0
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		reached := at.reached.Load()
		if reached == last && reached < due {
			still++
		} else {
			still = 0
		}
		if still == patience {
			o.out.Warn("the consumer delivers nothing, making a new one", "position", reached, "log", due)
			stop()
			return
		}
		last = reached
		asking, cancel := context.WithTimeout(ctx, checkInterval)
		if state, err := o.log.State(asking); err == nil {
			due = state.Last
		}
		cancel()
	}
}

// check makes sure that the log is still the one the feed began with, and still
// holds what was delivered. A consumer that starts behind the end of a shorter
// log would be accepted by the server and skip events silently; an older copy
// of the log that was put back keeps its epoch and issues offsets again.
func (o *Ordered) check(ctx context.Context, at *place) error {
	state, err := o.log.State(ctx)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return lost("%w", err)
	case err != nil:
		return err
	case state.Epoch != at.epoch:
		return lost("it is another log (epoch %s, was %s)", state.Epoch, at.epoch)
	case state.Last < at.offset:
		return lost("the log ends at %d, %d was delivered", state.Last, at.offset)
	case at.digest == event.Digest{}:
		return nil
	}
	e, err := o.log.Get(ctx, at.offset)
	if fault.Is(err, fault.Temporary) {
		return err
	}
	if e.Digest != at.digest {
		return lost("the event at %d is not the one that was delivered", at.offset)
	}
	return nil
}

func lost(format string, args ...any) error {
	return fault.Errorf("feed", fault.Temporary, "%w: %w", ErrLost, fmt.Errorf(format, args...))
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

var _ Feed = (*Ordered)(nil)
