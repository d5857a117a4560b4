package gateway

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/feed"
)

// newFeed makes what a generation follows, as gateway.feed says, or says why there is
// nothing to follow in that way. A build with the tag "faultyfeed" puts a broken one in
// its place, to show that the proof finds it.
var newFeed = func(ctx context.Context, kind config.Feed, js jetstream.JetStream, log *slog.Logger) (feed.Feed, error) {
	if kind == config.Republish {
		f := feed.NewRepublish(js, log)
		return f, f.Check(ctx)
	}
	return feed.NewOrdered(js, log), nil
}
