package backup

import (
	"context"

	"github.com/nats-io/nats.go"
)

// whileConnected is a context that ends with the connection, too: nats-server forgets a copy that is under way when a
// connection goes, and the library (v0.4.1) would wait for the rest of it for ever.
func whileConnected(ctx context.Context, nc *nats.Conn) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	cut := nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	go func() { // ends with ctx
		select {
		case <-cut:
			cancel(ErrCut)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		nc.RemoveStatusListener(cut)
	}
}
