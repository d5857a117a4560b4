package standalone_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/loopback"
)

// deployment is Tidemark apart: a log, a persister and two gateways, each a
// process.
type deployment struct {
	t         testing.TB
	dir       string // of the read model
	log       *process
	logURL    string
	persister *process
	gateways  [2]*process
}

// shortLease is for the tests that do not wait as long as by the defaults.
const (
	lease      = time.Second
	shortLease = "TIDEMARK_GATEWAY_PRESENCE_LEASE=1s"
)

// deploy starts a deployment with some settings of the gateways.
func deploy(t testing.TB, settings ...string) *deployment {
	t.Helper()
	d := prepare(t, settings...)
	d.startLog()
	all := append(d.gateways[:], d.persister)
	for _, p := range all {
		p.spawn()
	}
	for _, p := range all {
		p.waitReady()
	}
	return d
}

// prepare is deploy without a start.
func prepare(t testing.TB, settings ...string) *deployment {
	t.Helper()
	logAddress, persister := loopback.Address(), loopback.Address()
	d := &deployment{t: t, dir: t.TempDir(), logURL: "nats://" + logAddress}
	url := "TIDEMARK_NATS_URL=" + d.logURL
	d.log = newProcess(t, "log", "", "TIDEMARK_DATA_DIR="+t.TempDir(), "TIDEMARK_NATS_LISTEN="+logAddress)
	d.persister = newProcess(t, "persister", persister, url, "TIDEMARK_DATA_DIR="+d.dir, "TIDEMARK_PERSISTER_LISTEN="+persister)
	for i := range d.gateways {
		address := loopback.Address()
		d.gateways[i] = newProcess(t, "gateway", address,
			append([]string{url, "TIDEMARK_GATEWAY_LISTEN=" + address, "TIDEMARK_GATEWAY_RATE_LIMIT=off"}, settings...)...)
	}
	return d
}

// startLog starts the log and waits until it takes connections.
func (d *deployment) startLog() {
	d.t.Helper()
	d.log.spawn()
	eventually(d.t, "the log takes connections", func() bool {
		conn, err := net.Dial("tcp", d.logURL[len("nats://"):])
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func (d *deployment) database() string { return filepath.Join(d.dir, "tidemark.db") }

// events is all that the log holds, the first at offset 1.
func (d *deployment) events() (events []event.Event) {
	d.t.Helper()
	nc, js, err := eventlog.Connect(d.logURL, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		d.t.Fatal(err)
	}
	defer nc.Close()
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Timeout)
	defer cancel()
	stream, err := js.Stream(ctx, eventlog.StreamName)
	if err != nil {
		d.t.Fatal(err)
	}
	consumer, err := js.OrderedConsumer(ctx, eventlog.StreamName, jetstream.OrderedConsumerConfig{})
	if err != nil {
		d.t.Fatal(err)
	}
	all, err := consumer.Messages()
	if err != nil {
		d.t.Fatal(err)
	}
	defer all.Stop()
	for uint64(len(events)) < stream.CachedInfo().State.LastSeq {
		events = append(events, d.next(ctx, all, uint64(len(events))+1))
	}
	return events
}

// next is the event of the log at an offset.
func (d *deployment) next(ctx context.Context, all jetstream.MessagesContext, offset uint64) event.Event {
	d.t.Helper()
	m, err := all.Next(jetstream.NextContext(ctx))
	if err != nil {
		d.t.Fatal(err)
	}
	meta, err := m.Metadata()
	if err != nil || meta.Sequence.Stream != offset {
		d.t.Fatalf("want offset %d: %+v, %v", offset, meta, err)
	}
	e, err := event.Decode(offset, meta.Timestamp, m.Subject(), m.Headers(), m.Data())
	if err != nil {
		d.t.Fatal(err)
	}
	return e
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(gatewaytest.Timeout)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
