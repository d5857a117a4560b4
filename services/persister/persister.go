// Package persister projects the log into a database and answers questions
// about it.
//
//	log ──▶ durable, pinned consumer ──▶ intake ──▶ projection ──▶ one transaction: ──▶ ack
//	         (one persister at a time)   batch      rows, dead     rows + checkpoint
//	                                                letters        (compare and set)
//
// The checkpoint in the database is the truth about how far the projection is;
// the consumer's own state is only made to agree with it. So a database can be
// deleted or put back from a copy, a consumer can be deleted, and a persister
// killed at any instant: what follows is projected once, in order.
//
// Of several persisters the server pins one and the others wait. Should two
// write nevertheless, the compare-and-set lets one through and the other starts
// again from the checkpoint.
//
// All persisters answer questions, also those that wait.
//
// Beside the projection the notary signs how the log stands, as far as it is
// projected (package signing). It depends on the projection, which does not
// depend on it.
package persister

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/persister/signing"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/trace"
)

const (
	// stopWait bounds how long a stop waits for questions and requests in hand.
	stopWait = 5 * time.Second
	// requestTimeout bounds a request of health or metrics, in each direction.
	requestTimeout = 10 * time.Second
)

// Persister is one persister. Run it once.
type Persister struct {
	options  Options
	log      *slog.Logger
	listener net.Listener // of health and metrics; nil if not served
	status   *status
	metrics  *metrics
	tracer   *trace.Tracer   // nil: nothing is traced
	notary   *signing.Notary // nil without a key
	rights   *eventlog.Rights
}

// Run runs a persister, as its settings say, until ctx ends.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if cfg.NATS.URL == "" {
		return cfg.Invalid("nats.url", "it must not be empty: only standalone has a log of its own")
	}
	options, err := Configure(cfg)
	if err != nil {
		return err
	}
	p, err := New(options, log)
	if err != nil {
		return err
	}
	return p.Run(ctx)
}

// New makes a persister, and listens, so that a busy address is an error now.
func New(options Options, log *slog.Logger) (*Persister, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	s := &status{}
	p := &Persister{options: options, log: log, status: s, metrics: newMetrics(s), rights: eventlog.NewRights(eventlog.Persister, log)}
	p.notary = p.newNotary()
	if options.Listen != "" {
		var err error
		if p.listener, err = net.Listen("tcp", options.Listen); err != nil {
			return nil, fmt.Errorf("persister.listen: %w", err)
		}
	}
	if err := p.trace(); err != nil {
		if p.listener != nil {
			_ = p.listener.Close()
		}
		return nil, err
	}
	return p, nil
}

// Run projects until ctx is done, then finishes the transaction in hand and
// returns nil. Faults that pass (the log's server is away, the consumer is gone,
// the disk is full) are repaired or waited out, and shown by /readyz. An error
// means that an operator is needed.
func (p *Persister) Run(ctx context.Context) error {
	defer p.tracer.Close()
	server := &http.Server{Handler: p.Handler(), ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: requestTimeout}
	group, ctx := errgroup.WithContext(ctx)
	if listener := p.listener; listener != nil {
		p.log.Info("health and metrics", "address", listener.Addr().String())
		group.Go(func() error {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve health and metrics: %w", err)
			}
			return nil
		})
	}
	group.Go(func() error {
		select {
		case err := <-p.rights.Refused():
			return err
		case <-ctx.Done():
			return nil
		}
	})
	group.Go(func() error {
		defer p.stopServer(server) // last, so that it says not ready until the end
		return p.project(ctx)
	})
	return group.Wait()
}

func (p *Persister) stopServer(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		p.log.Warn("health and metrics: requests were cut off", "error", err)
		_ = server.Close()
	}
}

// project opens the database and the log, works, and closes them again,
// whatever came of it.
func (p *Persister) project(ctx context.Context) error {
	store, err := p.openStore(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	link, err := p.connect(ctx)
	if err == nil {
		p.status.connected(link)
		w := &worker{Persister: p, store: store, link: link}
		stopNotary := p.startNotary(link)
		err = w.work(ctx)
		p.status.set(stopping, nil)
		w.stopQueries()
		stopNotary()
		link.close()
	}
	if ctx.Err() != nil && !needsOperator(err) {
		err = nil // it stopped because it was told to
	}
	return errors.Join(err, store.Close())
}
