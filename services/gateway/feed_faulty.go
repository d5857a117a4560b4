//go:build faultyfeed

package gateway

import (
	"context"
	"log/slog"
	"os"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/feed/faulty"
)

// faultyFeed names the way in which the feed is to be wrong. Unset, it is right.
const faultyFeed = "FAULTY_FEED"

func init() {
	if os.Getenv(faultyFeed) == "" {
		return
	}
	right, wrong := newFeed, faulty.Kind(os.Getenv(faultyFeed))
	newFeed = func(ctx context.Context, kind config.Feed, js jetstream.JetStream, log *slog.Logger) (feed.Feed, error) {
		log.Warn("this gateway is wrong on purpose", "feed", wrong)
		f, err := right(ctx, kind, js, log)
		return faulty.Wrap(f, wrong), err
	}
}
