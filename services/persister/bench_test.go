package persister

import (
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// BenchmarkProject projects a log of 20,000 messages of 200 bytes into a new
// database on disk, the whole way: consumer, decoding, digests, transactions,
// acks. It ends when the last one is committed.
func BenchmarkProject(b *testing.B) {
	const n = 20_000
	server := logtest.Start(b)
	js := server.Provision(logtest.Config())
	logtest.Fill(b, js, n, keyed(b))
	dir := b.TempDir()
	for _, batch := range []int{100, 1000} {
		b.Run("batch="+strconv.Itoa(batch), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				options := testOptions(server.URL(), filepath.Join(dir, strconv.Itoa(batch), strconv.Itoa(i)+".db"))
				options.BatchSize = batch
				p := run(b, options)
				p.reaches(n)
				b.StopTimer()
				p.stop()
				if err := js.DeleteConsumer(b.Context(), eventlog.StreamName, eventlog.ConsumerName); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkSingle is the time from the append of one message to its commit in
// the read model, both fsynced.
func BenchmarkSingle(b *testing.B) {
	server := logtest.Start(b)
	js := server.Provision(logtest.Config())
	p := run(b, testOptions(server.URL(), database(b)))
	p.becomes(waiting)
	b.ReportAllocs()
	next := keyed(b)
	for i := 0; b.Loop(); i++ {
		offset := logtest.Publish(b, js, next(i))
		for p.status.report().Checkpoint < offset {
			runtime.Gosched()
		}
	}
}
