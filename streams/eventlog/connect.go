package eventlog

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	requestTimeout = 5 * time.Second
	// maxPublishWait is when the client library forgets an asynchronous publish;
	// who published has given up before.
	maxPublishWait = 2 * time.Minute
)

// Connect connects to the log's server under a name ("gateway publish"), with the
// options that the settings ask for ([Options]). The connection comes back by
// itself for ever, also when its user was refused meanwhile. Nothing is buffered
// while it is down: a message must not be released minutes after its sender gave up.
func Connect(url, name string, log *slog.Logger, options ...nats.Option) (*nats.Conn, jetstream.JetStream, error) {
	log = log.With("connection", name)
	outage := failures{log: log}
	options = append([]nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // credentials that are being changed come right again
		nats.ReconnectBufSize(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 500*time.Millisecond),
		nats.Timeout(2 * time.Second),
		nats.PingInterval(5 * time.Second), // finds a server that hangs within 15 s
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			outage.begin()
			if err != nil {
				log.Warn("disconnected from the log", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("reconnected to the log", "server", nc.ConnectedUrlRedacted()) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { outage.note(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) { report(log, sub, err) }),
	}, options...)
	nc, err := nats.Connect(url, options...)
	if err != nil {
		return nil, nil, explain(err)
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout), jetstream.WithPublishAsyncTimeout(maxPublishWait))
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return nc, js, nil
}

// failures logs why there is no connection, once for each reason and outage: attempts
// are many. It belongs to a connection's handlers, which are called one after the other.
type failures struct {
	log  *slog.Logger
	last string
}

func (f *failures) begin() { f.last = "" }

func (f *failures) note(err error) {
	if said := explain(err).Error(); said != f.last {
		f.last = said
		f.log.Warn("no connection to the log yet", "error", said)
	}
}

// connected says in an operator's words what the client library says as "buffer
// limit exceeded", since ours is none.
func connected(js jetstream.JetStream) error {
	nc := js.Conn()
	if nc.IsConnected() {
		return nil
	}
	servers := make([]string, 0, 3)
	for _, s := range nc.Servers() {
		if u, err := url.Parse(s); err == nil {
			s = u.Redacted()
		}
		servers = append(servers, s)
	}
	err := fmt.Errorf("no connection to nats-server at %s", strings.Join(servers, ", "))
	if reason := nc.LastError(); reason != nil {
		return fmt.Errorf("%w: %w", err, explain(reason))
	}
	return err
}
