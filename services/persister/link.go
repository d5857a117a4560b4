package persister

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

// retryStart is the first pause between attempts to reach the log, or the database, at the start, and retryMax the longest.
const (
	retryStart = 250 * time.Millisecond
	retryMax   = 2 * time.Second
)

// link is the way to the log: one connection to consume, one for questions, and
// one for the notary if there is one, so that none waits behind another.
type link struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	log     *eventlog.Log
	queries *nats.Conn
	notary  jetstream.JetStream // nil without a notary
}

// connect makes the link and sees to it that there is a log. At the start the
// server may still be on its way.
func (p *Persister) connect(ctx context.Context) (l *link, err error) {
	err = p.await(ctx, "the log", func() (again bool, err error) {
		l, err = p.tryConnect(ctx)
		return !needsOperator(err), err
	})
	return l, err
}

// await tries for a while what may be on its way, ever more seldom, and logs once for each reason.
func (p *Persister) await(ctx context.Context, what string, try func() (again bool, err error)) error {
	deadline := time.Now().Add(p.options.StartWait)
	said := ""
	for wait := retryStart; ; wait = min(2*wait, retryMax) {
		again, err := try()
		if err == nil || !again {
			return err
		}
		p.status.set(starting, err)
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not there after %v: %w", what, p.options.StartWait, err)
		}
		if err.Error() != said {
			said = err.Error()
			p.log.Warn(what+" is not there yet, trying again", "error", err)
		}
		if !pause(ctx, wait) {
			return err
		}
	}
}

func (p *Persister) tryConnect(ctx context.Context) (l *link, err error) {
	l = &link{}
	defer func() {
		if err != nil {
			l.close()
			l = nil
		}
	}()
	connect := func(name string, more ...nats.Option) (*nats.Conn, jetstream.JetStream, error) {
		nc, js, err := eventlog.Connect(p.options.NATSURL, name, p.log, slices.Concat(p.options.NATSOptions, more)...)
		if err != nil {
			err = fault.Errorf("connect to the log", fault.Temporary, "nats-server at %s: %w", config.URL(p.options.NATSURL), err)
		}
		return nc, js, err
	}
	l.nc, l.js, err = connect("persister", p.rights.Option())
	if err != nil {
		return l, err
	}
	// Who asks says where the answer goes: that it may not go there is the asker's fault.
	l.queries, _, err = connect("persister queries", p.rights.Option("for Publish to"))
	if err != nil {
		return l, err
	}
	if p.notary != nil {
		_, l.notary, err = connect("persister notary") // its faults do not concern the projection
		if err != nil {
			return l, err
		}
	}
	l.log = eventlog.Open(l.js)
	return l, eventlog.Provision(ctx, l.js, p.options.Log, p.log)
}

// up reports whether the connections are that the projection and questions need.
func (l *link) up() bool {
	return l != nil && l.nc.IsConnected() && l.queries.IsConnected()
}

// close ends the connections; questions in hand are answered first.
func (l *link) close() {
	if l.queries != nil {
		drain(l.queries)
	}
	if l.notary != nil {
		l.notary.Conn().Close()
	}
	if l.nc != nil {
		l.nc.Close()
	}
}

func drain(nc *nats.Conn) {
	closed := make(chan struct{})
	nc.SetClosedHandler(func(*nats.Conn) { close(closed) })
	if err := nc.Drain(); err == nil {
		select {
		case <-closed:
		case <-time.After(stopWait):
		}
	}
	nc.Close()
}

// pause waits and reports whether ctx still lasts.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
