package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

const (
	// ConsumerName is the durable consumer by which the log is projected.
	ConsumerName = "persister"
	// PriorityGroup is the group of persisters of which the server serves one.
	PriorityGroup = "projection"
	// minAckPending lets the next batch be on its way while one is written.
	minAckPending = 2000
)

// Consumer is what an operator may choose about the durable consumer.
type Consumer struct {
	BatchSize int           // events in one transaction at most
	PinTTL    time.Duration // after so long a silence another persister takes over
}

// config is the consumer as it should be. It acknowledges a batch with its last
// message and redelivers for ever; there is no backoff, because that would
// reorder; and no filter, so that offsets are dense and a gap shows.
func (c Consumer) config() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:        ConsumerName,
		Description:    "projects the log into the read model",
		DeliverPolicy:  jetstream.DeliverAllPolicy,
		AckPolicy:      jetstream.AckAllPolicy,
		MaxDeliver:     -1,
		MaxAckPending:  max(minAckPending, 2*c.BatchSize),
		PriorityPolicy: jetstream.PriorityPolicyPinned,
		PriorityGroups: []string{PriorityGroup},
		PinnedTTL:      c.PinTTL,
	}
}

// Ensure finds the durable consumer, makes it if it is gone, and updates it if
// its settings differ. One that lets more be on its way, as larger batches need, is
// left so. Without the right to change anything (provision.Check) it
// only compares. Permanent: the projection cannot run on it as it is.
func (c Consumer) Ensure(ctx context.Context, js jetstream.JetStream, mode provision.Mode) (jetstream.Consumer, provision.Result, error) {
	const op = "provision consumer " + ConsumerName
	r := provision.Result{Kind: "consumer", Name: ConsumerName, Outcome: provision.Failed}
	if err := connected(js); err != nil {
		return nil, r, fault.New(op, fault.Temporary, err)
	}
	want := c.config()
	consumer, err := js.Consumer(ctx, StreamName, ConsumerName)
	if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		if mode == provision.Check {
			r.Outcome = provision.Missing
			return nil, r, fault.New(op, fault.Temporary, provision.ErrMissing)
		}
		if consumer, err = js.CreateConsumer(ctx, StreamName, want); err == nil {
			r.Outcome = provision.Made
			return consumer, r, nil
		}
	}
	if err != nil {
		return nil, r, fault.New(op, fault.Temporary, err)
	}
	if have := consumer.CachedInfo().Config.MaxAckPending; have < 0 || have > want.MaxAckPending { // below 0: any number
		want.MaxAckPending = have
	}
	essential, other := differences(consumer.CachedInfo().Config, want)
	switch all := slices.Concat(essential, other); {
	case len(all) == 0:
		r.Outcome = provision.Fits
	case mode == provision.Check && len(essential) > 0:
		r.Outcome, r.Unsafe, r.Left = provision.Unsafe, essential, other
		return nil, r, unusable(op, essential, errors.New("nothing may be changed by a service (nats.provision is false)"))
	case mode == provision.Check:
		r.Outcome, r.Left = provision.Differs, other
	default:
		if consumer, err = js.UpdateConsumer(ctx, StreamName, want); err != nil {
			if refused := (*jetstream.APIError)(nil); errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeConsumerCreate {
				r.Outcome, r.Unsafe = provision.Unsafe, all
				return nil, r, unusable(op, all, err)
			}
			return nil, r, fault.New(op, fault.Temporary, err)
		}
		r.Outcome, r.Changes = provision.Changed, all
	}
	return consumer, r, nil
}

func unusable(op string, differences []string, err error) error {
	return fault.Errorf(op, fault.Permanent,
		"consumer %s of stream %s has other settings than the persister needs (%s), and they cannot be changed: %w; "+
			"delete it and let it be made again: it goes on from the checkpoint",
		ConsumerName, StreamName, strings.Join(differences, "; "), err)
}

// differences tells apart those that the projection cannot live with.
func differences(have, want jetstream.ConsumerConfig) (essential, other []string) {
	differ := func(list *[]string, what string, have, want any) {
		if have != want {
			*list = append(*list, fmt.Sprintf("%s is %v, want %v", what, have, want))
		}
	}
	differ(&essential, "deliver policy", have.DeliverPolicy, want.DeliverPolicy)
	differ(&essential, "ack policy", have.AckPolicy, want.AckPolicy)
	differ(&essential, "max deliver", have.MaxDeliver, want.MaxDeliver)
	differ(&essential, "backoffs", len(have.BackOff), 0)
	differ(&essential, "filters", len(have.FilterSubjects)+len(have.FilterSubject), 0)
	differ(&essential, "headers only", have.HeadersOnly, false)
	differ(&essential, "priority policy", have.PriorityPolicy, want.PriorityPolicy)
	differ(&essential, "priority groups", strings.Join(have.PriorityGroups, ","), strings.Join(want.PriorityGroups, ","))
	differ(&other, "max ack pending", have.MaxAckPending, want.MaxAckPending)
	differ(&other, "pinned TTL", have.PinnedTTL, want.PinnedTTL)
	return essential, other
}
