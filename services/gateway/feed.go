package gateway

import (
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/feed"
)

// newFeed makes what a generation follows, as gateway.feed says. A build with the
// tag "faultyfeed" puts a broken one in its place, to show that the proof finds it.
var newFeed = func(kind config.Feed, js jetstream.JetStream, log *slog.Logger) feed.Feed {
	if kind == config.Republish {
		return feed.NewRepublish(js, log)
	}
	return feed.NewOrdered(js, log)
}
