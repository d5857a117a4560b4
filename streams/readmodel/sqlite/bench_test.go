package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/modeltest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

var content = strings.Repeat("x", 200)

// filled is a store of n messages of 200 bytes, in turn of some rooms.
func filled(b *testing.B, n, rooms int) *sqlite.Store {
	b.Helper()
	return storeOf(b, n, inRooms(rooms))
}

// storeOf is a store of n events.
func storeOf(b *testing.B, n int, next func(offset uint64) event.Event) *sqlite.Store {
	b.Helper()
	s := open(b, filepath.Join(b.TempDir(), "x.db"))
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

func batchOf(previous readmodel.Position, next func(offset uint64) event.Event) readmodel.Batch {
	events := make([]event.Event, 1000)
	for i := range events {
		events[i] = next(previous.Offset + 1 + uint64(i))
	}
	return modeltest.Batch(previous, events...)
}

func inRooms(rooms int) func(uint64) event.Event {
	return func(o uint64) event.Event {
		return modeltest.Keyed(o, room(int(o)%rooms), content, fmt.Sprintf("key-%d", o))
	}
}

// between makes direct messages, each between two of some users at random.
func between(users uint64) func(uint64) event.Event {
	random := rand.New(rand.NewPCG(1, 2))
	return func(o uint64) event.Event {
		return modeltest.Direct(o, user(random.Uint64N(users)), user(random.Uint64N(users)), content)
	}
}

func user(i uint64) string { return fmt.Sprintf("user-%d", i) }

func room(i int) subject.Conversation { return modeltest.Room(fmt.Sprintf("room-%d", i)) }

// BenchmarkAppend writes batches of 1,000: messages of 1,000 rooms, half of them
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

func registered(o uint64) event.Event {
	return modeltest.Registered(o, uuid.NewSHA1(uuid.Nil, fmt.Append(nil, "u", o)).String(), fmt.Sprintf("name %d", o))
}

func benchmarkAppend(b *testing.B, next func(uint64) event.Event) {
	s := open(b, filepath.Join(b.TempDir(), "x.db"))
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

// BenchmarkInbox asks what a user missed: 100 messages of 100,000 between 200
// users; nothing; and one answer's worth where 10,000 conversations have news.
func BenchmarkInbox(b *testing.B) {
	const n = 100_000
	ask := func(name string, s *sqlite.Store, offset uint64, least, most int) {
		r := query.AfterRequest{Conversations: []subject.Conversation{subject.Inbox(user(7))}, Offset: offset}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if reply, err := s.After(b.Context(), r); err != nil || len(reply.Events) < least || len(reply.Events) > most {
					b.Fatalf("%d events, %v", len(reply.Events), err)
				}
			}
		})
	}
	s := storeOf(b, n, between(200))
	ask("100 missed", s, n-n/10, 80, 100)
	ask("nothing new", s, n, 0, 0)
	s = storeOf(b, n, func(o uint64) event.Event { return modeltest.Direct(o, user(7), user(o%20_000), content) })
	ask("10000 conversations", s, n-10_000, 100, 100)
}

// BenchmarkDirect asks for 100 conversations of 20 messages, of a user who has
// 150 with more; the answer is cut.
func BenchmarkDirect(b *testing.B) {
	others := between(200)
	s := storeOf(b, 100_000, func(o uint64) event.Event {
		if o%2 == 0 {
			return others(o)
		}
		return modeltest.Direct(o, user(7), user(1000+o%300), content[:100])
	})
	b.ReportAllocs()
	events := 0
	for b.Loop() {
		reply, err := s.Direct(b.Context(), query.DirectRequest{User: user(7), Conversations: 100, Messages: 20})
		if err != nil || len(reply.Events) == 0 {
			b.Fatal(err)
		}
		events = len(reply.Events)
	}
	b.ReportMetric(float64(events), "events")
}

// BenchmarkUsers asks for 2,000 of 20,000 users.
func BenchmarkUsers(b *testing.B) {
	const n = 20_000
	s := storeOf(b, n, registered)
	var ids []string
	for o := uint64(1); o <= n; o += 10 {
		e := registered(o)
		ids = append(ids, e.Sender)
	}
	for name, r := range map[string]query.UsersRequest{"newest": {Newest: len(ids)}, "ids": {IDs: ids}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if reply, err := s.Users(b.Context(), r); err != nil || len(reply.Users) != len(ids) {
					b.Fatalf("%d users, %v", len(reply.Users), err)
				}
			}
		})
	}
}

// BenchmarkMoment asks where one of 2,000 conversations, and where the only one, was in the
// middle of 200,000 messages.
func BenchmarkMoment(b *testing.B) {
	const n = 200_000
	for _, rooms := range []int{2000, 1} {
		s := filled(b, n, rooms)
		b.Run(fmt.Sprint("of ", rooms), func(b *testing.B) {
			r := query.MomentRequest{Conversation: room(0), At: modeltest.Event(n/2, room(0), "").At}
			b.ReportAllocs()
			for b.Loop() {
				if reply, err := s.Moment(b.Context(), r); err != nil || reply.Offset != n/2 {
					b.Fatalf("%+v, %v", reply, err)
				}
			}
		})
	}
}
