package stat

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// patience is how long the persister has for its answer.
const patience = 2 * time.Second

// Persister asks the persister how far its read model is.
func Persister(ctx context.Context, nc *nats.Conn, state eventlog.State) Progress {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := query.NewClient(nc).Checkpoint(ctx)
	switch {
	case err != nil:
		return Progress{Reason: "it does not answer"}
	case c.Offset == 0:
		return known(0, time.Time{}, state)
	case c.Epoch != state.Epoch:
		return Progress{Reason: "its read model is of another log, of epoch " + c.Epoch}
	}
	return known(c.Offset, c.At, state)
}

// Notary reads the newest signed checkpoint, without looking at who signed it.
func Notary(ctx context.Context, js jetstream.JetStream, state eventlog.State) Progress {
	entry, err := notary.OpenAudit(js).Last(ctx)
	if errors.Is(err, notary.ErrNone) {
		return Progress{Reason: "none"}
	}
	var c notary.Checkpoint
	if err == nil {
		c, err = entry.Checkpoint()
	}
	switch {
	case err != nil:
		return Progress{Reason: "it cannot be read: " + err.Error()}
	case c.Epoch != state.Epoch:
		return Progress{Reason: "it is of another log, of epoch " + c.Epoch}
	}
	return known(c.Size, c.Time, state)
}

func known(offset uint64, at time.Time, state eventlog.State) Progress {
	p := Progress{Known: true, Offset: offset, Behind: state.Last - min(offset, state.Last)}
	if !at.IsZero() {
		at = at.UTC()
		p.At = &at
	}
	return p
}
