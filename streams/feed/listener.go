package feed

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// What may wait to be delivered, while the log is read or because apply is slow.
// Beyond that the client library drops what comes.
const (
	maxWaiting      = 8192
	maxWaitingBytes = 16 << 20
)

// errCut says that the connection went. Perhaps it has come back: to another server,
// or to another log.
var errCut = errors.New("the connection to the log was cut")

// listener hears what the log sends over one connection for as long as that lasts.
type listener struct {
	nc  *nats.Conn
	sub *nats.Subscription
	cut chan nats.Status // told of before anything comes over the next connection

	doubt bool // something was heard whose offset had been delivered
}

// heard is one message of the log as it was sent to those who listen.
type heard struct {
	offset  uint64
	at      time.Time
	subject string // in the log
	header  nats.Header
	content []byte
}

func listen(nc *nats.Conn) (*listener, error) {
	l := &listener{nc: nc, cut: nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)}
	var err error
	if l.sub, err = nc.SubscribeSync(eventlog.FeedSubject); err != nil {
		nc.RemoveStatusListener(l.cut)
		return nil, fmt.Errorf("listen to %s: %w", eventlog.FeedSubject, err)
	}
	if err := l.sub.SetPendingLimits(maxWaiting, maxWaitingBytes); err != nil {
		l.close()
		return nil, fmt.Errorf("listen to %s: %w", eventlog.FeedSubject, err)
	}
	return l, nil
}

func (l *listener) close() {
	l.nc.RemoveStatusListener(l.cut)
	_ = l.sub.Unsubscribe() // a closed connection has none
}

// waiting reports whether something was heard that next has not returned yet.
func (l *listener) waiting() bool {
	n, _, err := l.sub.Pending()
	return err == nil && n > 0
}

// next is the next message. That the library had to drop some it does not say: their
// offsets will be missing.
func (l *listener) next(ctx context.Context) (heard, error) {
	for {
		m, err := l.sub.NextMsgWithContext(ctx)
		select {
		case <-l.cut:
			return heard{}, errCut
		default:
		}
		if errors.Is(err, nats.ErrSlowConsumer) {
			continue
		}
		if err != nil {
			return heard{}, err
		}
		return read(m)
	}
}

// read takes off a message what the log's server has added to it. That stands behind
// all that the message came with, which may bear the same names.
func read(m *nats.Msg) (h heard, err error) {
	h = heard{subject: last(m.Header, "Nats-Subject"), header: m.Header, content: m.Data}
	if stream := last(m.Header, "Nats-Stream"); stream != eventlog.StreamName {
		return h, fmt.Errorf("what came on %s is of stream %q", m.Subject, stream)
	}
	if h.offset, err = strconv.ParseUint(last(m.Header, "Nats-Sequence"), 10, 64); err != nil {
		return h, fmt.Errorf("what came on %s has no offset: %w", m.Subject, err)
	}
	if h.at, err = time.Parse(time.RFC3339Nano, last(m.Header, "Nats-Time-Stamp")); err != nil {
		return h, fmt.Errorf("what came on %s has no time: %w", m.Subject, err)
	}
	return h, nil
}

// last is the last value of a header.
func last(header nats.Header, name string) string {
	if values := header[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}
