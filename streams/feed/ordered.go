package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
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
	// unused is when the server forgets a consumer of which nobody asks any more: its
	// feed has crashed, or was cut off. There can be only so many on a stream.
	unused = 30 * time.Second
	// removeTimeout bounds the removal of a consumer that has done its work.
	removeTimeout = 3 * time.Second
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
	at, err := begin(ctx, o.log, after)
	if err != nil {
		return err
	}
	return keep(ctx, o.out, at, func() error { return o.consume(ctx, at, math.MaxUint64, apply) })
}

// keep runs session after session of a feed, each of which goes on where the one
// before ended, until ctx ends or the feed is lost.
func keep(ctx context.Context, out *slog.Logger, at *place, session func() error) error {
	for ctx.Err() == nil {
		err := session()
		if errors.Is(err, ErrLost) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			out.Warn("feed interrupted", "position", at.offset, "error", err)
			pause(ctx, retryPause)
		}
	}
	return nil
}

// consume runs one ordered consumer until it has delivered what the log holds up
// to an offset, fails or ctx ends.
func (o *Ordered) consume(ctx context.Context, at *place, through uint64, apply func(Record)) error {
	if _, err := check(ctx, o.log, at); err != nil {
		return err
	}
	consumer, err := o.js.OrderedConsumer(ctx, eventlog.StreamName, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   at.offset + 1,
		// Rather than retry for ever inside the library, come back and check
		// whether there still is a log.
		MaxResetAttempts:  resetAttempts,
		InactiveThreshold: unused,
	})
	if err != nil {
		return fmt.Errorf("create consumer: %w", err)
	}
	defer o.remove(consumer) // which the library leaves to the server
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

	for at.offset < through {
		if err := o.deliver(ctx, messages, at, through, apply); err != nil {
			return err
		}
		if at.offset < through {
			if _, err := check(ctx, o.log, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// deliver applies events for one check interval, or up to an offset.
func (o *Ordered) deliver(ctx context.Context, messages jetstream.MessagesContext, at *place, through uint64, apply func(Record)) error {
	interval, cancel := context.WithTimeout(ctx, checkInterval)
	defer cancel()
	for at.offset < through && interval.Err() == nil {
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
			if _, err := check(ctx, o.log, at); err != nil {
				return err
			}
			at.consumer = meta.Consumer
		}
		if meta.Sequence.Stream > at.offset {
			apply(at.step(meta.Sequence.Stream, meta.Timestamp, msg.Subject(), msg.Headers(), msg.Data()))
		}
	}
	return nil
}

// remove removes a consumer that nobody reads any more. Where that fails, or the
// connection is gone, the server does so later.
func (o *Ordered) remove(consumer jetstream.Consumer) {
	info := consumer.CachedInfo()
	if info == nil || !o.js.Conn().IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout) // the feed's may have ended
	defer cancel()
	_ = o.js.DeleteConsumer(ctx, eventlog.StreamName, info.Name)
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

var _ Feed = (*Ordered)(nil)
