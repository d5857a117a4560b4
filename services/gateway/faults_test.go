package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func TestWithoutTheLogNothingIsAckedAndNobodyIsDisconnected(t *testing.T) {
	s := logtest.Start(t)
	cfg := gatewaytest.Config(s.URL())
	cfg.Gateway.AppendTimeout = 300 * time.Millisecond
	g := gatewaytest.Start(t, cfg)
	c, viewer := gatewaytest.Connect(t, g.Address, nil), gatewaytest.Connect(t, g.Address, nil)
	send(t, c, "before", c.SocketID+"-0")
	s.Stop()
	gatewaytest.WaitReady(t, g.Address, false)
	short, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if ack, err := c.Send(short, "chat message", "during", c.SocketID+"-1"); err == nil {
		t.Errorf("acked without the log: %+v", ack)
	}
	if status, _ := gatewaytest.Get(g.Address, "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz says %d", status)
	}
	s.Restart()
	gatewaytest.WaitReady(t, g.Address, true)
	deadline := time.Now().Add(gatewaytest.Timeout)
	for {
		retry, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		ack, err := c.Send(retry, "chat message", "during", c.SocketID+"-1")
		cancel()
		if err == nil && ack.OK && ack.Offset == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the retry: %+v, %v", ack, err)
		}
	}
	send(t, c, "after", c.SocketID+"-2")
	for i, content := range []string{"before", "during", "after"} {
		expectMessage(t, viewer, content, uint64(i+1))
	}
	if c.Gone() != nil || viewer.Gone() != nil {
		t.Errorf("disconnected: %v, %v", c.Gone(), viewer.Gone())
	}
}

func TestAFullLogLeavesMessagesUnackedAndDeliversOn(t *testing.T) {
	s := logtest.Start(t)
	cfg := gatewaytest.Config(s.URL())
	cfg.Stream.MaxBytes = 128 << 10
	g := gatewaytest.Start(t, cfg)
	c := gatewaytest.Connect(t, g.Address, nil)
	stored := uint64(0)
	for {
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		ack, err := c.Send(short, "chat message", strings.Repeat("x", 8<<10))
		cancel()
		if err != nil {
			break // not acked: the log is full
		}
		if !ack.OK || ack.Offset != stored+1 {
			t.Fatalf("ack %+v after %d", ack, stored)
		}
		stored = ack.Offset
	}
	late := gatewaytest.Connect(t, g.Address, nil)
	r, err := late.NextRecovery(testContext(t))
	if err != nil || r.Count != stored || stored == 0 || c.Gone() != nil {
		t.Errorf("a newcomer got %d of %d, %v; the sender: %v", r.Count, stored, err, c.Gone())
	}
	if _, page := gatewaytest.Get(g.Address, "/metrics"); !strings.Contains(page, "tidemark_gateway_messages_unanswered_total 1") {
		t.Error("the unanswered message is not counted")
	}
}

func TestAnotherLogUnderTheSameNameResynchronisesClients(t *testing.T) {
	s := logtest.Start(t)
	g := gatewaytest.Start(t, gatewaytest.Config(s.URL()))
	c := gatewaytest.Connect(t, g.Address, nil)
	for range 3 {
		send(t, c, "old")
	}
	old, err := c.NextRecovery(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	js := s.Connect()
	if err := js.DeleteStream(context.Background(), eventlog.StreamName); err != nil {
		t.Fatal(err)
	}
	s.Provision(logtest.Config())
	logtest.Publish(t, js, logtest.Message(t, "general", "new"))
	select {
	case <-c.Done():
		if strings.Contains(c.Gone().Error(), "Socket.IO disconnect") {
			t.Error("the client was told not to come back")
		}
	case <-time.After(gatewaytest.Timeout):
		t.Fatal("the connection to the old log was kept")
	}
	gatewaytest.WaitReady(t, g.Address, true)
	for range 3 { // and it stays ready, though the new log is the shorter one
		<-time.After(time.Second)
		if status, body := gatewaytest.Get(g.Address, "/readyz"); status != http.StatusOK {
			t.Errorf("/readyz: %d %s", status, body)
		}
	}
	again := gatewaytest.Connect(t, g.Address, map[string]any{"serverOffset": 1, "epoch": old.Epoch})
	expectMessage(t, again, "new", 1)
	if r, err := again.NextRecovery(testContext(t)); err != nil || r.Recovered || r.Reason != "epoch_changed" || r.Epoch == old.Epoch {
		t.Errorf("recovery %+v, %v", r, err)
	}
}

// TestWithoutTheReadModelRecentHistoryComesFromTheLog has a tail too small for
// what a client missed, and nobody to ask but the log.
func TestWithoutTheReadModelRecentHistoryComesFromTheLog(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	logtest.Fill(t, js, 2000, func(i int) event.Event { return logtest.Message(t, []string{"general", "other"}[i%2], fmt.Sprint(i+1)) })
	cfg := gatewaytest.Config(s.URL())
	cfg.Gateway.WarmEvents = 100
	g := gatewaytest.Start(t, cfg)
	c := gatewaytest.Connect(t, g.Address, map[string]any{"serverOffset": 10})
	for offset := uint64(11); offset <= 2000; offset += 2 {
		expectMessage(t, c, fmt.Sprint(offset), offset)
	}
	if r, err := c.NextRecovery(testContext(t)); err != nil || !r.Recovered || r.Count != 995 || r.Head != 2000 {
		t.Errorf("recovery %+v, %v", r, err)
	}
}

func TestWhatCannotBeReadCutsTheTransportAndNothingElse(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	logtest.Fill(t, js, 1000, func(i int) event.Event { return logtest.Message(t, "general", fmt.Sprint(i+1)) })
	cfg := gatewaytest.Config(s.URL())
	cfg.Gateway.WarmEvents = 10
	g := gatewaytest.Start(t, cfg)
	live := gatewaytest.Connect(t, g.Address, map[string]any{"serverOffset": "latest"})
	if _, err := live.NextRecovery(testContext(t)); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	c, err := gatewaytest.Dial(testContext(t), g.Address, map[string]any{"serverOffset": 5})
	if refused := (*gatewaytest.ErrRefused)(nil); errors.As(err, &refused) {
		t.Fatalf("refused for good: %v", err)
	}
	if err == nil { // else it was cut before it was even answered
		defer c.Close()
		select {
		case <-c.Done():
			if strings.Contains(c.Gone().Error(), "Socket.IO disconnect") || len(c.TakeEvents()) > 0 {
				t.Errorf("ended with %v", c.Gone())
			}
		case <-time.After(gatewaytest.Timeout):
			t.Fatal("it stayed, past a hole")
		}
	}
	if live.Gone() != nil {
		t.Errorf("a live client was cut too: %v", live.Gone())
	}
}

func TestADeletedLogIsNotReplacedByAnEmptyOne(t *testing.T) {
	s := logtest.Start(t)
	g := gatewaytest.Start(t, gatewaytest.Config(s.URL()))
	c := gatewaytest.Connect(t, g.Address, nil)
	send(t, c, "old")
	js := s.Connect()
	if err := js.DeleteStream(context.Background(), eventlog.StreamName); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Done():
	case <-time.After(gatewaytest.Timeout):
		t.Fatal("the connection to a log that is gone was kept")
	}
	gatewaytest.WaitReady(t, g.Address, false)
	if _, err := js.Stream(context.Background(), eventlog.StreamName); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("the gateway made a new log: %v", err)
	}
}

// TestAReadThatIsNotAnsweredIsNoHole swallows the gateway's reads of the log:
// a client that needs one is cut, and never told that it has everything.
func TestAReadThatIsNotAnsweredIsNoHole(t *testing.T) {
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	logtest.Fill(t, js, 2000, func(i int) event.Event { return logtest.Message(t, "general", fmt.Sprint(i+1)) })
	var swallow atomic.Bool
	cfg := gatewaytest.Config(swallowReads(t, s.URL(), &swallow))
	cfg.Gateway.WarmEvents = 100
	g := gatewaytest.Start(t, cfg)
	swallow.Store(true)
	c, err := gatewaytest.Dial(testContext(t), g.Address, map[string]any{"serverOffset": 10})
	if err == nil {
		defer c.Close()
		if r, err := c.NextRecovery(testContext(t)); err == nil {
			t.Errorf("told to have caught up: %+v", r)
		}
	}
	swallow.Store(false)
	again := gatewaytest.Connect(t, g.Address, map[string]any{"serverOffset": 10})
	for offset := uint64(11); offset <= 2000; offset++ {
		expectMessage(t, again, fmt.Sprint(offset), offset)
	}
}

// swallowReads is a way to the log on which, while swallow is set, reads of the
// log vanish.
func swallowReads(t *testing.T, url string, swallow *atomic.Bool) string {
	return wayTo(t, url, func(client, server net.Conn) {
		go func() { _, _ = io.Copy(client, server); client.Close() }()
		defer server.Close()
		for b := make([]byte, 1<<20); ; {
			n, err := client.Read(b)
			if err != nil {
				return
			}
			if !swallow.Load() || !bytes.Contains(b[:n], []byte("DIRECT.GET")) {
				_, _ = server.Write(b[:n])
			}
		}
	})
}
