package evidence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	// attempts is how often in a row a read may fail without having read anything.
	attempts = 5
	// pause is the time between two attempts, and between two looks at a checkpoint.
	pause = 200 * time.Millisecond
)

// ReadLog reads the events after an offset, up to the log's end as it was when it was called. The findings say where the
// log has holes (oracle.Dense) and where it is damaged (oracle.Digest); what is damaged is not in the reading. An error is
// Temporary: the log could not be read, or not before ctx ended.
func ReadLog(ctx context.Context, url, credentials string, after uint64, progress Progress) (Reading, []oracle.Finding, error) {
	const op = "read the log"
	options := []nats.Option{}
	if credentials != "" {
		options = append(options, nats.UserCredentials(credentials))
	}
	nc, js, err := eventlog.Connect(url, "swarm evidence", slog.New(slog.DiscardHandler), options...)
	if err != nil {
		return Reading{}, nil, fault.New(op, fault.Temporary, err)
	}
	defer nc.Close()
	state, err := eventlog.Open(js).State(ctx)
	if err != nil {
		return Reading{}, nil, fault.New(op, fault.Temporary, err)
	}
	if after > state.Last {
		return Reading{}, nil, fault.Errorf(op, fault.Permanent, "it ends at %d, asked for what follows %d", state.Last, after)
	}
	r := reader{js: js, reached: after, progress: progress}
	r.reading.Log = oracle.Log{After: after, Head: state.Last, Epoch: state.Epoch}
	if err := r.read(ctx); err != nil {
		return Reading{}, nil, fault.New(op, fault.Temporary, err)
	}
	return r.reading, r.found.All(), nil
}

// reader reads a log once.
type reader struct {
	js       jetstream.JetStream
	reading  Reading
	found    oracle.Findings
	reached  uint64 // offset of the last event read
	progress Progress
}

// read reads up to the head, with another consumer where one fails.
func (r *reader) read(ctx context.Context) error {
	for failed := 0; r.reached < r.reading.Log.Head; {
		before := r.reached
		err := r.consume(ctx)
		if r.reached > before {
			failed = 0
		}
		if err == nil {
			continue
		}
		if failed++; failed == attempts || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if err := wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// consume reads until the head or the first failure.
func (r *reader) consume(ctx context.Context) error {
	consumer, err := r.js.OrderedConsumer(ctx, eventlog.StreamName, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.reached + 1, MaxResetAttempts: attempts,
	})
	if err != nil {
		return fmt.Errorf("create consumer: %w", err)
	}
	if consumer.CachedInfo().NumPending == 0 {
		r.ended()
		return nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	// Next may be busy making a new consumer, which a context does not end.
	stop := context.AfterFunc(ctx, messages.Stop)
	defer func() { stop(); messages.Stop() }()
	for r.reached < r.reading.Log.Head {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if err := r.take(m); err != nil {
			return err
		}
	}
	return nil
}

// take takes one message of the stream.
func (r *reader) take(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	offset := meta.Sequence.Stream
	if offset <= r.reached {
		return nil
	}
	if offset > r.reading.Log.Head { // what was there when we began has been read, if it is there
		r.ended()
		return nil
	}
	r.hole(offset)
	r.reached = offset
	e, err := event.Decode(offset, meta.Timestamp, m.Subject(), m.Headers(), m.Data())
	if err != nil {
		r.found.Add(oracle.Digest, func() oracle.Finding {
			return oracle.Finding{Connection: -1, Offset: offset, Text: fmt.Sprintf("The event at %d is damaged: %v.", offset, err)}
		})
	} else {
		r.keep(e)
	}
	r.progress.at(r.reached-r.reading.Log.After, r.reading.Log.Head-r.reading.Log.After)
	if meta.NumPending == 0 && r.reached < r.reading.Log.Head {
		r.ended()
	}
	return nil
}

// hole notes what is missing before an offset.
func (r *reader) hole(before uint64) {
	if n := before - r.reached - 1; n > 0 {
		first := r.reached + 1
		r.found.Add(oracle.Dense, func() oracle.Finding {
			return oracle.Finding{Connection: -1, Offset: first, Text: fmt.Sprintf("The log holds nothing from %d to %d (%d events).", first, before-1, n)}
		})
	}
}

// ended notes that nothing more is there, though the log ends at its head.
func (r *reader) ended() {
	r.hole(r.reading.Log.Head + 1)
	r.reached = r.reading.Log.Head
}

func (r *reader) keep(e event.Event) {
	if !e.Known() {
		r.reading.Unknown++
		return
	}
	r.reading.Events = append(r.reading.Events, e)
	if e.Message() {
		r.reading.Log.Messages = append(r.reading.Log.Messages, message(&e))
	}
}

// message is an event as clients are told of it.
func message(e *event.Event) oracle.Message {
	return oracle.Message{Scope: e.Scope, Message: history.Message{
		Offset: e.Offset, ID: e.ID, At: e.At.Format("2006-01-02T15:04:05.000Z"), Conversation: e.Conversation,
		From: e.Sender, Username: e.SenderName, To: e.Recipient, Content: e.Content, Key: e.Key,
	}}
}

// wait waits a moment, or until ctx ends.
func wait(ctx context.Context) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
