package persister

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	consumerName  = "persister"
	priorityGroup = "projection"
	// pinHeader is added by the server to what it gives the pinned client.
	pinHeader = "Nats-Pin-Id"
	// minAckPending lets the next batch be on its way while one is written.
	minAckPending = 2000
)

// consumerConfig is the durable consumer's. It acknowledges a batch with its
// last message and redelivers for ever; there is no backoff, because that
// would reorder; and no filter, so that offsets are dense and a gap shows.
func (o *Options) consumerConfig() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:        consumerName,
		Description:    "projects the log into the read model",
		DeliverPolicy:  jetstream.DeliverAllPolicy,
		AckPolicy:      jetstream.AckAllPolicy,
		MaxDeliver:     -1,
		MaxAckPending:  max(minAckPending, 2*o.BatchSize),
		PriorityPolicy: jetstream.PriorityPolicyPinned,
		PriorityGroups: []string{priorityGroup},
		PinnedTTL:      o.PinTTL,
	}
}

// consumer finds the durable consumer, makes it if it is gone, and updates it
// if its settings differ.
func (w *worker) consumer(ctx context.Context) (jetstream.Consumer, error) {
	const op = "open the consumer"
	want := w.options.consumerConfig()
	consumer, err := w.link.js.Consumer(ctx, eventlog.StreamName, consumerName)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		w.log.Info("making the consumer", "consumer", consumerName)
		consumer, err = w.link.js.CreateConsumer(ctx, eventlog.StreamName, want)
	}
	if err != nil {
		return nil, fault.New(op, fault.Temporary, err)
	}
	if have := consumer.CachedInfo().Config; !sameConsumer(have, want) {
		consumer, err = w.link.js.UpdateConsumer(ctx, eventlog.StreamName, want)
		if refused := (*jetstream.APIError)(nil); errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeConsumerCreate {
			return nil, fault.Errorf(op, fault.Permanent,
				"consumer %s of stream %s has other settings than the persister needs, and they cannot be changed: %w; "+
					"delete it, it is made again from the checkpoint", consumerName, eventlog.StreamName, err)
		}
		if err != nil {
			return nil, fault.New(op, fault.Temporary, err)
		}
		w.log.Warn("consumer settings changed", "consumer", consumerName)
	}
	return consumer, nil
}

func sameConsumer(have, want jetstream.ConsumerConfig) bool {
	return have.DeliverPolicy == want.DeliverPolicy && have.AckPolicy == want.AckPolicy &&
		have.MaxDeliver == want.MaxDeliver && len(have.BackOff) == 0 && have.MaxAckPending == want.MaxAckPending &&
		have.FilterSubject == "" && len(have.FilterSubjects) == 0 && !have.HeadersOnly &&
		have.PriorityPolicy == want.PriorityPolicy && slices.Equal(have.PriorityGroups, want.PriorityGroups) &&
		have.PinnedTTL == want.PinnedTTL
}

// inStep reports whether the consumer will next deliver what follows an offset
// and nothing else. Unacknowledged deliveries to a persister that has died
// would come back later and out of order.
func inStep(info *jetstream.ConsumerInfo, offset uint64) bool {
	return info.AckFloor.Stream == offset && info.Delivered.Stream == offset && info.NumAckPending == 0
}

// pinned is the id of the client that the server delivers to; empty for none.
func pinned(info *jetstream.ConsumerInfo) string {
	for _, g := range info.PriorityGroups {
		if g.Group == priorityGroup {
			return g.PinnedClientID
		}
	}
	return ""
}

// rewind makes the consumer continue after an offset. To do so while another
// persister works costs that one some deliveries that it has to pass over, and
// nothing else: both go by the checkpoint.
func (w *worker) rewind(ctx context.Context, offset uint64) error {
	if _, err := w.link.js.ResetConsumerToSequence(ctx, eventlog.StreamName, consumerName, offset+1); err != nil {
		return fault.New("set the consumer to the checkpoint", fault.Temporary, fmt.Errorf("offset %d: %w", offset, err))
	}
	w.metrics.rewinds.Inc()
	return nil
}
