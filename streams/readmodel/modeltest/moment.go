package modeltest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// testMoment asks for times before, between, at and after those of a conversation,
// of which some messages were stored at the same time.
func testMoment(t *testing.T, open OpenModel) {
	model, project := open(t)
	events := atTimes(10, 20, 20, 20, 30, 30, 40)
	for i, room := range []string{"a", "b", "a", "b", "a", "b", "a"} {
		events[i].Conversation = Room(room)
	}
	project(events...)
	for _, test := range []struct {
		room string
		at   time.Time
		want uint64
	}{
		{"a", time.Unix(0, 0), 0},
		{"a", second(10).Add(-1), 0},
		{"a", second(10), 1},
		{"a", second(20).Add(-1), 1},
		{"a", second(20), 3},
		{"a", second(30).Add(1), 5},
		{"a", second(40), 7},
		{"a", time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC), 7},
		{"a", time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), 7},
		{"a", second(30).In(time.FixedZone("", 5*3600)), 5},
		{"b", second(19), 0},
		{"b", second(20), 4},
		{"b", second(100), 6},
		{"nobody", second(100), 0},
	} {
		reply := must[query.MomentReply](t)(model.Moment(t.Context(), query.MomentRequest{Conversation: Room(test.room), At: test.at}))
		if reply.Offset != test.want {
			t.Errorf("%s at %v: %d, want %d", test.room, test.at, reply.Offset, test.want)
		}
		wantCheckpoint(t, reply.Checkpoint, events[6])
	}
}

// testMomentClock: where the clock was set back, any place will do at which what
// comes next is later.
func testMomentClock(t *testing.T, open OpenModel) {
	model, project := open(t)
	var first uint64
	for _, times := range [][]int{{10, 20, 30, 15, 25, 35}, {30, 20, 10}, {50, 10, 20, 30, 40}, {10, 20, 30, 40, 5}, {20, 10, 20, 10, 20}} {
		room := Room(fmt.Sprint(times))
		events := atTimes(times...)
		for i := range events {
			events[i].Offset += first
			events[i].Conversation = room
		}
		project(events...)
		for at := 4; at <= 51; at++ {
			reply := must[query.MomentReply](t)(model.Moment(t.Context(), query.MomentRequest{Conversation: room, At: second(at)}))
			n := 0 // messages up to it
			if reply.Offset > 0 {
				n = int(reply.Offset - first)
			}
			if n < 0 || n > len(times) || n > 0 && times[n-1] > at || n < len(times) && times[n] <= at {
				t.Errorf("of %v at %d: offset %d after %d", times, at, reply.Offset, first)
			}
		}
		first += uint64(len(times))
	}
}

func second(n int) time.Time { return time.Unix(1_700_000_000+int64(n), 0).UTC() }

// atTimes are messages of a room, from offset 1 on, that were stored at some seconds.
func atTimes(seconds ...int) []event.Event {
	var events []event.Event
	for i, n := range seconds {
		e := Event(uint64(i+1), Room("a"), "x")
		e.At = second(n)
		events = append(events, e)
	}
	return events
}
