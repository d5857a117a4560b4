package feed_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/permissions"
	"github.com/tidemark-chat/tidemark/streams/permissions/permissionstest"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

const room = "0.room.ngeneral"

// TestWhatOthersHaveSentToTheFeedIsPassedOver tries what somebody with a gateway's
// password can have the server send to those who follow: deliveries of events that
// say they are others, and answers.
func TestWhatOthersHaveSentToTheFeedIsPassedOver(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{Republish: true})
	cfg := config.Default()
	cfg.Stream.Republish = true
	if _, err := layout.Ensure(t.Context(), s.Connect(eventlog.Provisioner), cfg, provision.Reshape); err != nil {
		t.Fatal(err)
	}
	said := &said{}
	records, ended := follow(t, feed.NewRepublish(s.Connect(eventlog.Gateway), slog.New(slog.NewTextHandler(said, nil))), 0)
	js := s.Connect(eventlog.Gateway)
	logtest.Publish(t, js, logtest.Message(t, "general", "1"))
	expect(t, records, 1, 1)

	boast := logtest.Message(t, "general", "2")
	m := boast.Encode()
	for name, value := range boasts(3) {
		m.Header.Set(name, value)
	}
	if _, err := js.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	expect(t, records, 2, 2)
	deliver(t, js, s.Connect(permissionstest.Root), 2)
	answer := func(subject, body string) {
		if err := js.Conn().PublishRequest(subject, "feed."+room, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	answer("$JS.API.STREAM.INFO.CHAT", "")
	answer("$JS.API.DIRECT.GET.CHAT", `{"seq":100}`)
	answer("$JS.API.DIRECT.GET.CHAT", `{"seq":2}`)
	answer("$JS.API.DIRECT.GET.CHAT", `{"seq":2,"no_hdr":true}`)
	answer("$JS.API.CONSUMER.MSG.NEXT.CHAT.none", `{}`)
	if _, err := js.Stream(t.Context(), eventlog.StreamName); err != nil {
		t.Fatal(err)
	}
	logtest.Publish(t, js, logtest.Message(t, "general", "3"))
	expect(t, records, 3, 3)

	hidden := logtest.Message(t, "general", "4")
	hide(t, s.URL(eventlog.Gateway), hidden.Encode(), boasts(4))
	if r := next(t, records); r.Event.Offset != 4 || r.Event.At.Year() < 2020 {
		t.Errorf("got %+v", r)
	}
	logtest.Publish(t, js, logtest.Message(t, "general", "5"))
	expect(t, records, 5, 5)
	select {
	case err := <-ended:
		t.Error("ended with", err)
	default:
	}
	if log := said.String(); strings.Contains(log, "interrupted") || strings.Count(log, "is not the log's") != 1 {
		t.Error(log)
	}
}

// boasts are headers that the log's server sets, with another time.
func boasts(offset uint64) map[string]string {
	return map[string]string{
		"Nats-Stream": eventlog.StreamName, "Nats-Subject": "chat." + room, "Nats-Sequence": fmt.Sprint(offset),
		"Nats-Time-Stamp": "2001-02-03T04:05:06Z",
	}
}

// deliver has an event delivered to those who follow, and waits until it was. The
// server wants somebody who listens to exactly that subject.
func deliver(t *testing.T, js, root jetstream.JetStream, offset uint64) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"stream_name": eventlog.StreamName, "config": map[string]any{
		"name": "own", "deliver_subject": "feed." + room, "deliver_policy": "by_start_sequence", "opt_start_seq": offset,
		"ack_policy": "none", "idle_heartbeat": 100 * time.Millisecond,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Conn().SubscribeSync("feed." + room); err != nil {
		t.Fatal(err)
	}
	answer, err := js.Conn().RequestWithContext(t.Context(), "$JS.API.CONSUMER.CREATE.CHAT.own", body)
	if err != nil || bytes.Contains(answer.Data, []byte(`"error"`)) {
		t.Fatal(err, answer)
	}
	for deadline := time.Now().Add(40 * time.Second); ; <-time.After(5 * time.Millisecond) {
		consumer, err := root.PushConsumer(t.Context(), eventlog.StreamName, "own")
		if err != nil {
			t.Fatal(err)
		}
		if consumer.CachedInfo().Delivered.Stream >= offset {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was delivered")
		}
	}
}

// hide stores a message with other headers behind its own and an empty line, so that
// what the server adds is not found.
func hide(t *testing.T, address string, m *nats.Msg, headers map[string]string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	block := "NATS/1.0\r\n"
	for name, values := range m.Header {
		block += name + ": " + values[0] + "\r\n"
	}
	for name, value := range headers {
		block += name + ": " + value + "\r\n"
	}
	block += "\r\nbehind: it\r\n\r\n"
	password, _ := u.User.Password()
	fmt.Fprintf(conn, "CONNECT {\"verbose\":false,\"headers\":true,\"user\":%q,\"pass\":%q}\r\nHPUB %s %d %d\r\n%s%s\r\nPING\r\n",
		u.User.Username(), password, m.Subject, len(block), len(block)+len(m.Data), block, m.Data)
	for lines := bufio.NewScanner(conn); lines.Scan() && lines.Text() != "PONG"; {
		if strings.HasPrefix(lines.Text(), "-ERR") {
			t.Fatal(lines.Text())
		}
	}
}

// said is what a feed has logged.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
