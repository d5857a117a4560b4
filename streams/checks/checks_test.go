package checks_test

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/checks"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestOnlyALogThatRepublishesWhatTheFeedListensToPasses(t *testing.T) {
	s := logtest.Start(t)
	cfg := config.Default()
	cfg.NATS.URL, cfg.Stream.Republish = config.URL(s.URL()), true
	check := checks.Republish(cfg, eventlog.Gateway)
	if _, err := check.Run(t.Context()); err != nil {
		t.Errorf("a log that is still to be made: %v", err)
	}
	js := s.Provision(logtest.Config())
	for _, c := range []struct {
		to    *jetstream.RePublish
		right bool
	}{
		{nil, false},
		{&jetstream.RePublish{Source: subject.All, Destination: "other.>"}, false},
		{&jetstream.RePublish{Source: "chat.0.room.>", Destination: eventlog.FeedSubject}, false},
		{&jetstream.RePublish{Source: subject.All, Destination: eventlog.FeedSubject, HeadersOnly: true}, false},
		{&jetstream.RePublish{Source: subject.All, Destination: eventlog.FeedSubject}, true},
	} {
		stream, err := js.Stream(t.Context(), eventlog.StreamName)
		if err != nil {
			t.Fatal(err)
		}
		next := stream.CachedInfo().Config
		next.RePublish = c.to
		if _, err := js.UpdateStream(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		if _, err := check.Run(t.Context()); c.right != (err == nil) || err != nil && !strings.Contains(err.Error(), "stream.republish") {
			t.Errorf("%+v: %v", c.to, err)
		}
	}
}
