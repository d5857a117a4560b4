package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/modeltest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres/pgserver"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

var content = strings.Repeat("x", 200)

// durable is the URL of an empty database of a server whose commits reach the disk.
func durable(b *testing.B) string {
	b.Helper()
	s, err := pgserver.Start(b.Context(), pgserver.Options{Durable: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Stop() })
	return s.URL("postgres")
}

func batchOf(previous readmodel.Position, next func(offset uint64) event.Event) readmodel.Batch {
	events := make([]event.Event, 1000)
	for i := range events {
		events[i] = next(previous.Offset + 1 + uint64(i))
	}
	return modeltest.Batch(previous, events...)
}

// storeOf is a store of n events.
func storeOf(b *testing.B, n int, next func(offset uint64) event.Event) *postgres.Store {
	b.Helper()
	s := open(b, durable(b))
	var p readmodel.Position
	for p.Offset < uint64(n) {
		batch := batchOf(p, next)
		if _, err := s.Append(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
		p = batch.Next
	}
	return s
}

func inRooms(rooms int) func(uint64) event.Event {
	return func(o uint64) event.Event {
		return modeltest.Keyed(o, room(int(o)%rooms), content, uuid.NewSHA1(uuid.Nil, fmt.Append(nil, o)).String())
	}
}

// between makes direct messages, each between two of some users at random.
func between(users uint64) func(uint64) event.Event {
	random := rand.New(rand.NewPCG(1, 2))
	return func(o uint64) event.Event {
		return modeltest.Direct(o, user(random.Uint64N(users)), user(random.Uint64N(users)), content)
	}
}

func registered(o uint64) event.Event {
	return modeltest.Registered(o, uuid.NewSHA1(uuid.Nil, fmt.Append(nil, "u", o)).String(), fmt.Sprintf("name %d", o))
}

func user(i uint64) string { return fmt.Sprintf("user-%d", i) }

func room(i int) subject.Conversation { return modeltest.Room(fmt.Sprintf("room-%d", i)) }

// BenchmarkAppend writes batches of 1,000: messages of 1,000 rooms with keys at random, half of them
// direct between 200 users, all direct, and registrations.
func BenchmarkAppend(b *testing.B) {
	rooms, direct := inRooms(1000), between(200)
	for name, next := range map[string]func(uint64) event.Event{
		"rooms": rooms, "direct": direct,
		"half direct": func(o uint64) event.Event {
			if o%2 == 0 {
				return direct(o)
			}
			return rooms(o)
		},
		"users": registered,
	} {
		b.Run(name, func(b *testing.B) { benchmarkAppend(b, next) })
	}
}

func benchmarkAppend(b *testing.B, next func(uint64) event.Event) {
	s := open(b, durable(b))
	b.ReportAllocs()
	var p readmodel.Position
	for b.Loop() {
		b.StopTimer()
		batch := batchOf(p, next)
		b.StartTimer()
		if _, err := s.Append(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
		p = batch.Next
	}
	b.ReportMetric(float64(p.Offset)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkAsk asks, in 200,000 messages of 2,000 rooms, for 100 events from the middle of 1, 10 and 1,000 conversations, the common
// question of whether there is anything, a page, a key and a moment.
func BenchmarkAsk(b *testing.B) {
	const n, rooms = 200_000, 2000
	s := storeOf(b, n, inRooms(rooms))
	ask := func(name string, question func() (int, error), want int) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got, err := question(); err != nil || got != want {
					b.Fatalf("%d, want %d, %v", got, want, err)
				}
			}
		})
	}
	after := func(offset uint64, conversations int) func() (int, error) {
		r := query.AfterRequest{Offset: offset}
		for i := range conversations {
			r.Conversations = append(r.Conversations, room(i))
		}
		return func() (int, error) {
			reply, err := s.After(b.Context(), r)
			return len(reply.Events), err
		}
	}
	ask("after/1 conversation/50 events", after(n/2, 1), 50)
	ask("after/10 conversations/100 events", after(n/2, 10), 100)
	ask("after/1000 conversations/100 events", after(n/2, 1000), 100)
	ask("after/10 conversations/nothing new", after(n, 10), 0)
	ask("page", func() (int, error) {
		reply, err := s.Page(b.Context(), query.PageRequest{Conversation: room(7), Limit: 50})
		return len(reply.Events), err
	}, 50)
	ask("moment", func() (int, error) {
		reply, err := s.Moment(b.Context(), query.MomentRequest{Conversation: room(0), At: modeltest.Event(n/2, room(0), "").At})
		return int(reply.Offset), err
	}, n/2)
}
