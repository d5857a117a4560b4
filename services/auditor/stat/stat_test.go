package stat

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/selection"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

var update = flag.Bool("update", false, "write the golden files")

var began = time.Date(2026, 11, 20, 23, 0, 0, 0, time.UTC)

func said(offset uint64, where subject.Conversation, by, to, content string) event.Event {
	e := event.Event{
		Offset: offset, At: began.Add(time.Duration(offset) * time.Hour), Schema: 1, Type: event.Posted, Conversation: where,
		Sender: by, Recipient: to, Content: content,
	}
	if by != "" {
		e.SenderName = "name of " + by
	}
	return e
}

func room(name string) subject.Conversation {
	return subject.Conversation{Kind: subject.Room, Name: name}
}

func direct(a, b string) subject.Conversation {
	return subject.Conversation{Kind: subject.DM, Name: subject.PairName(a, b)}
}

// counted is a log whose numbers can be counted by hand.
func counted() *Counts {
	c := NewCounts()
	registered := said(1, subject.Conversation{Kind: subject.User, Name: "b"}, "b", "", "")
	registered.Type, registered.SenderName = event.Registered, "bob\x1b[2J"
	edited := said(9, room("general"), "a", "", strings.Repeat("x", 3000))
	edited.Type, edited.Schema = "message.edited", 2
	for _, e := range []event.Event{
		registered,
		said(2, room("general"), "a", "", "12345"),
		said(3, room("general"), "", "", "1234567890"),
		said(4, room("a room"), "a", "", ""),
		said(6, direct("a", "b"), "a", "b", "12"),
		said(7, direct("b", "a"), "b", "a", "123"),
		said(8, direct("a", "c"), "c", "a", "1"),
		edited,
	} {
		c.Add(&e)
	}
	c.names["b"] = "bob\x1b[2J"
	c.Missing(1)
	c.Damaged()
	return c
}

var state = eventlog.State{First: 1, Last: 10, Bytes: 4096, Epoch: "epoch-1"}

func TestNumbersThatAreKnown(t *testing.T) {
	got := counted().Report(state, 2)
	a, b, c := User{"a", "name of a"}, User{"b", "bob\x1b[2J"}, User{"c", "name of c"}
	want := Report{
		Log: Log{1, 10, 4096, "epoch-1"}, Events: 8, Newer: 1, Damaged: 1, Missing: 1,
		First: &Moment{1, began.Add(time.Hour)}, Last: &Moment{9, began.Add(9 * time.Hour)},
		Types: []Type{{"message.posted", 6}, {"message.edited", 1}, {"user.registered", 1}},
		Days:  []Day{{"2026-11-21", 8}},
		Rooms: Rooms{2, []Room{{"general", 3, 3015}, {"a room", 1, 0}}},
		Direct: Direct{2, []Pair{
			{direct("a", "b").String(), [2]User{a, b}, 2, 5}, {direct("a", "c").String(), [2]User{c, a}, 1, 1},
		}},
		Senders: Senders{3, Guests{1, 10}, []Sender{{a, 4, 3007}, {b, 1, 3}}},
		Content: Content{3, 3000, 3000, 3021},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if all := counted().Report(state, 0); len(all.Senders.Top) != 3 {
		t.Errorf("%d senders", len(all.Senders.Top))
	}
}

func TestTheReportForPeople(t *testing.T) {
	r := counted().Report(state, 2)
	at := began.Add(8 * time.Hour)
	r.ReadModel = Progress{Known: true, Offset: 8, At: &at, Behind: 2}
	r.Signed = Progress{Reason: "none"}
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	const file = "testdata/report.text"
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || out.String() != string(want) {
		t.Errorf("%v, got\n%s", err, out.String())
	}
}

func TestNothingAtAll(t *testing.T) {
	r := NewCounts().Report(eventlog.State{First: 1}, 10)
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil || !strings.Contains(out.String(), "log        empty\n") || r.First != nil {
		t.Errorf("%v, %s", err, out.String())
	}
}

func TestTypesWithoutNumberAreCountedTogether(t *testing.T) {
	c := NewCounts()
	for i := range 1000 {
		e := said(uint64(i+1), room("general"), "a", "", "x")
		e.Type = event.Type(fmt.Sprint("type-", i%500))
		c.Add(&e)
	}
	got := c.Report(state, 0).Types
	if len(got) != maxTypes+1 || got[0] != (Type{others, 1000 - 2*maxTypes}) || got[1] != (Type{"type-0", 2}) {
		t.Errorf("%d types: %+v", len(got), got)
	}
}

func TestSizesAreTheOnesASortWouldTell(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := NewCounts()
	var sizes []int
	for range 10_000 {
		n := int(r.ExpFloat64() * 3000)
		sizes = append(sizes, n)
		c.measure(n)
	}
	slices.Sort(sizes)
	got := c.Report(eventlog.State{}, 0).Content
	for _, q := range []struct {
		got  uint64
		want int
	}{{got.P50, sizes[4999]}, {got.P99, sizes[9899]}, {got.Max, sizes[9999]}} {
		if off := float64(q.got) - float64(q.want); off < -float64(q.want)/1000-1 || off > float64(q.want)/1000+1 {
			t.Errorf("%d, want %d", q.got, q.want)
		}
	}
}

func TestDaysBeginAtMidnightUTC(t *testing.T) {
	zone := time.FixedZone("", 5*3600)
	for at, want := range map[time.Time]string{
		time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC):       "2026-01-02",
		time.Date(2026, 1, 1, 23, 59, 59, 999, time.UTC):  "2026-01-01",
		time.Date(2026, 1, 2, 4, 59, 0, 0, zone):          "2026-01-01",
		time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC):  "1969-12-31",
		time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC):     "1969-12-31",
		time.Date(1969, 12, 30, 23, 59, 59, 99, time.UTC): "1969-12-30",
	} {
		if got := date(day(at)).Format(time.DateOnly); got != want {
			t.Errorf("%v: %s, want %s", at, got, want)
		}
	}
}

func TestALogIsCountedInOnePass(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	logtest.Fill(t, js, 3000, func(i int) event.Event { return logtest.Message(t, fmt.Sprint("room-", i%3), "1234") })
	state, err := eventlog.Open(js).State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := selection.Selection{From: 101, Rooms: []string{"room-0", "room-1"}}
	match, err := s.Matcher(t.Context(), js)
	if err != nil {
		t.Fatal(err)
	}
	last := uint64(0)
	c, err := Read(t.Context(), js, &s, match, 100, 3000, func(offset uint64) { last = offset })
	if err != nil || last != 3000 {
		t.Fatal(last, err)
	}
	r := c.Report(state, 1)
	if r.Events != 1933 || r.Rooms.Count != 2 || r.Rooms.Top[0] != (Room{"room-1", 967, 4 * 967}) || r.Content.Total != 4*1933 || r.Missing+r.Damaged != 0 {
		t.Errorf("%+v", r)
	}
}
