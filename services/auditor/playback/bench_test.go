package playback

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/services/auditor/selection"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// BenchmarkThrough reads, filters and writes events of some 100 bytes, from a server in a process of its own.
func BenchmarkThrough(b *testing.B) {
	const events = 200_000
	nc, js, err := eventlog.Connect(logtest.StartProcess(b).URL, "bench", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	config := logtest.Config()
	config.MaxBytes = 1 << 30
	if err := eventlog.Provision(b.Context(), js, config, slog.New(slog.DiscardHandler)); err != nil {
		b.Fatal(err)
	}
	content := strings.Repeat("hello world ", 8)
	logtest.Fill(b, js, events, func(i int) event.Event {
		return logtest.Keyed(b, fmt.Sprint("room-", i%50), content, fmt.Sprint("key-", i))
	})
	for _, format := range render.Formats {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var s selection.Selection
				match, err := s.Matcher(b.Context(), js)
				if err != nil {
					b.Fatal(err)
				}
				out, err := render.New(format, io.Discard, false)
				if err != nil {
					b.Fatal(err)
				}
				p := New(js, 0, Options{Selection: &s, Match: match, Out: out, Remarks: io.Discard, Reached: func(uint64) {}})
				if err := p.Through(b.Context(), events); err != nil || p.Written != events {
					b.Fatal(p.Written, err)
				}
			}
			b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
