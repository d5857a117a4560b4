package eventlog_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

func TestTheConsumerNeverLetsLessBeOnItsWayThanBefore(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	large := eventlog.Consumer{BatchSize: 5000, PinTTL: time.Minute}
	if _, r, err := large.Ensure(ctx, js, provision.Make); err != nil || r.Outcome != provision.Made {
		t.Fatal(r, err)
	}
	for _, c := range []struct {
		size    int
		mode    provision.Mode
		outcome provision.Outcome
		want    int
	}{
		{500, provision.Make, provision.Fits, 10_000},
		{500, provision.Check, provision.Fits, 10_000},
		{500, provision.Reshape, provision.Fits, 10_000},
		{6000, provision.Check, provision.Differs, 10_000},
		{6000, provision.Reshape, provision.Changed, 12_000},
	} {
		consumer, r, err := eventlog.Consumer{BatchSize: c.size, PinTTL: time.Minute}.Ensure(ctx, js, c.mode)
		if err != nil || r.Outcome != c.outcome || consumer.CachedInfo().Config.MaxAckPending != c.want {
			t.Errorf("%+v: %+v, %v", c, r, err)
		}
	}
	// What is set otherwise by hand stays too: of any number, and with another setting mended.
	unbounded := consumerConfig(t, js)
	unbounded.MaxAckPending = -1
	if _, err := js.UpdateConsumer(ctx, eventlog.StreamName, unbounded); err != nil {
		t.Fatal(err)
	}
	longer := eventlog.Consumer{BatchSize: 500, PinTTL: 2 * time.Minute}
	if _, r, err := longer.Ensure(ctx, js, provision.Make); err != nil || r.Outcome != provision.Changed || len(r.Changes) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if have := consumerConfig(t, js); have.MaxAckPending != -1 || have.PinnedTTL != longer.PinTTL {
		t.Errorf("%+v", have)
	}
}

func consumerConfig(t *testing.T, js jetstream.JetStream) jetstream.ConsumerConfig {
	t.Helper()
	consumer, err := js.Consumer(ctx, eventlog.StreamName, eventlog.ConsumerName)
	if err != nil {
		t.Fatal(err)
	}
	return consumer.CachedInfo().Config
}
