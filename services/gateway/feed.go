package gateway

import (
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/feed"
)

// newFeed makes what a generation follows. A build with the tag "faultyfeed" puts
// a broken one in its place, to show that the proof finds it.
var newFeed = func(js jetstream.JetStream, log *slog.Logger) feed.Feed { return feed.NewOrdered(js, log) }
