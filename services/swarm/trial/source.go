package trial

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/services/swarm/evidence"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// Source is where the log is read.
type Source interface {
	// Head is the newest offset.
	Head(ctx context.Context) (uint64, error)
	// Read reads everything after an offset, and says what is wrong with it and with the read model made of it.
	Read(ctx context.Context, after uint64) (oracle.Log, []oracle.Finding, error)
}
