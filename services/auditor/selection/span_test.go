package selection

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func TestOffsetsOfTheSpan(t *testing.T) {
	for _, test := range []struct {
		name           string
		s              Selection
		last           uint64
		after, through uint64
		err            string
	}{
		{name: "everything", last: 10, through: 10},
		{name: "an empty log", last: 0},
		{name: "from", s: Selection{From: 4}, last: 10, after: 3, through: 10},
		{name: "to", s: Selection{To: 4}, last: 10, through: 4},
		{name: "one", s: Selection{From: 4, To: 4}, last: 10, after: 3, through: 4},
		{name: "the last", s: Selection{From: 10, To: 10}, last: 10, after: 9, through: 10},
		{name: "behind what was read", s: Selection{From: 5, To: 4}, last: 10, after: 4, through: 4},
		{name: "directly behind the end", s: Selection{From: 11}, last: 10, after: 10, through: 10},
		{name: "the first of an empty log", s: Selection{From: 1}},
		{name: "upside down", s: Selection{From: 6, To: 4}, last: 10, err: "--from 6 is behind --to 4"},
		{name: "from beyond the end", s: Selection{From: 12}, last: 10, err: "--from 12 is beyond the end: the log ends at 10"},
		{name: "to beyond the end", s: Selection{To: 11}, last: 10, err: "--to 11 is beyond the end: the log ends at 10"},
		{name: "from beyond the end of a growing log", s: Selection{From: 12, Growing: true}, last: 10, after: 10, through: 10},
		{
			name: "times upside down", s: Selection{Since: noon, Until: noon.Add(-1)}, last: 10,
			err: "--since 2026-01-02T12:00:00Z is later than --until 2026-01-02T11:59:59Z",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			after, through, err := test.s.Span(t.Context(), nil, eventlog.State{First: 1, Last: test.last})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || !fault.Is(err, fault.Permanent) {
					t.Errorf("%v, want %s", err, test.err)
				}
				return
			}
			if err != nil || after != test.after || through != test.through {
				t.Errorf("%d to %d, %v; want %d to %d", after, through, err, test.after, test.through)
			}
		})
	}
}

// written is a log of some events, and the times at which they were stored.
func written(t *testing.T, n int) (jetstream.JetStream, eventlog.State, []time.Time) {
	t.Helper()
	js := logtest.Start(t).Provision(logtest.Config())
	times := make([]time.Time, n+1)
	for i := 1; i <= n; i++ {
		offset := logtest.Publish(t, js, logtest.Message(t, "general", fmt.Sprint(i)))
		e, err := eventlog.Open(js).Get(t.Context(), offset)
		if err != nil {
			t.Fatal(err)
		}
		times[i] = e.At
	}
	return js, state(t, js), times
}

func state(t *testing.T, js jetstream.JetStream) eventlog.State {
	t.Helper()
	s, err := eventlog.Open(js).State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestATimeIsFoundInTheLog(t *testing.T) {
	js, state, times := written(t, 20)
	for offset := uint64(1); offset <= state.Last; offset++ {
		for add, want := range map[time.Duration]uint64{-1: offset, 0: offset, 1: offset + 1} {
			got, err := begins(t.Context(), js, times[offset].Add(add), state.Last)
			if err != nil || got != want {
				t.Errorf("%d ns after the event at %d: %d, %v", add, offset, got, err)
			}
		}
	}
}

func TestTimesBoundTheSpan(t *testing.T) {
	js, state, times := written(t, 3)
	for _, test := range []struct {
		name           string
		s              Selection
		after, through uint64
	}{
		{"long before", Selection{Until: times[1].Add(-time.Hour)}, 0, 0},
		{"long after", Selection{Since: times[3].Add(time.Hour)}, 3, 3},
		{"around it", Selection{Since: times[1].Add(-time.Hour), Until: times[3].Add(time.Hour)}, 0, 3},
		{"close by", Selection{Since: times[2], Until: times[2].Add(1)}, 0, 3}, // clocks differ: Within decides
		{"with offsets", Selection{From: 2, To: 2, Since: times[1].Add(-time.Hour)}, 1, 2},
		{"before time was counted", Selection{Since: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)}, 0, 3},
		{"beyond all time", Selection{Since: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, 3, 3},
	} {
		after, through, err := test.s.Span(t.Context(), js, state)
		if err != nil || after != test.after || through != test.through {
			t.Errorf("%s: %d to %d, %v", test.name, after, through, err)
		}
	}
}

func TestAServerThatIsBehindDoesNotNarrowTheSpan(t *testing.T) {
	js, state, times := written(t, 3)
	ahead := state
	ahead.Last++ // which this server knows nothing of
	since, until := Selection{Since: times[3].Add(time.Hour)}, Selection{Until: times[3].Add(time.Hour)}
	if after, through, err := since.Span(t.Context(), js, ahead); err != nil || after != 0 || through != 4 {
		t.Errorf("since: %d to %d, %v", after, through, err)
	}
	if after, through, err := until.Span(t.Context(), js, ahead); err != nil || after != 0 || through != 4 {
		t.Errorf("until: %d to %d, %v", after, through, err)
	}
}

func TestATimeThatCannotBeLookedUpIsATemporaryError(t *testing.T) {
	js, state, times := written(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := Selection{Since: times[1]}
	if _, _, err := s.Span(ctx, js, state); !fault.Is(err, fault.Temporary) {
		t.Errorf("%v", err)
	}
}

func registered(t *testing.T, id, name string) event.Event {
	t.Helper()
	e, err := event.NewRegistered(id, name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNamesAreLookedUpInTheLog(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	direct := logtest.Message(t, "x", "hi")
	direct.Conversation, direct.Sender, direct.SenderName, direct.Recipient = pair("lost", "b1"), "lost", "ghost", "b1"
	direct.Seal()
	logtest.Publish(t, js,
		registered(t, "a1", "alice"), registered(t, "b1", "bob"), registered(t, "b2", "bob"), registered(t, "bob2", "carol"),
		registered(t, "x", "alice2"), registered(t, "alice2", "dave"), direct, logtest.Message(t, "general", "bob"))
	for _, test := range []struct {
		between []string
		a, b    string // ids
		err     string
	}{
		{[]string{"a1", "b1"}, "a1", "b1", ""},
		{[]string{"alice", "b2"}, "a1", "b2", ""},
		{[]string{"carol", "alice"}, "bob2", "a1", ""},
		{[]string{"alice", "alice"}, "a1", "a1", ""},
		{[]string{"alice2", "a1"}, "alice2", "a1", ""}, // an id before a name
		{[]string{"lost", "b1"}, "lost", "b1", ""},     // known from a message only
		{[]string{"alice", "bob"}, "", "", `2 users have the name "bob": give the id, one of "b1", "b2"`},
		{[]string{"nobody", "alice"}, "", "", `nobody has the id or the name "nobody"`},
		{[]string{"general", "alice"}, "", "", `nobody has the id or the name "general"`},
	} {
		s := Selection{Between: test.between}
		match, err := s.Matcher(t.Context(), js)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) || !fault.Is(err, fault.Permanent) {
				t.Errorf("%v: %v, want %s", test.between, err, test.err)
			}
			continue
		}
		if err != nil || !match(&event.Event{Conversation: pair(test.a, test.b)}) || match(&event.Event{Conversation: pair(test.a, "other")}) {
			t.Errorf("%v: %v", test.between, err)
		}
	}
}

func TestManyOfOneNameAreNotAllListed(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	logtest.Fill(t, js, 100, func(i int) event.Event { return registered(t, fmt.Sprint("u", i), "bob") })
	s := Selection{Between: []string{"bob", "u1"}}
	_, err := s.Matcher(t.Context(), js)
	if err == nil || !strings.Contains(err.Error(), `more than 10 users have the name "bob"`) || strings.Contains(err.Error(), "u10") {
		t.Errorf("%v", err)
	}
}
