package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
)

// TestAllThatIsSentComesWhole: from many goroutines, and larger than any buffer.
func TestAllThatIsSentComesWhole(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		all := make(chan struct{})
		var mu sync.Mutex
		missing := make(map[string]bool)
		f := newFake(t, func(s *session, text string) {
			welcome(s, text)
			mu.Lock()
			defer mu.Unlock()
			if delete(missing, text); len(missing) == 0 {
				close(all)
			}
		})
		large := strings.Repeat("l", 80_000)
		for i := range 8 {
			for j := range 10 {
				missing[fmt.Sprintf(`42["%d-%d%s"]`, i, j, large[:i*10_000])] = true
			}
		}
		c := dial(t, f, transport, nil)
		var senders sync.WaitGroup
		for i := range 8 {
			senders.Go(func() {
				for j := range 10 {
					if err := c.Emit(fmt.Appendf(nil, `["%d-%d%s"]`, i, j, large[:i*10_000])); err != nil {
						t.Error(err)
					}
				}
			})
		}
		senders.Wait()
		select {
		case <-all:
		case <-time.After(patience):
			mu.Lock()
			defer mu.Unlock()
			t.Fatalf("%d did not come", len(missing))
		}
	})
}

// TestLargeEventsComeWhole up to the limit, and no further.
func TestLargeEventsComeWhole(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		large := []byte(`["` + strings.Repeat("l", 1<<20) + `"]`)
		f := newFake(t, func(s *session, text string) {
			welcome(s, text)
			switch text {
			case `42["large"]`:
				s.send("42" + string(large))
			case `42["too large"]`:
				s.send(`42["` + strings.Repeat("l", client.MaxFrame) + `"]`)
			}
		})
		came := make(chan bool, 10)
		c := dial(t, f, transport, func(payload []byte) { came <- bytes.Equal(payload, large) })
		if err := c.Emit([]byte(`["large"]`)); err != nil {
			t.Fatal(err)
		}
		select {
		case whole := <-came:
			if !whole {
				t.Error("it came changed")
			}
		case <-time.After(patience):
			t.Fatal("it did not come")
		}
		if err := c.Emit([]byte(`["too large"]`)); err != nil {
			t.Fatal(err)
		}
		if err := ended(t, c); !errors.As(err, new(*client.Violation)) {
			t.Error(err)
		}
	})
}

func TestRawPacketsGoAsTheyAre(t *testing.T) {
	for transport, want := range map[client.Transport][]string{
		client.WebSocket: {"websocket 4nonsense", "websocket binary 0102"},
		client.Polling:   {"polling text/plain;charset=UTF-8 4nonsense", "polling text/plain;charset=UTF-8 bAQI="},
	} {
		f := newFake(t, nil)
		c := dial(t, f, transport, nil)
		if err := errors.Join(c.Write([]byte("4nonsense")), c.WriteBinary([]byte{1, 2})); err != nil {
			t.Fatal(err)
		}
		c.Close()
		_ = ended(t, c)
		notes := f.notes()
		if i := slices.Index(notes, want[0]); i < 0 || notes[i+1] != want[1] {
			t.Errorf("it said %q", notes)
		}
	}
}

func TestOnlyArraysAreEvents(t *testing.T) {
	c := dial(t, newFake(t, nil), client.WebSocket, nil)
	for _, payload := range []string{"", "[", `{"a":1}`, "null"} {
		if err := c.Emit([]byte(payload)); err == nil {
			t.Errorf("%q was sent", payload)
		}
	}
	if err := c.Emit(client.Payload("a", func() {})); err == nil {
		t.Error("what is no JSON was sent")
	}
}
