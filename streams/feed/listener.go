package feed

import (
	"context"
	"errors"
	"fmt"

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

	doubt  bool // something was heard whose offset had been delivered
	strays *strays
}

func listen(nc *nats.Conn, strays *strays) (*listener, error) {
	l := &listener{nc: nc, strays: strays, cut: nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)}
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
// offsets will be missing. What is not the log's is passed over.
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
		h, err := read(m)
		if err == nil {
			return h, nil
		}
		l.strays.note(err)
	}
}
