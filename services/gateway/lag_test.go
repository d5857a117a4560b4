package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// lagging starts two gateways over one log, with a read model. What the log holds,
// the second one's feed hears of only after a while.
func lagging(t testing.TB, lag time.Duration) (s *logtest.Server, at []string) {
	t.Helper()
	s = logtest.Start(t)
	s.Provision(logtest.Config())
	gatewaytest.ServeReadModel(t, s)
	at = append(at, gatewaytest.Start(t, gatewaytest.Config(s.URL())).Address)
	return s, append(at, gatewaytest.Start(t, gatewaytest.Config(delayFeed(t, s.URL(), lag))).Address)
}

// delayFeed is a way to the log on which what a gateway's feed is sent takes longer.
func delayFeed(t testing.TB, url string, lag time.Duration) string {
	return wayTo(t, url, func(client, server net.Conn) { relay(client, server, lag) })
}

// wayTo is another address of a log, whose connections are carried on by carry.
func wayTo(t testing.TB, url string, carry func(client, server net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", strings.TrimPrefix(url, "nats://"))
			if err != nil {
				client.Close()
				continue
			}
			go carry(client, server)
		}
	}()
	return "nats://" + l.Addr().String()
}

// relay passes on both ways until one side ends. The client says who it is in its
// first words, after the server's.
func relay(client, server net.Conn, lag time.Duration) {
	first := make([]byte, 64<<10)
	n, err := server.Read(first)
	if err == nil {
		_, err = client.Write(first[:n])
	}
	if err == nil {
		n, err = client.Read(first)
	}
	if err == nil {
		_, err = server.Write(first[:n])
	}
	if err != nil || !bytes.Contains(first[:n], []byte("gateway feed")) {
		lag = 0
	}
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	type late struct {
		at   time.Time
		data []byte
	}
	words := make(chan late, 1<<16)
	go func() {
		defer client.Close()
		for w := range words {
			<-time.After(time.Until(w.at))
			if _, err := client.Write(w.data); err != nil {
				server.Close()
			}
		}
	}()
	defer close(words)
	for {
		data := make([]byte, 32<<10)
		n, err := server.Read(data)
		if err != nil {
			return
		}
		words <- late{time.Now().Add(lag), data[:n]}
	}
}

// TestNobodySeesThatAGatewayLags asks a gateway whose feed is late for what the other
// has acked.
func TestNobodySeesThatAGatewayLags(t *testing.T) {
	t.Parallel()
	const lag = 50 * time.Millisecond
	_, at := lagging(t, lag)
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice", "rooms": []string{"r", "late"}})
	bob := gatewaytest.Join(t, at[1], auth{"username": "bob", "rooms": []string{"r"}})
	for i := range 20 {
		ack := privately(t, alice, bob.UserID, fmt.Sprint(i))
		if got := page(t, bob, map[string]any{"with": alice.UserID, "limit": 1}); got.Messages[0].Offset != ack.Offset {
			t.Errorf("round %d: acked at %d, the page ends at %d", i, ack.Offset, got.Messages[0].Offset)
		}
		ack = privately(t, alice, bob.UserID, fmt.Sprint(i))
		again := gatewaytest.Join(t, at[1], auth{"sessionID": bob.SessionID})
		if got := gatewaytest.Offsets(with(t, again, alice.UserID)); got[len(got)-1] != ack.Offset || len(again.Replayed) > 0 {
			t.Errorf("round %d: acked at %d, listed %v, replayed %v", i, ack.Offset, got, again.Replayed)
		}
		again.Close()

		// From ahead: nothing comes again, and nothing is left out, also of a room that
		// is joined there.
		toRoom(t, alice, "late", "before")
		first := toRoom(t, alice, "r", "seen at the other gateway").Offset
		ahead := gatewaytest.Join(t, at[1], auth{"serverOffset": first, "rooms": []string{"r"}})
		if head := enter(t, ahead, "late"); ahead.Recovery.From != first || !ahead.Recovery.Recovered || head < first {
			t.Errorf("round %d: ahead at %d, recovery %+v, joined at %d", i, first, ahead.Recovery, head)
		}
		want := []uint64{toRoom(t, alice, "r", "for all").Offset, toRoom(t, alice, "late", "after").Offset}
		if got, err := ahead.Until(testContext(t), offsetIs(want[1])); err != nil || !slices.Equal(gatewaytest.Offsets(gatewaytest.Posts(got)), want) {
			t.Errorf("round %d: to one who was ahead came %s, %v", i, text(got), err)
		}
		ahead.Close()

		// A new user is known at once, by whoever is told his id.
		newcomer := gatewaytest.Join(t, at[0], auth{"username": fmt.Sprint("newcomer ", i)})
		if ack := privately(t, bob, newcomer.UserID, "welcome"); !ack.OK {
			t.Errorf("round %d, to a new user: %+v", i, ack)
		}
		if e, err := newcomer.Next(testContext(t), "private message"); err != nil || e.Post.Content != "welcome" {
			t.Errorf("round %d: %+v, %v", i, e.Post, err)
		}
	}
}
