package persister

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

// pinHeader is added by the server to what it gives the pinned client.
const pinHeader = "Nats-Pin-Id"

// consumer finds the durable consumer, and makes or updates it if it may.
func (w *worker) consumer(ctx context.Context) (jetstream.Consumer, error) {
	want := eventlog.Consumer{BatchSize: w.options.BatchSize, PinTTL: w.options.PinTTL}
	consumer, result, err := want.Ensure(ctx, w.link.js, w.options.Log.Mode)
	result.Log(w.log)
	return consumer, err
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
		if g.Group == eventlog.PriorityGroup {
			return g.PinnedClientID
		}
	}
	return ""
}

// rewind makes the consumer continue after an offset. To do so while another
// persister works costs that one some deliveries that it has to pass over, and
// nothing else: both go by the checkpoint.
func (w *worker) rewind(ctx context.Context, offset uint64) error {
	if _, err := w.link.js.ResetConsumerToSequence(ctx, eventlog.StreamName, eventlog.ConsumerName, offset+1); err != nil {
		return fault.New("set the consumer to the checkpoint", fault.Temporary, fmt.Errorf("offset %d: %w", offset, err))
	}
	w.metrics.rewinds.Inc()
	return nil
}
