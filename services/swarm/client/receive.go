package client

import (
	"encoding/json"
	"errors"
	"time"
)

// receive takes a packet that came, on the reader. After the end began it drops it.
func (c *Conn) receive(text []byte) {
	if c.over() {
		return
	}
	p, err := parse(text)
	if err == nil {
		err = c.handle(p, text)
	}
	if err != nil {
		c.stop(err, true)
	}
}

var errServerClosed = lost(errors.New("closed by the server"))

func (c *Conn) handle(p packet, text []byte) error {
	if c.deadline.IsZero() != (p.kind == opening) {
		return violation("handshake not first, or not only once", text)
	}
	switch p.kind {
	case event:
		if c.event != nil {
			c.event(p.body)
		}
	case ack:
		answer, ok := c.acks.take(p.id)
		if !ok {
			return violation("an ack that is not awaited, or came twice", text)
		}
		answer(p.body)
	case ping:
		c.expectPing()
		return c.reply([]byte("3"))
	case opening:
		return c.open(p.body)
	case connected:
		return c.join(p.body)
	case refusal:
		return refused(p.body)
	case disconnected:
		return ErrDisconnected
	case closing:
		return errServerClosed
	}
	return nil
}

// reply sends what the protocol demands. If it cannot be sent, the connection has ended already, or holds more of the
// caller's packets than it ought to.
func (c *Conn) reply(packet []byte) error {
	err := c.send(packet, false)
	if errors.Is(err, ErrBacklog) {
		return lost(err)
	}
	return nil
}

func (c *Conn) open(body []byte) error {
	h, err := parseHandshake(body)
	if err != nil {
		return err
	}
	c.patience = time.Duration(h.PingInterval+h.PingTimeout) * time.Millisecond
	c.expectPing()
	if err := c.current().opened(c, h); err != nil {
		return err
	}
	return c.reply(c.connect)
}

func (c *Conn) join(body []byte) error {
	var joined struct{ SID, PID string }
	if err := json.Unmarshal(body, &joined); err != nil || joined.SID == "" || c.id != "" {
		return violation("malformed or repeated answer to CONNECT", body)
	}
	c.id, c.pid = joined.SID, joined.PID
	c.happened()
	return nil
}

func refused(body []byte) error {
	r := &Refused{}
	if err := json.Unmarshal(body, r); err != nil {
		return violation("malformed connect_error", body)
	}
	return r
}

// happened counts one of the things that Dial waits for.
func (c *Conn) happened() {
	if c.awaited--; c.awaited == 0 {
		close(c.ready)
	}
}

// pass waits while the connection is paused. The time in which nothing was read does not count.
func (c *Conn) pass() {
	if c.gate.pass(c.ending) && !c.deadline.IsZero() {
		c.expectPing()
	}
}

func (c *Conn) expectPing() { c.deadline = time.Now().Add(c.patience) }
