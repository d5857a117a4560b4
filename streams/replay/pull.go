package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// pull asks a consumer for portions, so that one is on its way while the one before is read, and no more.
//
// The client library could do that, and would believe what a message says of itself: one that was stored with a header
// "Status" would be taken for the server's own word and never be seen.
type pull struct {
	nc           *nats.Conn
	subject      string // of requests
	inbox        string
	subscription *nats.Subscription
	messages     chan *nats.Msg
	gone         chan nats.Status
	quiet        *time.Ticker
	heard        bool // of a delivery, since the last tick
	due          int  // deliveries that were asked for and have not come
}

var (
	errSilent = errors.New("nothing has been delivered for a while")
	errGone   = errors.New("the connection to the log has gone")
)

// spare is room for what the server says about requests.
const spare = 64

func pullFrom(nc *nats.Conn, consumer string) (*pull, error) {
	p := &pull{
		nc: nc, subject: jetstream.DefaultAPIPrefix + "CONSUMER.MSG.NEXT." + eventlog.StreamName + "." + consumer,
		inbox: nc.NewInbox(), messages: make(chan *nats.Msg, 2*portion+spare),
	}
	var err error
	if p.subscription, err = nc.ChanSubscribe(p.inbox, p.messages); err != nil {
		return nil, err
	}
	p.gone = nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	p.quiet = time.NewTicker(stall)
	return p, nil
}

func (p *pull) close() {
	p.quiet.Stop()
	p.nc.RemoveStatusListener(p.gone)
	_ = p.subscription.Unsubscribe() // a closed connection has none
}

// next is the next delivery.
func (p *pull) next(ctx context.Context) (*nats.Msg, error) {
	for {
		if p.due <= portion {
			if err := p.ask(); err != nil {
				return nil, err
			}
		}
		m, err := p.receive(ctx)
		switch {
		case err != nil:
			return nil, err
		case m == nil:
			continue
		case strings.HasPrefix(m.Reply, deliveryPrefix):
			p.due--
			p.heard = true
			return m, nil
		}
		if err := p.told(m); err != nil {
			return nil, err
		}
	}
}

// receive waits for a message. It returns none now and then.
func (p *pull) receive(ctx context.Context) (*nats.Msg, error) {
	select {
	case m := <-p.messages: // the usual case, and much the cheapest
		return m, nil
	default:
	}
	select {
	case m := <-p.messages:
		return m, nil
	case <-p.quiet.C:
		if !p.heard {
			return nil, errSilent
		}
		p.heard = false
		return nil, nil
	case <-p.gone:
		return nil, errGone
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// request is what the server is asked, times in nanoseconds.
type request struct {
	Batch    int           `json:"batch"`
	MaxBytes int           `json:"max_bytes"`
	Expires  time.Duration `json:"expires"`
}

// ask asks for another portion.
func (p *pull) ask() error {
	body, err := json.Marshal(request{Batch: portion, MaxBytes: portionBytes, Expires: unused})
	if err != nil {
		return err
	}
	p.due += portion
	return p.nc.PublishRequest(p.subject, p.inbox, body)
}

// told deals with what the server says about a request: that it has ended, with so many not delivered.
func (p *pull) told(m *nats.Msg) error {
	left, err := strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
	if err != nil {
		return fmt.Errorf("the server says %s %s", m.Header.Get("Status"), m.Header.Get("Description"))
	}
	p.due -= left
	return nil
}
