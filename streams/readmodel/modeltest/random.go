package modeltest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// random makes events and questions in a world of a few rooms and users, so
// that they often meet. The same seed makes the same.
type random struct {
	*rand.Rand
	offset uint64
}

// testReference projects the same events into the model and into the reference,
// in batches of all sizes, and asks both the same after each.
func testReference(t *testing.T, open OpenModel) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			model, project := open(t)
			want, r := &reference{}, random{Rand: rand.New(rand.NewPCG(seed, 0))}
			for batch := 0; batch < 12 && !t.Failed(); batch++ {
				events := make([]event.Event, 1+r.IntN(50))
				for i := range events {
					events[i] = r.event()
				}
				project(events...)
				want.project(events...)
				for range 3 {
					r.compare(t, model, want)
				}
			}
		})
	}
}

func (r *random) user() string { return fmt.Sprint("user ", r.IntN(8)) }

func (r *random) room() subject.Conversation { return Room(fmt.Sprint(r.IntN(3))) }

func (r *random) dm() subject.Conversation {
	return subject.Conversation{Kind: subject.DM, Name: subject.PairName(r.user(), r.user())}
}

func (r *random) event() event.Event {
	r.offset++
	content := "x"
	if r.IntN(30) == 0 {
		content = strings.Repeat("<", 60<<10)
	}
	switch n := r.IntN(20); {
	case n == 0:
		return Registered(r.offset, r.user(), content[:1])
	case n < 8:
		return Event(r.offset, r.room(), content)
	case n == 8:
		return Keyed(r.offset, r.room(), content, fmt.Sprint("key-", r.IntN(20)))
	case n == 9: // its key is taken, more often than not
		e := Direct(r.offset, r.user(), r.user(), content)
		e.Key = "again"
		e.Seal()
		return e
	}
	return Direct(r.offset, r.user(), r.user(), content)
}

// compare asks each question once.
func (r *random) compare(t *testing.T, got, want query.Model) {
	t.Helper()
	limit := 1 + r.IntN(query.MaxEvents)
	after := query.AfterRequest{Offset: r.Uint64N(r.offset + 2), Limit: limit}
	for range r.IntN(4) {
		topics := []subject.Conversation{r.room(), r.dm(), subject.Inbox(r.user())}
		after.Conversations = append(after.Conversations, topics[r.IntN(len(topics))])
	}
	users := query.UsersRequest{Newest: 1 + r.IntN(8)}
	for range r.IntN(4) {
		users.IDs = append(users.IDs, r.user())
	}
	same(t, after, got.After, want.After)
	same(t, query.PageRequest{Conversation: r.dm(), Before: r.Uint64N(r.offset + 2), Limit: limit}, got.Page, want.Page)
	same(t, r.moment(), got.Moment, want.Moment)
	same(t, query.LookupRequest{Scope: event.Scope("user:u1", r.room()), Key: fmt.Sprint("key-", r.IntN(20))}, got.Lookup, want.Lookup)
	same(t, query.DirectRequest{User: r.user(), Conversations: 1 + r.IntN(9), Messages: 1 + r.IntN(30)}, got.Direct, want.Direct)
	same(t, users, got.Users, want.Users)
}

// moment asks for a time around those of some events, and now and then at one of them.
func (r *random) moment() query.MomentRequest {
	at := Event(r.Uint64N(r.offset+2), Room("any"), "").At.Add(time.Duration(r.IntN(3)-1) * time.Nanosecond)
	return query.MomentRequest{Conversation: []subject.Conversation{r.room(), r.dm()}[r.IntN(2)], At: at}
}

func same[Request, Reply any](t *testing.T, request Request, got, want func(context.Context, Request) (Reply, error)) {
	t.Helper()
	have, wanted := must[Reply](t)(got(t.Context(), request)), must[Reply](t)(want(t.Context(), request))
	if !reflect.DeepEqual(have, wanted) {
		t.Errorf("%+v:\ngot  %.2000v\nwant %.2000v", request, summary(have), summary(wanted))
	}
}

// summary leaves out of an answer what makes it unreadable.
func summary(reply any) any {
	switch r := reply.(type) {
	case query.AfterReply:
		return fmt.Sprint(offsets(r.Events), " through ", r.Through, r.Checkpoint)
	case query.PageReply:
		return fmt.Sprint(offsets(r.Events), " more ", r.More, r.Checkpoint)
	case query.DirectReply:
		return fmt.Sprint(offsets(r.Events), r.Checkpoint)
	}
	return fmt.Sprintf("%+v", reply)
}
