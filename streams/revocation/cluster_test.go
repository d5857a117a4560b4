package revocation_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/revocation"
)

// TestAGatewayThatIsCutOffWithOneServerLetsNobodyIn takes two servers of three away, as
// a network that is parted does. The one that is left goes on to show that it lives.
func TestAGatewayThatIsCutOffWithOneServerLetsNobodyIn(t *testing.T) {
	for what, leads := range map[string]bool{"with the leader": true, "with another": false} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			all, stream := cluster(t)
			list, left := withItsWatch(t, all, stream, leads)
			for _, s := range all {
				if s != left {
					s.Shutdown()
				}
			}
			began := time.Now()
			revokedSince(t, list, revocation.Target{User: "ann"}, func(_ time.Time, err error) bool { return fault.Is(err, fault.Temporary) })
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("it answered for %v", took)
			}
		})
	}
}

// withItsWatch follows by a server that leads the bucket, or not, and has the watch too:
// which server gets it is nats-server's choice, so this asks until it does.
func withItsWatch(t *testing.T, all []*server.Server, stream jetstream.Stream, leads bool) (*revocation.List, *server.Server) {
	t.Helper()
	for range 50 {
		info, err := stream.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var near *server.Server
		for _, s := range all {
			if (s.Name() == info.Cluster.Leader) == leads {
				near = s
			}
		}
		list := revocation.Open(reach(t, near), revocation.Options{Mode: provision.Check})
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- list.Run(running) }()
		end := func() { stop(); <-ended }
		revokedSince(t, list, revocation.Target{User: "ann"}, func(_ time.Time, err error) bool { return err == nil })
		on := ""
		for c := range stream.ListConsumers(ctx).Info() {
			on = c.Cluster.Leader
			if on != near.Name() {
				_ = stream.DeleteConsumer(ctx, c.Name)
			}
		}
		if on == near.Name() {
			t.Cleanup(end)
			return list, near
		}
		end()
	}
	t.Fatal("the watch was never on that server")
	return nil, nil
}

func reach(t *testing.T, s *server.Server) jetstream.JetStream {
	t.Helper()
	nc, js, err := eventlog.Connect(s.ClientURL(), "test", slog.New(slog.DiscardHandler), nats.IgnoreDiscoveredServers())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return js
}

// cluster is three servers with the bucket on all of them.
func cluster(t *testing.T) (all []*server.Server, stream jetstream.Stream) {
	t.Helper()
	all = logtest.Servers(t)
	js := reach(t, all[0])
	logtest.Eventually(t, "there is a bucket", func(ctx context.Context) (err error) {
		stream, _, err = revocation.Bucket(3).Ensure(ctx, js, provision.Make)
		return err
	})
	return all, stream
}
