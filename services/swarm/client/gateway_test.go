package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/services/swarm/client"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// guest is a client at a real gateway, and what it was told.
type guest struct {
	*client.Conn
	told chan []json.RawMessage
}

func enter(t testing.TB, g *gatewaytest.Gateway, transport client.Transport) *guest {
	t.Helper()
	in := &guest{told: make(chan []json.RawMessage, 1000)}
	c, err := client.Dial(testContext(t), client.Options{URL: "http://" + g.Address, Transport: transport,
		Auth: map[string]any{"serverOffset": "latest"},
		Event: func(payload []byte) {
			var event []json.RawMessage
			if err := json.Unmarshal(payload, &event); err != nil {
				t.Errorf("%s: %v", payload, err)
			}
			in.told <- event
		}})
	if err != nil {
		t.Fatal(err)
	}
	in.Conn = c
	t.Cleanup(func() {
		c.Cut()
		<-c.Done()
	})
	in.next(t, "recovery")
	return in
}

// next is the first argument of the next event of a name; others are passed over.
func (g *guest) next(t testing.TB, name string) string {
	t.Helper()
	for {
		select {
		case event := <-g.told:
			if string(event[0]) == `"`+name+`"` {
				return string(event[1])
			}
		case <-g.Done():
			t.Fatal(g.Err())
		case <-time.After(patience):
			t.Fatalf("no %s came", name)
		}
	}
}

// say sends a message and waits until it is stored.
func (g *guest) say(t testing.TB, content string) {
	t.Helper()
	answer := make(chan string, 1)
	if err := g.Ask(client.Payload("chat message", content), func(args []byte) { answer <- string(args) }); err != nil {
		t.Fatal(err)
	}
	select {
	case args := <-answer:
		if !strings.Contains(args, `"ok":true`) {
			t.Errorf("%q: %s", content, args)
		}
	case <-g.Done():
		t.Fatal(g.Err())
	case <-time.After(patience):
		t.Fatal("no ack came")
	}
}

func TestClientsTalkThroughAGateway(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	var all []*guest
	ids := make(map[string]bool)
	for _, transport := range transports {
		in := enter(t, g, transport)
		ids[in.SocketID()] = true
		all = append(all, in)
	}
	if len(ids) != len(transports) || ids[""] {
		t.Errorf("socket ids: %v", ids)
	}
	for round := range 10 {
		for i, speaker := range all {
			content := fmt.Sprint("<", round, i, ">")
			speaker.say(t, content)
			for _, listener := range all {
				if got := listener.next(t, "chat message"); got != `"`+content+`"` {
					t.Fatalf("%s came, and %s was said", got, content)
				}
			}
		}
	}
	for _, in := range all {
		in.Close()
		if err := ended(t, in.Conn); !errors.Is(err, client.ErrClosed) {
			t.Error(err)
		}
	}
}

func TestWhoIsPausedIsToldLater(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	speaker := enter(t, g, client.WebSocket)
	for _, transport := range transports {
		t.Run(string(transport), func(t *testing.T) {
			listener := enter(t, g, transport)
			listener.Pause()
			listener.Pause()
			for i := range 50 {
				speaker.say(t, fmt.Sprint(i))
			}
			if n := len(listener.told); n > 1 {
				t.Errorf("%d events came while it was paused", n)
			}
			listener.Resume()
			for i := range 50 {
				if got := listener.next(t, "chat message"); got != fmt.Sprintf(`"%d"`, i) {
					t.Fatalf("%s came instead of %d", got, i)
				}
			}
			listener.say(t, "at the end")
			listener.next(t, "chat message") // so that the next one does not hear it
		})
	}
}

func TestAGatewayRefuses(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	for _, transport := range transports {
		_, err := client.Dial(testContext(t), client.Options{URL: "http://" + g.Address, Transport: transport, Auth: map[string]string{"username": ""}})
		if refused := new(client.Refused); !errors.As(err, &refused) || refused.Message != "invalid username" {
			t.Errorf("%s: %v", transport, err)
		}
	}
}

func TestAGatewayThatGoesIsALoss(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	var all []*guest
	for _, transport := range transports {
		all = append(all, enter(t, g, transport))
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	for i, in := range all {
		if err := ended(t, in.Conn); !errors.Is(err, client.ErrLost) {
			t.Errorf("%s: %v", transports[i], err)
		}
	}
}

// TestManyComeAndGo: each in a way of its own; TestMain looks for what they leave behind.
func TestManyComeAndGo(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	ways := []func(*client.Conn){(*client.Conn).Close, (*client.Conn).Cut,
		func(c *client.Conn) { c.Pause(); c.Cut() },
		func(c *client.Conn) { c.Pause(); c.Close() },
		func(c *client.Conn) { c.Close(); c.Cut() },
		func(c *client.Conn) { _ = c.Write([]byte("1")) },
		func(c *client.Conn) { _ = c.Write([]byte("41")); c.Close() },
		func(c *client.Conn) { _ = c.Write([]byte("9")); c.Close() },
	}
	var all sync.WaitGroup
	for _, leave := range ways {
		for _, transport := range transports {
			all.Go(func() {
				for range 3 {
					c, err := client.Dial(testContext(t), client.Options{URL: "http://" + g.Address, Transport: transport})
					if err != nil {
						t.Error(err)
						return
					}
					if err := c.Ask(client.Payload("chat message", "hello"), func([]byte) {}); err != nil {
						t.Error(err)
					}
					leave(c)
					if err := ended(t, c); err == nil {
						t.Error("it ended for no reason")
					}
				}
			})
		}
	}
	all.Wait()
}
