package logtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/loopback"
)

// Servers starts three servers that replicate to each other, and stops them with the test. They hold nothing.
func Servers(t testing.TB) (all []*server.Server) {
	t.Helper()
	var routes []*url.URL
	var dirs []string
	for range 3 {
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: loopback.Address()})
		dirs = append(dirs, t.TempDir())
	}
	t.Cleanup(func() { // before the directories are removed, and all together, so that none waits for the others
		for _, ns := range all {
			ns.Shutdown()
		}
		for _, ns := range all {
			ns.WaitForShutdown()
		}
	})
	for i, route := range routes {
		port, err := strconv.Atoi(route.Port())
		if err != nil {
			t.Fatal(err)
		}
		ns, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("log-", i+1), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: dirs[i], JetStreamMaxStore: 1 << 40, JetStreamMaxMemory: 1 << 30,
			Cluster: server.ClusterOpts{Name: "log", Host: route.Hostname(), Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ns)
		ns.Start()
	}
	Eventually(t, "the cluster has found its leader", func(context.Context) error { // nobody answers before
		if slices.ContainsFunc(all, leadsAll) {
			return nil
		}
		return errors.New("nobody leads all three")
	})
	return all
}

// clusterWait is for what three servers do together: they share two processors with other tests.
const clusterWait = time.Minute

func leadsAll(ns *server.Server) bool {
	return ns.JetStreamIsLeader() && len(ns.JetStreamClusterPeers()) == 3
}

// Cluster starts three servers with a log on each of them, and returns a connection to the first, and its URL. What is
// only so with replicas shows here: a server delivers what the others have confirmed.
func Cluster(t testing.TB) (jetstream.JetStream, string) {
	t.Helper()
	address := Servers(t)[0].ClientURL()
	nc, js, err := eventlog.Connect(address, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	config := Config()
	config.Replicas = 3
	Eventually(t, "the cluster makes a log", func(ctx context.Context) error {
		return eventlog.Provision(ctx, js, config, slog.New(slog.DiscardHandler))
	})
	return js, address
}

// Eventually repeats what a cluster answers when it is ready for it.
func Eventually(t testing.TB, what string, ask func(ctx context.Context) error) {
	t.Helper()
	for deadline := time.Now().Add(clusterWait); ; <-time.After(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), clusterWait/6)
		err := ask(ctx)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s: %v", clusterWait, what, err)
		}
	}
}
