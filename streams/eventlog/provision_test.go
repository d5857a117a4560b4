package eventlog_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestALogInWhichMessagesDecideOrThatHoldsOthersIsRefused(t *testing.T) {
	for what, set := range map[string]func(*jetstream.StreamConfig){
		"message TTL allowed is true": func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true },
		"roll-up headers is true":     func(c *jetstream.StreamConfig) { c.AllowRollup, c.DenyPurge = true, false },
		"message counters is true":    func(c *jetstream.StreamConfig) { c.AllowMsgCounter, c.Discard = true, jetstream.DiscardOld },
		"message schedules is true":   func(c *jetstream.StreamConfig) { c.AllowMsgSchedules, c.Discard = true, jetstream.DiscardOld },
		"mirror is true": func(c *jetstream.StreamConfig) {
			c.Subjects, c.AllowAtomicPublish, c.Mirror = nil, false, &jetstream.StreamSource{Name: "OTHER"}
		},
		"sources is 1": func(c *jetstream.StreamConfig) { c.Sources = []*jetstream.StreamSource{{Name: "OTHER"}} },
		"subject transform is true": func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: subject.All, Destination: "chat.other.>"}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			js := logtest.Start(t).Connect() // one of its own: nats-server (v2.15.2) makes no stream where it still removes the files of two
			config := eventlog.Stream(logtest.Config()).Want
			set(&config)
			if _, err := js.CreateStream(ctx, config); err != nil {
				t.Fatal(err)
			}
			for _, mode := range []provision.Mode{provision.Make, provision.Check, provision.Reshape} {
				config := logtest.Config()
				config.Mode = mode
				if err := eventlog.Provision(ctx, js, config, slog.New(slog.DiscardHandler)); !fault.Is(err, fault.Permanent) || !strings.Contains(err.Error(), what) {
					t.Error(err)
				}
			}
		})
	}
}
