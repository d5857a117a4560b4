package presence

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// node is a Presence that runs until it is stopped, or the test ends.
type node struct {
	*Presence
	t    testing.TB
	nc   *nats.Conn
	stop func()

	mu      sync.Mutex
	changes []string
}

func start(t testing.TB, url string, o Options) *node {
	t.Helper()
	nc, js, err := eventlog.Connect(url, "test", slog.New(slog.DiscardHandler), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, nc: nc}
	if o.Changed == nil {
		o.Changed = n.changed
	}
	n.Presence = New(js, o)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !nc.IsClosed() {
			t.Error(err)
		}
		nc.Close()
	})
	t.Cleanup(n.stop)
	return n
}

// kill ends a gateway as the death of its process would.
func (n *node) kill() {
	n.nc.Close()
	n.stop()
}

func (n *node) changed(c Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changes = append(n.changes, describe(c))
}

func describe(c Change) string {
	sign := "-"
	if c.Online {
		sign = "+"
	}
	name, _, _ := strings.Cut(c.Name, " ")
	return fmt.Sprintf("%s%s %s %d", sign, c.Kind, name, c.Count)
}

// saw asserts all that Changed was told so far.
func (n *node) saw(want ...string) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.changes, want) {
		n.t.Errorf("changes %q, want %q", n.changes, want)
	}
}

// sees waits until exactly these users are online.
func (n *node) sees(want ...Entry) {
	n.t.Helper()
	less := func(a, b Entry) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(want, less)
	var have []Entry
	eventually(n.t, func() string { return fmt.Sprintf("sees %v, want %v", have, want) }, func() bool {
		have = append(n.Online(User), n.Online(Nick)...)
		slices.SortFunc(have, less)
		return slices.Equal(have, want)
	})
}

// knows waits until the view holds this many incarnations beside the own one.
func (n *node) knows(incarnations int) {
	n.t.Helper()
	have := 0
	eventually(n.t, func() string { return fmt.Sprintf("knows %d incarnations, want %d", have, incarnations) }, func() bool {
		n.Presence.mu.Lock()
		defer n.Presence.mu.Unlock()
		have = len(n.view.gateways)
		return have == incarnations
	})
}

// eventually waits until something holds.
func eventually(t testing.TB, what func() string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what())
		}
	}
}

// holds waits until the presence bucket holds this many keys, claims included.
func holds(t testing.TB, js jetstream.JetStream, keys int) {
	t.Helper()
	have := ""
	eventually(t, func() string { return fmt.Sprintf("the bucket holds %s, want %d keys", have, keys) }, func() bool {
		stream, err := js.Stream(ctx, "KV_PRESENCE")
		if err != nil {
			have = err.Error()
			return false
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(">"))
		if err != nil {
			have = err.Error()
			return false
		}
		have = fmt.Sprint(info.State.Subjects)
		return len(info.State.Subjects) == keys
	})
}

// Online is everybody of a kind who is online, in no order.
func (p *Presence) Online(kind Kind) []Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	var entries []Entry
	for id, who := range p.view.online[kind] {
		entries = append(entries, Entry{kind, id, who.name})
	}
	return entries
}
