package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	// attempts is how often in a row a consumer may bring nothing: with a server that is away, for ten seconds.
	attempts = 20
	// pause is the time before the next one is made.
	pause = 500 * time.Millisecond
	// portion is how many records are asked for at once, and portionBytes how much of them. At most two portions are in hand.
	portion      = 8192
	portionBytes = 8 << 20
	// stall is after how long without a delivery the server is asked whether there is anything left.
	stall = 5 * time.Second
	// unused is when the server forgets a consumer whose reader has gone, or has paused: then another is made.
	unused = time.Minute
	// requestTimeout bounds each request to the server.
	requestTimeout = 5 * time.Second
)

// Log reads the records of the log with after < offset <= through, in ascending offset, each once, and calls apply with each
// on one goroutine; apply may block. It returns how many offsets at the end of the span, after the last record, hold nothing:
// 0 in an intact log. through must not be beyond the log's end.
//
// Where the connection or the server goes away it goes on behind the last record when they are back, until several
// attempts in a row have brought nothing. The errors are apply's own, ctx's, and Temporary: the log cannot be read.
func Log(ctx context.Context, js jetstream.JetStream, after, through uint64, apply func(Record) error) (missing uint64, err error) {
	r := &reader{js: js, reached: after, through: through, apply: apply}
	r.next = r.askLeader
	for failed := 0; r.reached < through; {
		before := r.reached
		err := r.consume(ctx)
		if r.refused != nil {
			return 0, r.refused
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if r.reached > before {
			failed = 0
		}
		if err == nil {
			continue
		}
		if failed++; failed == attempts {
			return 0, fault.New("replay the log", fault.Temporary, fmt.Errorf("after offset %d: %w", r.reached, err))
		}
		if err := wait(ctx); err != nil {
			return 0, err
		}
	}
	return r.missing, nil
}

// reader reads one span.
type reader struct {
	js      jetstream.JetStream
	reached uint64 // offset of the last record, or of the last one that is known to be missing
	through uint64
	apply   func(Record) error
	refused error  // what apply returned
	missing uint64 // at the end

	// next is askLeader, but for tests.
	next func(ctx context.Context, offset uint64) (uint64, error)
}

// consume reads until the end of the span or the first failure.
func (r *reader) consume(ctx context.Context) error {
	consumer, err := r.create(ctx)
	if err != nil {
		return err
	}
	info := consumer.CachedInfo()
	defer r.remove(info.Name)
	if info.NumPending == 0 {
		return r.end(ctx)
	}
	p, err := pullFrom(r.js.Conn(), info.Name)
	if err != nil {
		return err
	}
	defer p.close()
	for delivery := uint64(1); r.reached < r.through; delivery++ {
		m, err := p.next(ctx)
		if errors.Is(err, errSilent) {
			return r.end(ctx)
		}
		if err != nil {
			return err
		}
		pending, err := r.take(m, delivery)
		if err != nil {
			return err
		}
		if pending == 0 && r.reached < r.through {
			return r.end(ctx)
		}
	}
	return nil
}

// create makes a consumer of what follows. It is kept in the server's memory and asks for no acks.
func (r *reader) create(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	consumer, err := r.js.CreateConsumer(ctx, eventlog.StreamName, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.reached + 1,
		AckPolicy: jetstream.AckNonePolicy, MaxDeliver: 1, MemoryStorage: true, Replicas: 1, InactiveThreshold: unused,
	})
	if err != nil {
		return nil, fmt.Errorf("create consumer: %w", err)
	}
	return consumer, nil
}

// remove removes the consumer. If that fails, the server does so when it has been unused for a while.
func (r *reader) remove(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	_ = r.js.DeleteConsumer(ctx, eventlog.StreamName, name)
}

var errLost = errors.New("deliveries were lost")

// take takes one message, which must be the consumer's next delivery, and returns how many are to follow.
func (r *reader) take(m *nats.Msg, delivery uint64) (pending uint64, err error) {
	at, err := placeOf(m.Reply)
	if err != nil {
		return 0, err
	}
	if at.delivery != delivery {
		return 0, errLost
	}
	if at.offset > r.through { // what the span held has been read, if it is there
		r.missing, r.reached = r.through-r.reached, r.through
		return at.pending, nil
	}
	record := Record{
		Offset: at.offset, At: time.Unix(0, at.time).UTC(), Subject: m.Subject, Header: m.Header, Content: m.Data,
		Missing: at.offset - r.reached - 1,
	}
	r.reached = at.offset
	if err := r.apply(record); err != nil {
		r.refused = err
	}
	return at.pending, r.refused
}

func wait(ctx context.Context) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
