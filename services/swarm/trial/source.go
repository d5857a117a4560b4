package trial

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/swarm/evidence"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

const (
	headTimeout = 10 * time.Second
	// readTimeout bounds the reading of the log, and that of the read model, which may have to catch up first.
	readTimeout = 5 * time.Minute
)

// NATS is a log, and the read model that is made of it.
type NATS struct {
	url, credentials string
	nc               *nats.Conn
	log              *eventlog.Log
}

// OpenNATS connects to the log's server.
func OpenNATS(url, credentials string) (*NATS, error) {
	options := []nats.Option{nats.CustomInboxPrefix(eventlog.Auditor.InboxPrefix())} // as whom nats-server may know it
	if credentials != "" {
		options = append(options, nats.UserCredentials(credentials))
	}
	quiet := slog.New(slog.DiscardHandler) // the view has the terminal
	nc, js, err := eventlog.Connect(url, "swarm", quiet, options...)
	if err != nil {
		return nil, err
	}
	return &NATS{url: url, credentials: credentials, nc: nc, log: eventlog.Open(js)}, nil
}

// Close closes the connection.
func (n *NATS) Close() { n.nc.Close() }

// Head is the newest offset, and which log it is of; 0 and "" if there is none yet.
func (n *NATS) Head(ctx context.Context) (head uint64, epoch string, err error) {
	ctx, cancel := context.WithTimeout(ctx, headTimeout)
	defer cancel()
	state, err := n.log.State(ctx)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, "", nil
	}
	return state.Last, state.Epoch, err
}

// Read reads everything after an offset, and says what is wrong with it and with the read model made of it. Where only the
// read model could not be asked, there is a log beside the error; its epoch is set.
func (n *NATS) Read(ctx context.Context, after uint64, progress func(what string, done, total uint64)) (oracle.Log, []oracle.Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	reading, findings, err := evidence.ReadLog(ctx, n.url, n.credentials, after, func(done, total uint64) { progress("events of the log", done, total) })
	if err != nil {
		return oracle.Log{}, nil, err
	}
	found, err := evidence.ReadModel(ctx, n.nc, reading, func(done, total uint64) { progress("questions to the read model", done, total) })
	return reading.Log, append(findings, found...), err
}
