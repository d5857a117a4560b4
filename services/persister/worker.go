package persister

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/stores"
)

const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// worker runs sessions, one after the other, over one database and one link.
// A session ends with the first thing that goes wrong; the next one starts
// from what the log, the consumer and the database then are.
type worker struct {
	*Persister
	store   readmodel.Store
	link    *link
	service micro.Service // answers questions; nil before the first session
}

// work returns when ctx is done, or with an error that needs an operator.
func (w *worker) work(ctx context.Context) error {
	backoff := minBackoff
	for {
		started := time.Now()
		err := w.session(ctx)
		switch {
		case needsOperator(err):
			w.status.set(recovering, err)
			return w.wayOut(err)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, readmodel.ErrFenced):
			w.log.Warn("stepped back", "reason", err)
			backoff = minBackoff
		default:
			if time.Since(started) > maxBackoff {
				backoff = minBackoff // it had worked
			}
			w.log.Error("the projection was interrupted, trying again", "error", err, "in", backoff)
			w.metrics.interruptions.Inc()
		}
		w.status.set(recovering, err)
		if !pause(ctx, backoff) {
			return nil
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// needsOperator tells errors that do not pass.
func needsOperator(err error) bool {
	return fault.Is(err, fault.Permanent) || fault.Is(err, fault.Corrupt)
}

// wayOut adds to an error of the database what an operator can do about it.
func (w *worker) wayOut(err error) error {
	if !fault.Is(err, fault.Corrupt) || errors.Is(err, ErrOtherLog) {
		return err
	}
	way := "move it away and start again"
	if stores.IsPostgres(w.options.Database) {
		way = "drop it, create an empty one and start again"
	}
	return fmt.Errorf("database %s is damaged: %w. Stop all persisters, %s: it is rebuilt from the log", w.store.Name(), err, way)
}

// serveQueries makes sure that questions are answered. It is called when the
// database has been shown to be of this log, and now and then after that,
// because a service can end by itself.
func (w *worker) serveQueries() error {
	if w.service != nil && !w.service.Stopped() {
		return nil
	}
	service, err := query.Serve(w.link.queries, w.store, w.log)
	if err != nil {
		return fmt.Errorf("start the query service: %w", err)
	}
	w.service = service
	return nil
}

func (w *worker) stopQueries() {
	if w.service == nil || w.service.Stopped() {
		return
	}
	if err := w.service.Stop(); err != nil {
		w.log.Warn("the query service was cut off", "error", err)
	}
}
