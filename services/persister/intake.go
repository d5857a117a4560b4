package persister

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
)

// ackTimeout bounds the wait for the consumer to confirm an ack.
const ackTimeout = 2 * time.Second

// maxBatchBytes ends a batch, and so a transaction, before its number of events does. A pull is not bounded by bytes:
// nats-server (v2.15.2) says that such a one is completed as soon as it has all it asked for, which with replicas is before
// it is delivered, and what comes after that is lost to the client.
const maxBatchBytes = 8 << 20

// intake gathers deliveries into batches. A batch is what the log held when
// its first message was delivered, up to the size and to maxBatchBytes: a single
// message is a batch at once, a backlog comes in full ones. A pull in hand holds
// as many events as a batch at most, of 64 KiB at most. Not safe for concurrent use.
type intake struct {
	consumer jetstream.Consumer
	size     int
	wait     time.Duration
	// pull in hand; nil between two. The server goes on filling it until it
	// is full or its time is over, so it must be read to its end.
	pull   jetstream.MessageBatch
	cancel context.CancelFunc
}

// arrival is one batch as it came.
type arrival struct {
	deliveries []projection.Delivery
	highest    jetstream.Msg // the one to ack: it acks all before it
	pin        string        // of the client it was delivered to
	head       uint64        // the log's last offset when the first was delivered
}

// next waits for messages; without any it returns an empty arrival when the
// pull's time is over.
func (in *intake) next(ctx context.Context) (a arrival, err error) {
	if in.pull == nil {
		if err := in.request(ctx); err != nil {
			return a, err
		}
	}
	for want, bytes := 1, 0; len(a.deliveries) < want && bytes < maxBatchBytes; {
		msg, ok := <-in.pull.Messages()
		if !ok {
			err := in.finish()
			if len(a.deliveries) > 0 {
				err = nil // it will show again
			}
			return a, err
		}
		pending, err := a.add(msg)
		if err != nil {
			return a, err
		}
		bytes += len(msg.Data())
		if len(a.deliveries) == 1 {
			want = int(min(uint64(in.size), 1+pending))
			a.head = a.deliveries[0].Offset + pending
		}
	}
	return a, nil
}

func (in *intake) request(ctx context.Context) (err error) {
	ctx, in.cancel = context.WithTimeout(ctx, in.wait)
	in.pull, err = in.consumer.Fetch(in.size, jetstream.FetchContext(ctx),
		jetstream.FetchPriorityGroup(eventlog.PriorityGroup))
	if err != nil {
		in.close()
		return fault.New("pull from the log", fault.Temporary, err)
	}
	return nil
}

// finish ends a pull that has been read to its end.
func (in *intake) finish() error {
	err := in.pull.Error()
	in.close()
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, jetstream.ErrPinIDMismatch) {
		return nil // nothing came, or another persister has been pinned
	}
	return fault.New("pull from the log", fault.Temporary, err)
}

// drain reads the pull in hand to its end, at most for the pull's time, and
// drops what comes. After that no delivery is on its way.
func (in *intake) drain() {
	if in.pull == nil {
		return
	}
	for range in.pull.Messages() {
	}
	in.close()
}

// close gives up the pull in hand; what it still holds is delivered again.
func (in *intake) close() {
	if in.cancel != nil {
		in.cancel()
	}
	in.pull, in.cancel = nil, nil
}

// add takes a message and returns how many more the log held behind it.
func (a *arrival) add(msg jetstream.Msg) (pending uint64, err error) {
	meta, err := msg.Metadata()
	if err != nil {
		return 0, fault.New("read a delivery", fault.Temporary, err)
	}
	header := msg.Headers()
	if pin := header[pinHeader]; len(pin) > 0 {
		a.pin = pin[0]
		delete(header, pinHeader) // it is not part of what the log holds
	}
	if n := len(a.deliveries); n == 0 || meta.Sequence.Stream > a.deliveries[n-1].Offset {
		a.highest = msg
	}
	a.deliveries = append(a.deliveries, projection.Delivery{
		Offset: meta.Sequence.Stream, At: meta.Timestamp,
		Stored: readmodel.Stored{Subject: msg.Subject(), Header: header, Content: msg.Data()},
	})
	return meta.NumPending, nil
}

// ack confirms the whole batch and waits until the consumer has it.
func (a *arrival) ack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackTimeout)
	defer cancel()
	return fault.New("ack a batch", fault.Temporary, a.highest.DoubleAck(ctx))
}
