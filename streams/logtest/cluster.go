package logtest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// Cluster starts three servers that replicate to each other, stops them with the test, and returns a connection to the
// first, and its URL. What is only so with replicas shows here: a server delivers what the others have confirmed.
func Cluster(t testing.TB) (jetstream.JetStream, string) {
	t.Helper()
	ports := freePorts(t, 3)
	var routes []*url.URL
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: fmt.Sprint("127.0.0.1:", port)})
	}
	var all []*server.Server
	t.Cleanup(func() {
		for _, ns := range all {
			ns.Shutdown()
		}
		for _, ns := range all {
			ns.WaitForShutdown()
		}
	})
	for i, port := range ports {
		ns, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("log-", i+1), Host: "127.0.0.1", Port: server.RANDOM_PORT,
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 40, NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "log", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ns)
		ns.Start()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	nc, js, err := eventlog.Connect(all[0].ClientURL(), "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	config := Config()
	config.Replicas = 3
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for { // until the cluster has found its leader; before that nobody answers
		attempt, done := context.WithTimeout(ctx, time.Second)
		err := eventlog.Provision(attempt, js, config, slog.New(slog.DiscardHandler))
		done()
		if err == nil {
			return js, all[0].ClientURL()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the cluster has made no log: ", err)
		}
	}
}

func freePorts(t testing.TB, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }() // all at once, so that they differ
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
