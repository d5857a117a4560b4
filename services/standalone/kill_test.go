package standalone_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// TestKilledInTheMiddleOfTrafficNothingAckedIsLostOrDoubled kills a standalone
// ten times while people type. They retry, under the same key, until acked.
// Then the log, the read model and what everyone received are compared.
func TestKilledInTheMiddleOfTrafficNothingAckedIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	const kills, senders, viewers = 10, 4, 3
	p := newStandalone(t)
	p.start()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	typing, stopTyping := context.WithCancel(ctx)

	acked := make([]map[string]uint64, senders) // content to offset
	var sending sync.WaitGroup
	for i := range senders {
		acked[i] = map[string]uint64{}
		sending.Go(func() { typeUntil(t, typing, ctx, p.address, fmt.Sprint("sender", i), acked[i]) })
	}
	received := make([]*viewer, viewers)
	var viewing sync.WaitGroup
	for i := range viewers {
		received[i] = &viewer{target: make(chan uint64, 1)}
		viewing.Go(func() { received[i].follow(t, ctx, p.address) })
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range kills {
		<-time.After(time.Duration(100+rng.IntN(500)) * time.Millisecond)
		p.kill()
		p.start()
	}
	stopTyping()
	sending.Wait()
	all := map[string]uint64{}
	last := uint64(0)
	for _, a := range acked {
		for content, offset := range a {
			all[content] = offset
			last = max(last, offset)
		}
	}
	for _, v := range received {
		v.target <- last
	}
	viewing.Wait()
	waitProjected(t, p.persister, last) // every message was acked: the last ack is the log's end
	p.stop()

	events := readLog(t, p.dir)
	for i, v := range received {
		if !slices.Equal(v.contents, events[:min(len(events), len(v.contents))]) {
			t.Errorf("viewer %d received %d messages that are not the log's first", i, len(v.contents))
		}
	}
	seen := map[string]int{}
	for i, content := range events {
		seen[content]++
		if offset, ok := all[content]; ok && offset != uint64(i+1) {
			t.Errorf("%q is at %d, its ack said %d", content, i+1, offset)
		}
	}
	for content := range all {
		if seen[content] != 1 {
			t.Errorf("%q was acked and is in the log %d times", content, seen[content])
		}
	}
	for content, n := range seen {
		if n != 1 {
			t.Errorf("%q is in the log %d times", content, n)
		}
	}
	t.Logf("%d messages, %d acked, through %d kills", len(events), len(all), kills)

	database := filepath.Join(p.dir, "tidemark.db")
	tables := dump(t, database)
	if rows := tables["messages"]; len(rows) != len(events) {
		t.Errorf("the read model has %d rows, the log %d events", len(rows), len(events))
	}
	deleteDatabase(t, database)
	p.start()
	waitProjected(t, p.persister, last)
	p.stop()
	sameTables(t, tables, dump(t, database))
}

// typeUntil sends one message after another until typing ends, each again and
// again under its key until it is acked.
func typeUntil(t *testing.T, typing, ctx context.Context, address, name string, acked map[string]uint64) {
	var c *gatewaytest.Client
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	connected := func() bool {
		for c == nil || c.Gone() != nil {
			if ctx.Err() != nil {
				t.Errorf("%s: not connected in time", name)
				return false
			}
			var err error
			if c, err = gatewaytest.Dial(ctx, address, map[string]any{"serverOffset": "latest"}); err != nil {
				c = nil
				<-time.After(20 * time.Millisecond)
			}
		}
		return true
	}
	for n := 0; typing.Err() == nil; n++ {
		if !connected() {
			return
		}
		content, key := fmt.Sprint(name, " ", n), fmt.Sprintf("%s-%d", c.SocketID, n)
		for {
			attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
			ack, err := c.Send(attempt, "chat message", content, key)
			cancel()
			if err == nil && ack.OK {
				acked[content] = ack.Offset
				break
			}
			if err == nil || ctx.Err() != nil {
				t.Errorf("%s: ack %+v, %v", content, ack, err)
				return
			}
			if !connected() {
				return
			}
		}
	}
}

// viewer is someone who only reads, and comes back with the last offset received.
type viewer struct {
	target   chan uint64 // where to stop, once known
	contents []string
}

func (v *viewer) follow(t *testing.T, ctx context.Context, address string) {
	last, target := uint64(0), uint64(1<<62)
	for last < target {
		c, err := gatewaytest.Dial(ctx, address, map[string]any{"serverOffset": last})
		if ctx.Err() != nil {
			t.Errorf("a viewer is at %d of %d when time is up", last, target)
			return
		}
		for err == nil && last < target {
			var m gatewaytest.Message
			short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			m, err = c.NextMessage(short)
			cancel()
			select {
			case target = <-v.target:
			default:
			}
			if err != nil && short.Err() != nil && ctx.Err() == nil && c.Gone() == nil {
				err = nil
				continue
			}
			if err == nil {
				if m.Offset != last+1 {
					t.Errorf("a viewer received %d after %d", m.Offset, last)
				}
				last = m.Offset
				v.contents = append(v.contents, m.Content)
			}
		}
		if c != nil {
			c.Close()
		}
	}
}

// readLog reads every event's content, in order, from the files of a log.
func readLog(t *testing.T, dir string) (contents []string) {
	t.Helper()
	server, err := embedded.Start(embedded.Config{Dir: filepath.Join(dir, "nats")})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	nc, js, err := eventlog.Connect("", "test", slog.New(slog.DiscardHandler), server.InProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	log := eventlog.Open(js)
	state, err := log.State(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for offset := uint64(1); offset <= state.Last; offset++ {
		e, err := log.Get(context.Background(), offset)
		if err != nil {
			t.Fatalf("offset %d: %v", offset, err)
		}
		contents = append(contents, e.Content)
	}
	return contents
}

// waitProjected waits until the read model has reached an offset.
func waitProjected(t testing.TB, address string, offset uint64) {
	t.Helper()
	deadline := time.Now().Add(gatewaytest.Timeout)
	for {
		var status struct{ Checkpoint uint64 }
		_, body := gatewaytest.Get(address, "/readyz")
		if json.Unmarshal([]byte(body), &status) == nil && status.Checkpoint >= offset {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the persister still says %s, want checkpoint %d", body, offset)
		}
		<-time.After(10 * time.Millisecond)
	}
}
