package delivery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/feed"
)

// discard is an outlet that takes everything and signals a recovery.
type discard struct{ told chan struct{} }

func (d discard) Send(frames ...transport.Frame) int {
	for _, f := range frames {
		if string(f.Text()[3:11]) == "recovery" {
			d.told <- struct{}{}
		}
	}
	return len(frames)
}
func (discard) OnDrain(func()) {}
func (discard) Time(time.Time) {}
func (discard) Close()         {}

// BenchmarkCatchUp is a returning client: 100 events missed of 100,000 in the
// tail, found, encoded and handed to its connection, until it is live.
func BenchmarkCatchUp(b *testing.B) {
	for _, rooms := range []int{1, 100} {
		b.Run(fmt.Sprintf("100-of-100000/%d-rooms", rooms), func(b *testing.B) {
			const total = 100_000
			h := start(b, 1<<30, 0, &past{})
			for o := range uint64(total) {
				e := message(o+1, room(int(o)%rooms))
				e.Content = strings.Repeat("x", 200)
				h.Apply(feed.Record{Event: e})
			}
			d := discard{make(chan struct{}, 1)}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				m := join(h, d, topics(room(0)), from(uint64(total-100*rooms)))
				<-d.told
				h.Leave(m)
			}
		})
	}
}

// BenchmarkApply is one event to 1,000 live members, without their connections.
func BenchmarkApply(b *testing.B) {
	h := start(b, 1<<20, 0, &past{})
	d := discard{make(chan struct{}, 1000)}
	for range 1000 {
		join(h, d, topics(room(0)), from(0))
		<-d.told
	}
	e := message(0, room(0))
	e.Content = strings.Repeat("x", 200)
	b.ReportAllocs()
	b.ResetTimer()
	for o := range b.N {
		e.Offset = uint64(o) + 1
		h.Apply(feed.Record{Event: e})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/delivery")
}
