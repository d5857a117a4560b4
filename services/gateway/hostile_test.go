package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// TestMessagesOfConnectionsThatEndAtOnceLeaveNothingBehind: their nickname is
// still awaited when they are gone.
func TestMessagesOfConnectionsThatEndAtOnceLeaveNothingBehind(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			c, err := gatewaytest.Dial(testContext(t), g.Address, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if err := c.Emit("new message", fmt.Sprint("message ", i)); err != nil {
				t.Error(err)
			}
			c.Close()
		})
	}
	all.Wait()
	var stacks bytes.Buffer
	for deadline := time.Now().Add(gatewaytest.Timeout); ; <-time.After(10 * time.Millisecond) {
		stacks.Reset()
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		if !strings.Contains(stacks.String(), "nickname") && !strings.Contains(stacks.String(), "whenNamed") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("still there:\n%s", stacks.String())
		}
	}
}

// TestNobodyCanLockAUserOutByWhatHeSendsHim: what one character of content can take
// as JSON is six bytes, and the list of users must still fit.
func TestNobodyCanLockAUserOutByWhatHeSendsHim(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 1)
	victim := gatewaytest.Join(t, at[0], auth{"username": "victim"})
	friend := gatewaytest.Join(t, at[0], auth{"username": "friend"})
	privately(t, friend, victim.UserID, "hello")
	eve := gatewaytest.Join(t, at[0], auth{"username": "eve"})
	for range 20 {
		if ack := privately(t, eve, victim.UserID, strings.Repeat("\x01", 16<<10)); !ack.OK {
			t.Fatalf("%+v", ack)
		}
	}
	again := gatewaytest.Join(t, at[0], auth{"sessionID": victim.SessionID})
	for _, u := range again.Users {
		if u.UserID == friend.UserID && (len(u.Messages) != 1 || u.Messages[0].Content != "hello") {
			t.Errorf("of the friend's messages there are %+v", u.Messages)
		}
		if u.UserID == eve.UserID && len(u.Messages) == 0 {
			t.Error("of eve's messages there are none")
		}
	}
}

// TestAPageOfHistoryFitsWhateverWasSaid and the rest is in the next ones.
func TestAPageOfHistoryFitsWhateverWasSaid(t *testing.T) {
	t.Parallel()
	_, _, at := together(t, 1)
	guest := gatewaytest.Join(t, at[0], auth{"serverOffset": "latest"})
	const total = 30
	for range total {
		if ack, err := guest.Send(testContext(t), "chat message", strings.Repeat("\x01", 16<<10)); err != nil || !ack.OK {
			t.Fatalf("%+v, %v", ack, err)
		}
	}
	for _, way := range []string{"before", "after"} {
		if seen := readOn(t, gatewaytest.Join(t, at[0], auth{"serverOffset": "latest"}), way); seen != total {
			t.Errorf("%s: %d messages of %d", way, seen, total)
		}
	}
}

// readOn reads the history of general from its end, or with "after" its beginning, and
// returns how many messages there are.
func readOn(t testing.TB, reader *gatewaytest.Peer, way string) (seen int) {
	t.Helper()
	place := any(nil)
	if way == "after" {
		place = 0
	}
	for pages := 0; ; pages++ {
		answer, err := reader.Start("history", map[string]any{"room": "general", "limit": 100, way: place})
		if err != nil {
			t.Fatal(err)
		}
		var page []struct {
			OK       bool
			More     bool
			Messages []struct{ Offset uint64 }
		}
		select {
		case raw := <-answer:
			if err := json.Unmarshal(raw.Args, &page); err != nil || !page[0].OK || len(page[0].Messages) == 0 {
				t.Fatalf("%.200s: %v", raw.Args, err)
			}
		case <-reader.Done():
			t.Fatalf("cut after %d pages: %v", pages, reader.Gone())
		}
		messages := page[0].Messages
		seen, place = seen+len(messages), messages[0].Offset
		if way == "after" {
			place = messages[len(messages)-1].Offset
		}
		if !page[0].More {
			return seen
		}
	}
}

// TestReadersOfHistoryDoNotKeepUsersFromConnecting while the read model hangs.
func TestReadersOfHistoryDoNotKeepUsersFromConnecting(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	cfg := gatewaytest.Config(server.URL())
	cfg.Gateway.TailBytes = 64 << 10
	g := gatewaytest.Start(t, cfg)
	guest := gatewaytest.Join(t, g.Address, nil)
	for range 20 { // more than the tail holds
		if ack, err := guest.Send(testContext(t), "chat message", strings.Repeat("x", 10<<10)); err != nil || !ack.OK {
			t.Fatalf("%+v, %v", ack, err)
		}
	}
	hanging := server.Connect().Conn()
	if _, err := hanging.Subscribe("tidemark.query.>", func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if err := hanging.Flush(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		reader := gatewaytest.Join(t, g.Address, auth{"serverOffset": "latest"})
		for range 60 {
			if _, err := reader.Start("history", map[string]any{"room": "general", "before": 3}); err != nil {
				t.Fatal(err)
			}
		}
	}
	gatewaytest.Join(t, g.Address, auth{"username": "ann"}) // within the test's patience
}

// TestAPageOfTheGatewaysOwnMayUseWebSockets whatever other origins are named.
func TestAPageOfTheGatewaysOwnMayUseWebSockets(t *testing.T) {
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.CORSOrigins = []string{"http://localhost:8080"}
	g := gatewaytest.Start(t, cfg)
	for origin, want := range map[string]int{
		"http://" + g.Address: http.StatusSwitchingProtocols, "https://" + g.Address: http.StatusSwitchingProtocols,
		"http://localhost:8080": http.StatusSwitchingProtocols, "http://" + g.Address + "0": http.StatusForbidden,
		"http://evil.example": http.StatusForbidden, "null": http.StatusForbidden,
	} {
		request, err := http.NewRequest(http.MethodGet, "http://"+g.Address+"/socket.io/?EIO=4&transport=websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range map[string]string{
			"Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			request.Header.Set(k, v)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("origin %s: %d, want %d", origin, response.StatusCode, want)
		}
	}
}

// TestABodyThatDoesNotArriveHoldsNothing whatever the method and whoever answers, the library or we.
func TestABodyThatDoesNotArriveHoldsNothing(t *testing.T) {
	t.Parallel()
	cfg := gatewaytest.Config(logtest.Start(t).URL())
	cfg.Gateway.StallTimeout = time.Second
	g := gatewaytest.Start(t, cfg)
	var all sync.WaitGroup
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"} {
		for _, query := range []string{"?EIO=4&transport=polling", "?EIO=4&transport=polling&sid=unknown", "?EIO=3&transport=polling", ""} {
			for _, length := range []string{"Content-Length: 100000\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\n5\r\nx"} {
				all.Go(func() {
					conn, err := net.Dial("tcp", g.Address)
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close()
					_ = conn.SetReadDeadline(time.Now().Add(gatewaytest.Timeout))
					fmt.Fprintf(conn, "%s /socket.io/%s HTTP/1.1\r\nHost: a\r\n%s", method, query, length)
					if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("%s %s %.20s: still open", method, query, length)
					}
				})
			}
		}
	}
	all.Wait()
}
