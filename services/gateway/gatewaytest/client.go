// Package gatewaytest is a Socket.IO client for tests: the raw protocol over
// WebSocket, and nothing of what an official client does by itself, so that a
// test decides when to reconnect, retry or stop reading.
package gatewaytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

// Client is one connection. Its reader goroutine ends with it. It ends by itself
// when it is sent something malformed, or a message whose offset is not above all
// before.
type Client struct {
	SocketID string

	conn   *websocket.Conn
	writes sync.Mutex
	offset uint64 // of the newest message; the reader's

	mu       sync.Mutex
	events   []Event // received and not yet taken
	received int     // events so far
	acks     map[int]chan Answer
	nextID   int
	paused   chan struct{} // closed when reading goes on; nil while it does
	gone     error         // set when the connection is over
	change   chan struct{} // closed and replaced whenever something above changes
	done     chan struct{} // closed when the reader has ended
}

// Event is an event as it came.
type Event struct {
	Name string
	Args []json.RawMessage
	Post *Post // of a message, or nil
}

// Answer is an ack as it came.
type Answer struct {
	Args json.RawMessage // an array
	// After is how many events of the connection had come before it.
	After int
}

// ErrRefused is a connect_error; its text is the server's message.
type ErrRefused struct{ Message string }

func (e *ErrRefused) Error() string { return "connect_error: " + e.Message }

// Dial connects to a gateway at host:port and joins the namespace "/" with an
// auth payload, which may be nil.
func Dial(ctx context.Context, address string, auth any) (*Client, error) {
	conn, response, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+address+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		if response != nil {
			return nil, fmt.Errorf("%w: %s", err, response.Status)
		}
		return nil, err
	}
	c := &Client{conn: conn, acks: map[int]chan Answer{}, change: make(chan struct{}), done: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := c.handshake(auth); err != nil {
		conn.Close()
		return nil, err
	}
	go c.read()
	return c, nil
}

func (c *Client) handshake(auth any) error {
	if _, open, err := c.conn.ReadMessage(); err != nil || !strings.HasPrefix(string(open), "0{") {
		return fmt.Errorf("no handshake: %q, %v", open, err)
	}
	connect := []byte("40")
	if auth != nil {
		body, err := json.Marshal(auth)
		if err != nil {
			return err
		}
		connect = append(connect, body...)
	}
	if err := c.write(connect); err != nil {
		return err
	}
	_, answer, err := c.conn.ReadMessage()
	if err != nil {
		return err
	}
	text := string(answer)
	switch {
	case strings.HasPrefix(text, "40{"):
		var body struct{ SID string }
		err := json.Unmarshal(answer[2:], &body)
		c.SocketID = body.SID
		return err
	case strings.HasPrefix(text, "44{"):
		refused := &ErrRefused{}
		_ = json.Unmarshal(answer[2:], refused)
		return refused
	}
	return fmt.Errorf("unexpected answer to CONNECT: %q", text)
}

func (c *Client) read() {
	defer close(c.done)
	for {
		c.waitWhilePaused()
		_, packet, err := c.conn.ReadMessage()
		if err == nil {
			err = c.packet(packet)
		}
		if err != nil {
			c.update(func() { c.gone = err })
			return
		}
	}
}

// Pause stops reading, after at most one more packet, so that what is sent to the
// client piles up in front of it. Resume goes on.
func (c *Client) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused == nil {
		c.paused = make(chan struct{})
	}
}

// Resume ends a Pause.
func (c *Client) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused != nil {
		close(c.paused)
		c.paused = nil
	}
}

func (c *Client) waitWhilePaused() {
	c.mu.Lock()
	paused := c.paused
	c.mu.Unlock()
	if paused != nil {
		<-paused
	}
}

func (c *Client) packet(packet []byte) error {
	text := string(packet)
	switch {
	case text == "2":
		return c.write([]byte("3"))
	case strings.HasPrefix(text, "42"):
		return c.event(packet)
	case strings.HasPrefix(text, "43"):
		bracket := strings.IndexByte(text, '[')
		id, err := strconv.Atoi(text[2:bracket])
		if err != nil {
			return fmt.Errorf("malformed ack %q", text)
		}
		c.mu.Lock()
		answer, received := c.acks[id], c.received
		delete(c.acks, id)
		c.mu.Unlock()
		if answer == nil {
			return fmt.Errorf("ack %d was not asked for, or came twice", id)
		}
		answer <- Answer{Args: packet[bracket:], After: received}
	case strings.HasPrefix(text, "41"):
		return errors.New("the server sent a Socket.IO disconnect")
	default:
		return fmt.Errorf("unexpected packet %q", text)
	}
	return nil
}

func (c *Client) event(packet []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(packet[2:], &parts); err != nil || len(parts) == 0 {
		return fmt.Errorf("malformed event %q", packet)
	}
	e := Event{Args: parts[1:]}
	err := json.Unmarshal(parts[0], &e.Name)
	if err == nil {
		e.Post, err = parsePost(e)
	}
	if err != nil {
		return err
	}
	if e.Post != nil {
		if e.Post.Offset <= c.offset {
			return fmt.Errorf("after offset %d came %q", c.offset, packet)
		}
		c.offset = e.Post.Offset
	}
	c.update(func() {
		c.events = append(c.events, e)
		c.received++
	})
	return nil
}

func (c *Client) update(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.change)
	c.change = make(chan struct{})
}

func (c *Client) write(packet []byte) error {
	c.writes.Lock()
	defer c.writes.Unlock()
	return c.conn.WriteMessage(websocket.TextMessage, packet)
}

// WriteRaw sends one Engine.IO packet as it is.
func (c *Client) WriteRaw(packet string) error { return c.write([]byte(packet)) }

// Emit sends an event and wants no ack.
func (c *Client) Emit(event string, args ...any) error {
	body, err := json.Marshal(append([]any{event}, args...))
	if err != nil {
		return err
	}
	return c.write(append([]byte("42"), body...))
}

// Start sends an event that wants an ack, and returns where that will come.
func (c *Client) Start(event string, args ...any) (<-chan Answer, error) {
	body, err := json.Marshal(append([]any{event}, args...))
	if err != nil {
		return nil, err
	}
	answer := make(chan Answer, 1)
	c.mu.Lock()
	id := c.nextID
	c.nextID++
	c.acks[id] = answer
	c.mu.Unlock()
	return answer, c.write(append([]byte("42"+strconv.Itoa(id)), body...))
}

// Ask sends an event, waits for its ack and reads the ack's only argument into
// what ack points to. It returns how many events had come before the ack.
func (c *Client) Ask(ctx context.Context, ack any, event string, args ...any) (after int, err error) {
	answer, err := c.Start(event, args...)
	if err != nil {
		return 0, err
	}
	return c.Await(ctx, answer, ack)
}

// Await is the second half of Ask, after Start.
func (c *Client) Await(ctx context.Context, answer <-chan Answer, ack any) (after int, err error) {
	select {
	case a := <-answer:
		return a.After, parseAck(a.Args, ack)
	case <-c.done:
		select {
		case a := <-answer: // it came just before the end
			return a.After, parseAck(a.Args, ack)
		default:
		}
		return 0, fmt.Errorf("connection over before the ack: %w", c.Gone())
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func parseAck(args json.RawMessage, ack any) error {
	var all []json.RawMessage
	if err := json.Unmarshal(args, &all); err != nil || len(all) != 1 {
		return fmt.Errorf("malformed ack %s", args)
	}
	return json.Unmarshal(all[0], ack)
}

// Send sends a message and waits for its ack.
func (c *Client) Send(ctx context.Context, event string, args ...any) (Ack, error) {
	var ack Ack
	_, err := c.Ask(ctx, &ack, event, args...)
	return ack, err
}

// Until takes events up to and including the first of which last is true.
func (c *Client) Until(ctx context.Context, last func(Event) bool) ([]Event, error) {
	var taken []Event
	for {
		c.mu.Lock()
		for len(c.events) > 0 {
			e := c.events[0]
			c.events = c.events[1:]
			taken = append(taken, e)
			if last(e) {
				c.mu.Unlock()
				return taken, nil
			}
		}
		gone, change := c.gone, c.change
		c.mu.Unlock()
		if gone != nil {
			return taken, gone
		}
		select {
		case <-change:
		case <-ctx.Done():
			return taken, ctx.Err()
		}
	}
}

// Next takes the next event of a name, and drops those of other names before it.
func (c *Client) Next(ctx context.Context, name string) (Event, error) {
	events, err := c.Until(ctx, func(e Event) bool { return e.Name == name })
	if err != nil {
		return Event{}, err
	}
	return events[len(events)-1], nil
}

// NextMessage takes the next "chat message".
func (c *Client) NextMessage(ctx context.Context) (Message, error) {
	e, err := c.Next(ctx, "chat message")
	if err != nil {
		return Message{}, err
	}
	return Message{Content: e.Post.Content, Offset: e.Post.Offset, Meta: *e.Post}, nil
}

// NextRecovery takes the "recovery" event.
func (c *Client) NextRecovery(ctx context.Context) (Recovery, error) {
	var r Recovery
	e, err := c.Next(ctx, "recovery")
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(e.Args[0], &r)
}

// TakeEvents returns what came so far and was not taken yet.
func (c *Client) TakeEvents() []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	events := c.events
	c.events = nil
	return events
}

// Gone is why the connection is over, or nil while it is open.
func (c *Client) Gone() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// Done is closed when the connection is over.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close cuts the connection without a goodbye and waits for the reader.
func (c *Client) Close() {
	c.conn.Close()
	c.Resume()
	<-c.done
}
