//go:build faultyfeed

package gateway

import (
	"log/slog"
	"os"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/feed/faulty"
)

// faultyFeed names the way in which the feed is to be wrong. Unset, it is right.
const faultyFeed = "FAULTY_FEED"

func init() {
	if os.Getenv(faultyFeed) == "" {
		return
	}
	right, kind := newFeed, faulty.Kind(os.Getenv(faultyFeed))
	newFeed = func(js jetstream.JetStream, log *slog.Logger) feed.Feed {
		log.Warn("this gateway is wrong on purpose", "feed", kind)
		return faulty.Wrap(right(js, log), kind)
	}
}
