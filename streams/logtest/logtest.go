// Package logtest gives tests a real log: an embedded nats-server with a
// provisioned stream in a directory of the test's own.
package logtest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/tidemark-chat/tidemark/streams/embedded"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/loopback"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Config is a log of one replica, 64 MiB and the usual window.
func Config() eventlog.Config {
	return eventlog.Config{Replicas: 1, MaxBytes: 64 << 20, DedupWindow: 2 * time.Hour}
}

// Server is a nats-server that a test can stop and start again on its files.
type Server struct {
	t      testing.TB
	config embedded.Config
	server *embedded.Server
}

// Start starts a server that listens on a free port, and stops it with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, config: embedded.Config{Dir: t.TempDir(), Listen: loopback.Address()}}
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// Stop stops the server, if it runs.
func (s *Server) Stop() {
	if s.server != nil {
		s.server.Stop()
		s.server = nil
	}
}

// Restart starts the server again, on the same files and the same port.
func (s *Server) Restart() {
	s.t.Helper()
	server, err := embedded.Start(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = server
	s.config.Listen = server.URL()[len("nats://"):]
}

// URL is where the server listens, also while it is stopped.
func (s *Server) URL() string { return "nats://" + s.config.Listen }

// Connect makes a connection that is closed with the test.
func (s *Server) Connect() jetstream.JetStream {
	s.t.Helper()
	nc, js, err := eventlog.Connect(s.URL(), "test", slog.New(slog.DiscardHandler), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	return js
}

// Provision makes the log.
func (s *Server) Provision(config eventlog.Config) jetstream.JetStream {
	s.t.Helper()
	js := s.Connect()
	if err := eventlog.Provision(context.Background(), js, config, slog.New(slog.DiscardHandler)); err != nil {
		s.t.Fatal(err)
	}
	return js
}

// Message is a sealed guest's message to a room, without a key.
func Message(t testing.TB, room, content string) event.Event {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	e := event.NewPosted(id.String(), subject.Conversation{Kind: subject.Room, Name: room}, content)
	e.Seal()
	return e
}

// Keyed is a sealed guest's message to a room with an idempotency key.
func Keyed(t testing.TB, room, content, key string) event.Event {
	t.Helper()
	e := Message(t, room, content)
	e.Scope, e.Key = event.Scope("guest", e.Conversation), key
	e.Seal()
	return e
}

// Publish stores events one by one and returns the last one's offset.
func Publish(t testing.TB, js jetstream.JetStream, events ...event.Event) uint64 {
	t.Helper()
	var last uint64
	for i := range events {
		ack, err := js.PublishMsg(context.Background(), events[i].Encode())
		if err != nil {
			t.Fatal(err)
		}
		last = ack.Sequence
	}
	return last
}

// Fill stores many events quickly, in atomic batches, and returns the last
// one's offset. next makes the event of each index.
func Fill(t testing.TB, js jetstream.JetStream, n int, next func(i int) event.Event) uint64 {
	t.Helper()
	const batch = 500
	var last uint64
	for from := 0; from < n; from += batch {
		var msgs []*nats.Msg
		for i := from; i < min(n, from+batch); i++ {
			e := next(i)
			msgs = append(msgs, e.Encode())
		}
		ack, err := jetstreamext.PublishMsgBatch(context.Background(), js, msgs)
		if err != nil {
			t.Fatal(err)
		}
		last = ack.Sequence
	}
	return last
}
