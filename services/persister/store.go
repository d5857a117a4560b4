package persister

import (
	"context"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/stores"
)

// openStore opens the database. At the start its server may still be on its way, as the log's may, so that is tried for a while.
func (p *Persister) openStore(ctx context.Context) (readmodel.Store, error) {
	deadline := time.Now().Add(p.options.StartWait)
	for {
		store, err := stores.Open(ctx, p.options.Database)
		if !fault.Is(err, fault.Temporary) {
			return store, err
		}
		p.status.set(starting, err)
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the database is not there after %v: %w", p.options.StartWait, err)
		}
		p.log.Warn("the database is not there yet, trying again", "error", err)
		if !pause(ctx, retryStart) {
			return nil, err
		}
	}
}
