package standalone_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// person is somebody with a client that does what official ones and their pages
// do: it comes back by itself, here to the other gateway, with its session, its
// rooms and the offset it has reached, and sends again, under the same key, what
// was not acked.
type person struct {
	t        testing.TB
	name     string // empty: a guest
	gateways []*process
	rooms    []string
	newKey   func(socketID string, n int) string
	stays    bool // does not come back

	cancel context.CancelFunc
	done   chan struct{} // closed when it lives no more

	mu       sync.Mutex
	at       int // the gateway it is on, or tries next
	client   *gatewaytest.Client
	session  string // id, the secret
	id       string // user id
	epoch    string
	last     uint64 // offset
	heard    []heard
	connects int
	online   map[string]bool // users shown as connected, by id
	gone     map[string]int  // how often users were told as disconnected
	keys     int
	sent     []sent
}

// heard is an event as the person got it.
type heard struct {
	gatewaytest.Event
	socket string
	fields fields // of its only argument, if that is an object
}

// fields are those of the events that are not messages.
type fields struct {
	UserID    string `json:"userID"`
	Username  string `json:"username"`
	Room      string `json:"room"`
	NumUsers  int    `json:"numUsers"`
	SessionID string `json:"sessionID"`
	Offset    uint64 `json:"offset"`
	Head      uint64 `json:"head"`
	Epoch     string `json:"epoch"`
	Recovered bool   `json:"recovered"`
}

// sent is a message that was acked.
type sent struct {
	content, socket string
	ack             gatewaytest.Ack
}

// joins makes a person of a deployment who connects to one gateway first. Without
// a name it is a guest.
func (d *deployment) joins(name string, gateway int, rooms ...string) *person {
	return d.comes(&person{name: name, at: gateway, rooms: rooms})
}

// comes has a person connect, and waits until it has caught up.
func (d *deployment) comes(p *person) *person {
	d.t.Helper()
	p.t, p.gateways, p.done = d.t, d.gateways[:], make(chan struct{})
	p.online, p.gone = map[string]bool{}, map[string]int{}
	if p.newKey == nil {
		p.newKey = func(socketID string, n int) string { return socketID + "-" + strconv.Itoa(n) }
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go p.live(ctx)
	d.t.Cleanup(p.leave)
	p.await("recovery")
	return p
}

// leave closes the connection for good.
func (p *person) leave() {
	p.cancel()
	<-p.done
}

func (p *person) live(ctx context.Context) {
	defer close(p.done)
	for ctx.Err() == nil {
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		client, err := gatewaytest.Dial(short, p.next().address, p.auth())
		cancel()
		if refused := (*gatewaytest.ErrRefused)(nil); errors.As(err, &refused) {
			p.t.Errorf("%s: %v", p.name, refused)
			return
		}
		if err == nil {
			p.listen(ctx, client)
		} else {
			pause(ctx)
		}
		if p.stays {
			return
		}
		p.mu.Lock()
		p.at = (p.at + 1) % len(p.gateways)
		p.mu.Unlock()
	}
}

// pause is a moment before the next attempt.
func pause(ctx context.Context) {
	select {
	case <-time.After(20 * time.Millisecond):
	case <-ctx.Done():
	}
}

func (p *person) next() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gateways[p.at]
}

// auth is what pages say when they connect.
func (p *person) auth() map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	auth := map[string]any{"serverOffset": p.last, "rooms": p.rooms}
	if p.epoch != "" {
		auth["epoch"] = p.epoch
	}
	switch {
	case p.session != "":
		auth["sessionID"] = p.session
	case p.name != "":
		auth["username"] = p.name
	}
	return auth
}

// listen takes what comes over one connection, until its end.
func (p *person) listen(ctx context.Context, client *gatewaytest.Client) {
	defer client.Close()
	p.mu.Lock()
	p.client = client
	p.connects++
	p.mu.Unlock()
	for {
		events, err := client.Until(ctx, func(gatewaytest.Event) bool { return true })
		for _, e := range events {
			if err := p.hear(client.SocketID, e); err != nil {
				p.t.Errorf("%s: %s %s: %v", p.name, e.Name, e.Args, err)
			}
		}
		if err != nil {
			if ctx.Err() == nil && !cut(err) {
				p.t.Errorf("%s: %v", p.name, err)
			}
			return
		}
	}
}

// cut reports whether a connection ended as one does whose gateway is killed or
// cuts it, and not because of what came over it.
func cut(err error) bool {
	return errors.As(err, new(*net.OpError)) || errors.As(err, new(*websocket.CloseError)) || errors.Is(err, io.EOF)
}

// hear takes one event as a page does.
func (p *person) hear(socket string, e gatewaytest.Event) (err error) {
	h := heard{Event: e, socket: socket}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Name {
	case "users":
		err = p.hearUsers(e.Args[0])
	case "user disconnected":
		err = json.Unmarshal(e.Args[0], &h.fields.UserID)
		delete(p.online, h.fields.UserID)
		p.gone[h.fields.UserID]++
	case "chat message", "private message", "room message":
		p.last = max(p.last, e.Post.Offset)
	default:
		err = json.Unmarshal(e.Args[0], &h.fields)
	}
	switch f := h.fields; e.Name {
	case "session":
		if p.session == "" {
			p.session, p.id = f.SessionID, f.UserID
		} else if p.session != f.SessionID || p.id != f.UserID {
			err = errors.New("the session is another one")
		}
	case "user connected":
		p.online[f.UserID] = true
	case "watermark":
		p.last = max(p.last, f.Offset)
	case "recovery":
		p.epoch, p.last = f.Epoch, max(p.last, f.Head)
		if !f.Recovered {
			err = errors.Join(err, errors.New("not recovered"))
		}
	}
	p.heard = append(p.heard, h)
	return err
}

func (p *person) hearUsers(list json.RawMessage) error {
	var users []gatewaytest.Listed
	if err := json.Unmarshal(list, &users); err != nil {
		return err
	}
	clear(p.online)
	for _, u := range users {
		if u.Connected {
			p.online[u.UserID] = true
		}
	}
	return nil
}

// await waits for an event that some check holds of, and returns it.
func (p *person) await(name string, checks ...func(heard) bool) (found heard) {
	p.t.Helper()
	eventually(p.t, p.name+" hears "+name, func() bool {
		all := p.all(name, checks...)
		if len(all) > 0 {
			found = all[0]
		}
		return len(all) > 0
	})
	return found
}

// all is every event so far of a name that all checks hold of.
func (p *person) all(name string, checks ...func(heard) bool) (found []heard) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.heard {
		if h.Name == name && !slices.ContainsFunc(checks, func(holds func(heard) bool) bool { return !holds(h) }) {
			found = append(found, h)
		}
	}
	return found
}

// sees reports whether a user is shown as connected.
func (p *person) sees(other *person) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.online[other.id]
}

// toldGone is how often a user was told as disconnected.
func (p *person) toldGone(other *person) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone[other.id]
}

// connected is how often a connection was made.
func (p *person) connected() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connects
}

func (p *person) connection() *gatewaytest.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.client
}

// to is where a message goes: one of them, or neither for "chat message".
type to struct {
	user *person
	room string
}

// ackTimeout is how long a client waits for an ack before it sends again.
const ackTimeout = 2 * time.Second

// says sends a message until it is acked.
func (p *person) says(ctx context.Context, where to, content string) (gatewaytest.Ack, error) {
	p.mu.Lock()
	key := p.newKey(p.client.SocketID, p.keys)
	p.keys++
	p.mu.Unlock()
	for {
		client := p.connection()
		attempt, cancel := context.WithTimeout(ctx, ackTimeout)
		ack, err := p.try(attempt, client, where, content, key)
		cancel()
		if err == nil && ack.OK {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.sent = append(p.sent, sent{content, client.SocketID, ack})
			return ack, nil
		}
		if err == nil || ctx.Err() != nil {
			return ack, fmt.Errorf("%s: %q: ack %+v, %w", p.name, content, ack, err)
		}
		for p.connection() == client && client.Gone() != nil && ctx.Err() == nil {
			<-time.After(2 * time.Millisecond)
		}
	}
}

func (p *person) try(ctx context.Context, client *gatewaytest.Client, where to, content, key string) (gatewaytest.Ack, error) {
	switch {
	case where.user != nil:
		return client.Send(ctx, "private message", map[string]any{"content": content, "to": where.user.id, "clientOffset": key})
	case where.room != "":
		return client.Send(ctx, "room message", map[string]any{"room": where.room, "content": content, "clientOffset": key})
	}
	return client.Send(ctx, "chat message", content, key)
}

// must is says, of a test that cannot go on without.
func (p *person) must(where to, content string) gatewaytest.Ack {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Timeout)
	defer cancel()
	ack, err := p.says(ctx, where, content)
	if err != nil {
		p.t.Fatal(err)
	}
	return ack
}

// Keys as pages make them.

func uuidKey(string, int) string { return uuid.Must(uuid.NewV7()).String() }

func ownKey(prefix string) func(string, int) string {
	return func(_ string, n int) string { return prefix + strconv.Itoa(n) }
}
