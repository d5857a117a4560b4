package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/persister/readmodel"
	"github.com/tidemark-chat/tidemark/services/persister/readmodel/modeltest"
	"github.com/tidemark-chat/tidemark/services/persister/readmodel/sqlite"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

var content = strings.Repeat("x", 200)

// filled is a store of n messages of 200 bytes, in turn of some rooms.
func filled(b *testing.B, n, rooms int) *sqlite.Store {
	b.Helper()
	s := open(b, filepath.Join(b.TempDir(), "x.db"))
	var p readmodel.Position
	for offset := uint64(1); offset <= uint64(n); {
		batch := batchOf(p, offset, rooms)
		if _, err := s.Append(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
		p, offset = batch.Next, offset+uint64(len(batch.Messages))
	}
	return s
}

func batchOf(previous readmodel.Position, offset uint64, rooms int) readmodel.Batch {
	events := make([]event.Event, 1000)
	for i := range events {
		o := offset + uint64(i)
		events[i] = modeltest.Keyed(o, room(int(o)%rooms), content, fmt.Sprintf("key-%d", o))
	}
	return modeltest.Batch(previous, events...)
}

func room(i int) subject.Conversation { return modeltest.Room(fmt.Sprintf("room-%d", i)) }

func BenchmarkAppend(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "x.db"))
	b.ReportAllocs()
	var p readmodel.Position
	rows := 0
	for b.Loop() {
		b.StopTimer()
		batch := batchOf(p, p.Offset+1, 1000)
		b.StartTimer()
		if _, err := s.Append(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
		p, rows = batch.Next, rows+len(batch.Messages)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkAfter reads 100 events from the middle of 200,000, of 1, 10 and
// 1,000 conversations, and the common question of whether there is anything.
func BenchmarkAfter(b *testing.B) {
	const n, rooms = 200_000, 2000
	s := filled(b, n, rooms)
	ask := func(name string, offset uint64, conversations, want int) {
		r := query.AfterRequest{Offset: offset}
		for i := range conversations {
			r.Conversations = append(r.Conversations, room(i))
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				reply, err := s.After(b.Context(), r)
				if err != nil || len(reply.Events) != want {
					b.Fatalf("%d events, %v", len(reply.Events), err)
				}
			}
		})
	}
	ask("1 conversation/50 events", n/2, 1, 50)
	ask("10 conversations/100 events", n/2, 10, 100)
	ask("1000 conversations/100 events", n/2, 1000, 100)
	ask("10 conversations/nothing new", n, 10, 0)
}

func BenchmarkLookup(b *testing.B) {
	const n = 200_000
	s := filled(b, n, 2000)
	for name, key := range map[string]string{"found": "key-100000", "not found": "key-0"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := query.LookupRequest{Scope: event.Scope("user:u1", room(0)), Key: key}
			for b.Loop() {
				reply, err := s.Lookup(b.Context(), r)
				if err != nil || (reply.Event != nil) != (name == "found") {
					b.Fatalf("%+v, %v", reply, err)
				}
			}
		})
	}
}
