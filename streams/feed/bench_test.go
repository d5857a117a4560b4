//go:build unix

package feed_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// BenchmarkFollow is what it costs to follow a log as it grows: the processor time
// of an event, of the server, the feeds and who publishes together, who is in this
// process too. With no feeds it is what the rest costs. Batches of 100 events of 200
// bytes, the next one when all feeds have the one before.
func BenchmarkFollow(b *testing.B) {
	for _, kind := range []struct {
		name      string
		republish bool
		newFeed   func(jetstream.JetStream) feed.Feed
	}{{"ordered", false, newOrdered}, {"republish", true, newRepublish}} {
		for _, feeds := range []int{0, 4, 16, 64} {
			b.Run(fmt.Sprintf("%s/feeds=%d", kind.name, feeds), func(b *testing.B) {
				config := logtest.Config()
				config.MaxBytes, config.Republish = 8<<30, kind.republish
				s := logtest.Start(b)
				js := s.Provision(config)
				ctx, cancel := context.WithCancel(context.Background())
				var running sync.WaitGroup
				reached := make([]atomic.Uint64, feeds)
				for i := range reached {
					f := kind.newFeed(s.Connect())
					running.Go(func() { _ = f.Run(ctx, 0, func(r feed.Record) { reached[i].Store(r.Event.Offset) }) })
				}
				defer func() { cancel(); running.Wait() }()
				e := logtest.Message(b, "general", strings.Repeat("x", 200))
				publish := func(n int) {
					last := logtest.Fill(b, js, n, func(int) event.Event { return e })
					for i := range reached {
						for reached[i].Load() < last {
							<-time.After(100 * time.Microsecond)
						}
					}
				}
				publish(100) // all of them follow
				b.ResetTimer()
				before := processorTime(b)
				for n := 0; n < b.N; n += 100 {
					publish(min(100, b.N-n))
				}
				b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/event")
			})
		}
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
