package persister

import (
	"context"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/stores"
)

// openStore opens the database. At the start its server may still be on its way, as the log's may.
func (p *Persister) openStore(ctx context.Context) (store readmodel.Store, err error) {
	err = p.await(ctx, "the database", func() (again bool, err error) {
		store, err = stores.Open(ctx, p.options.Database)
		return fault.Is(err, fault.Temporary), err
	})
	return store, err
}
