package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// poller is the link over HTTP long-polling: the reader GETs bodies of packets, and a goroutine that is there only while
// something is to be sent POSTs others, one after the other.
type poller struct {
	base   *url.URL
	header http.Header
	web    *web
	ctx    context.Context // of all requests
	cancel context.CancelFunc
	fail   func(error) // ends the connection
	probe  *probe      // of an upgrade; nil: none is wanted

	mu      sync.Mutex
	address string
	limit   int // bytes of a POST; 0: none
	outbox  outbox
	posting bool // the goroutine is there, or about to be
	held    bool // it may not be: the upgrade is under way, or all is over
	leaving bool // Engine.IO's close is to be sent after the rest
	posts   sync.WaitGroup
}

func newPoller(c *Conn, base *url.URL, header http.Header, upgrade bool) *poller {
	p := &poller{base: base, header: header, web: newWeb(), address: address(base, Polling, "")}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.fail = func(err error) { c.stop(err, false) }
	if upgrade {
		p.probe = newProbe()
	}
	return p
}

func (p *poller) opened(_ *Conn, h handshake) error {
	p.mu.Lock()
	p.address, p.limit = address(p.base, Polling, h.SID), h.MaxPayload
	p.mu.Unlock()
	if p.probe == nil {
		return nil
	}
	if !slices.Contains(h.Upgrades, string(WebSocket)) {
		return violation("no upgrade to WebSocket is offered", nil)
	}
	p.probe.start(p, h.SID)
	return nil
}

func (p *poller) read(c *Conn) error {
	var buffer []byte
	for {
		c.pass()
		if c.over() { // the goodbye ends with a cancel
			<-p.ctx.Done()
			return ErrClosed
		}
		if err := p.poll(c, &buffer); err != nil {
			return err
		}
		for packet := range bytes.SplitSeq(buffer, separator) {
			c.pass()
			c.receive(packet)
		}
		if cap(buffer) > maxKept {
			buffer = nil
		}
		if s := p.probe.succeeded(); s != nil {
			return p.upgrade(c, s)
		}
	}
}

// poll is one GET.
func (p *poller) poll(c *Conn, into *[]byte) error {
	ctx, cancel := p.ctx, context.CancelFunc(func() {})
	if !c.deadline.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, c.deadline)
	}
	defer cancel()
	p.mu.Lock()
	address := p.address
	p.mu.Unlock()
	err := p.web.get(ctx, address, p.header, into)
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrPingTimeout
	}
	return err
}

func (p *poller) send(packet []byte, binary bool) error {
	if binary {
		packet = append([]byte("b"), base64.StdEncoding.EncodeToString(packet)...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.outbox.add(packet); err != nil {
		return err
	}
	p.start()
	return nil
}

// start has the goroutine be there; under mu.
func (p *poller) start() {
	if !p.posting && !p.held {
		p.posting = true
		p.posts.Go(p.post)
	}
}

func (p *poller) post() {
	for {
		body, last := p.next()
		if body == nil {
			return
		}
		ctx, cancel := context.WithTimeout(p.ctx, writeTimeout)
		err := p.web.post(ctx, p.address, p.header, body) // the address has its session by now, and changes no more
		cancel()
		if err != nil {
			p.fail(err)
			return
		}
		if last {
			p.cancel()
			return
		}
	}
}

// next is the next body to send and whether it is the last one ever; nil: the goroutine is to end.
func (p *poller) next() (body []byte, last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.held {
		if body := p.outbox.take(p.limit); body != nil {
			return body, false
		}
		if p.leaving {
			return []byte("1"), true
		}
	}
	p.posting = false
	return nil, false
}

// hold waits for the POST that is under way; no other follows.
func (p *poller) hold() {
	p.mu.Lock()
	p.held = true
	p.mu.Unlock()
	p.posts.Wait()
}

func (p *poller) goodbye() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving = true
	p.start()
	if p.held {
		p.cancel()
	}
}

func (p *poller) cut() {
	p.web.reset()
	p.cancel()
}

func (p *poller) release() {
	p.cancel()
	p.hold()
	p.probe.stop()
	p.web.close()
}
