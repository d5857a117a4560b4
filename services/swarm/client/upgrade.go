package client

import (
	"context"
	"fmt"
	"sync"
)

// probe asks whether a session can go on over WebSocket, while it goes on over polling.
type probe struct {
	asking sync.WaitGroup
	answer chan *socket // holds one
}

func newProbe() *probe { return &probe{answer: make(chan *socket, 1)} }

func (b *probe) start(p *poller, sid string) {
	b.asking.Go(func() {
		s, err := b.ask(p, sid)
		if err != nil {
			p.fail(fmt.Errorf("upgrade: %w", err))
			return
		}
		b.answer <- s
	})
}

func (b *probe) ask(p *poller, sid string) (*socket, error) {
	s, err := dialSession(p.ctx, p.base, p.header, sid)
	if err != nil {
		return nil, err
	}
	unwatch := context.AfterFunc(p.ctx, s.cut)
	defer unwatch()
	err = s.send([]byte("2probe"), false)
	if err == nil {
		err = s.frame(func(packet []byte) {
			if string(packet) != "3probe" {
				err = violation("unexpected answer to a probe", packet)
			}
		})
	}
	if err != nil {
		s.cut()
		return nil, err
	}
	return s, nil
}

// succeeded is the WebSocket to go on with, once; nil: not yet, or no probe.
func (b *probe) succeeded() *socket {
	if b == nil {
		return nil
	}
	select {
	case s := <-b.answer:
		return s
	default:
		return nil
	}
}

// stop waits for a probe whose context is over.
func (b *probe) stop() {
	if b == nil {
		return
	}
	b.asking.Wait()
	if s := b.succeeded(); s != nil {
		s.cut()
	}
}

// upgrade is called by the reader between two polls: what the server had to say by polling has come. It goes on with the
// WebSocket, and so does what waits to be sent.
func (p *poller) upgrade(c *Conn, s *socket) error {
	p.hold()
	if err := c.change(s, append([][]byte{[]byte("5")}, p.outbox.all()...)); err != nil {
		c.end(err, nil)
		s.cut()
		p.release()
		return err
	}
	p.release()
	c.happened()
	return s.read(c)
}

// change puts another link in the place of the first, and sends what is to go over it before all else.
func (c *Conn) change(to *socket, first [][]byte) error {
	c.writes.Lock()
	defer c.writes.Unlock()
	c.mu.Lock()
	over := c.cause != nil
	if !over {
		c.link = to
	}
	c.mu.Unlock()
	if over { // whoever ended it knows of the old link
		return ErrClosed
	}
	for _, packet := range first {
		if err := to.send(packet, false); err != nil {
			return lost(err)
		}
	}
	return nil
}
