package replay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	// attempts is how often in a row a consumer may bring nothing: with a server that is away, for ten seconds.
	attempts = 20
	// pause is the time before the next one is made.
	pause = 500 * time.Millisecond
	// heartbeat is how often an idle consumer must show that it lives, and stall after how long it counts as dead.
	heartbeat = 2 * time.Second
	stall     = 3 * heartbeat
	// unused is when the server forgets a consumer whose reader has gone.
	unused = 30 * time.Second
	// requestTimeout bounds each request to the server.
	requestTimeout = 5 * time.Second
	// inHand is how many records may wait in this process. The server's flow control (at most 32 MiB) comes first, unless
	// records are tiny; then what is beyond it is read again.
	inHand = 128 << 10
)

// Stream is Log for any stream.
func Stream(ctx context.Context, js jetstream.JetStream, stream string, after, through uint64, apply func(Record) error) (missing uint64, err error) {
	r := &reader{js: js, stream: stream, reached: after, through: through, apply: apply}
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
			return 0, fault.New("replay "+stream, fault.Temporary, fmt.Errorf("after offset %d: %w", r.reached, err))
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
	stream  string
	reached uint64 // offset of the last record, or of the last one that is known to be missing
	through uint64
	apply   func(Record) error
	refused error  // what apply returned
	missing uint64 // at the end
}

// consume reads until the end of the span or the first failure.
func (r *reader) consume(ctx context.Context) (err error) {
	nc := r.js.Conn()
	messages := make(chan *nats.Msg, inHand)
	inbox := nc.NewInbox()
	subscription, err := nc.ChanSubscribe(inbox, messages)
	if err != nil {
		return err
	}
	defer func() { _ = subscription.Unsubscribe() }() // a closed connection has none
	gone := nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	defer nc.RemoveStatusListener(gone)
	info, err := r.create(ctx, inbox)
	if err != nil {
		return err
	}
	defer r.remove(info.Name)
	if info.NumPending == 0 {
		r.ended()
		return nil
	}
	return r.receive(ctx, messages, gone)
}

// create makes a consumer that pushes what follows. It is kept in the server's memory and asks for no acks.
func (r *reader) create(ctx context.Context, inbox string) (*jetstream.ConsumerInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	consumer, err := r.js.CreatePushConsumer(ctx, r.stream, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.reached + 1,
		DeliverSubject: inbox, AckPolicy: jetstream.AckNonePolicy, MaxDeliver: 1,
		FlowControl: true, IdleHeartbeat: heartbeat,
		MemoryStorage: true, Replicas: 1, InactiveThreshold: unused,
	})
	if err != nil {
		return nil, fmt.Errorf("create consumer: %w", err)
	}
	return consumer.CachedInfo(), nil
}

// remove removes the consumer. If that fails, the server does so when it has been unused for a while.
func (r *reader) remove(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	_ = r.js.DeleteConsumer(ctx, r.stream, name)
}

var (
	errSilent = errors.New("the server has fallen silent")
	errGone   = errors.New("the connection to the log has gone")
	errLost   = errors.New("deliveries were lost")
)

// receive takes messages until the end of the span.
func (r *reader) receive(ctx context.Context, messages <-chan *nats.Msg, gone <-chan nats.Status) error {
	quiet := time.NewTicker(stall)
	defer quiet.Stop()
	heard := true
	for delivery := uint64(1); r.reached < r.through; {
		select {
		case m := <-messages:
			heard = true
			if !strings.HasPrefix(m.Reply, deliveryPrefix) {
				r.answer(m)
				continue
			}
			if err := r.take(m, delivery); err != nil {
				return err
			}
			delivery++
		case <-quiet.C:
			if !heard {
				return errSilent
			}
			heard = false
		case <-gone:
			return errGone
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// deliveryPrefix begins the reply subject of what is delivered. What a message's headers say decides nothing: whoever stored
// it may have given it the server's own.
const deliveryPrefix = "$JS.ACK."

// answer tells the server, where it asks, that everything before has been taken.
func (r *reader) answer(m *nats.Msg) {
	if stalled := m.Header.Get("Nats-Consumer-Stalled"); stalled != "" { // it has asked before and heard nothing
		_ = r.js.Conn().Publish(stalled, nil)
	}
	if m.Reply != "" {
		_ = m.Respond(nil) // a lost connection shows as silence
	}
}

// take takes one message, which must be the consumer's next delivery.
func (r *reader) take(m *nats.Msg, delivery uint64) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	if meta.Sequence.Consumer != delivery {
		return errLost
	}
	offset := meta.Sequence.Stream
	if offset > r.through { // what the span held has been read, if it is there
		r.ended()
		return nil
	}
	record := Record{
		Offset: offset, At: meta.Timestamp, Subject: m.Subject, Header: m.Header, Content: m.Data,
		Missing: offset - r.reached - 1,
	}
	r.reached = offset
	if err := r.apply(record); err != nil {
		r.refused = err
		return err
	}
	if meta.NumPending == 0 && r.reached < r.through {
		r.ended()
	}
	return nil
}

// ended notes that nothing more is there, though the span goes on.
func (r *reader) ended() {
	r.missing = r.through - r.reached
	r.reached = r.through
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
