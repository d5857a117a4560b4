package selection

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func room(name string) subject.Conversation {
	return subject.Conversation{Kind: subject.Room, Name: name}
}

func pair(a, b string) subject.Conversation {
	return subject.Conversation{Kind: subject.DM, Name: subject.PairName(a, b)}
}

func TestWhatIsMeant(t *testing.T) {
	e := event.Event{
		Offset: 10, At: noon, Type: event.Posted, Conversation: room("general"), Sender: "a1", SenderName: "alice",
	}
	guest := event.Event{Offset: 10, At: noon, Type: event.Posted, Conversation: room("general")}
	direct := event.Event{Offset: 10, At: noon, Type: event.Posted, Conversation: pair("a1", "b1"), Sender: "a1", SenderName: "alice", Recipient: "b1"}
	for _, test := range []struct {
		name  string
		s     Selection
		e     event.Event
		meant bool
	}{
		{"everything", Selection{}, e, true},
		{"first offset", Selection{From: 10}, e, true},
		{"before the first offset", Selection{From: 11}, e, false},
		{"last offset", Selection{To: 10}, e, true},
		{"after the last offset", Selection{To: 9}, e, false},
		{"since includes", Selection{Since: noon}, e, true},
		{"since", Selection{Since: noon.Add(1)}, e, false},
		{"until excludes", Selection{Until: noon}, e, false},
		{"until", Selection{Until: noon.Add(1)}, e, true},
		{"room", Selection{Rooms: []string{"other", "general"}}, e, true},
		{"another room", Selection{Rooms: []string{"other"}}, e, false},
		{"a room by the name of a direct conversation", Selection{Rooms: []string{direct.Conversation.Name}}, direct, false},
		{"sender by id", Selection{Senders: []string{"a1"}}, e, true},
		{"sender by name", Selection{Senders: []string{"alice"}}, e, true},
		{"another sender", Selection{Senders: []string{"bob"}}, e, false},
		{"a guest has no name", Selection{Senders: []string{"guest"}}, guest, false},
		{"type", Selection{Types: []string{"message.posted"}}, e, true},
		{"another type", Selection{Types: []string{"message.edited"}}, e, false},
		{"all of it", Selection{Rooms: []string{"general"}, Senders: []string{"alice"}, Types: []string{"message.posted"}}, e, true},
		{"all but one", Selection{Rooms: []string{"general"}, Senders: []string{"bob"}, Types: []string{"message.posted"}}, e, false},
	} {
		if test.s.compile(subject.Conversation{}).match(&test.e) != test.meant {
			t.Errorf("%s: want %v", test.name, test.meant)
		}
	}
	if s := (Selection{}); !s.compile(pair("b1", "a1")).match(&direct) || s.compile(pair("a1", "c1")).match(&direct) {
		t.Error("direct conversation")
	}
	if s := (Selection{Rooms: []string{"general"}}); !s.compile(pair("a1", "b1")).match(&direct) || !s.compile(pair("a1", "b1")).match(&e) {
		t.Error("a room and a direct conversation are meant together")
	}
}

func TestARangeIsClippedToTheBounds(t *testing.T) {
	for _, test := range []struct {
		s        Selection
		from, to uint64
	}{
		{Selection{}, 3, 8}, {Selection{From: 5}, 5, 8}, {Selection{To: 5}, 3, 5}, {Selection{From: 1, To: 9}, 3, 8}, {Selection{From: 9}, 9, 8},
	} {
		if from, to := test.s.Clip(3, 8); from != test.from || to != test.to {
			t.Errorf("%+v: %d to %d", test.s, from, to)
		}
	}
}

// naive is the definition, as a person would check it by hand.
func naive(s Selection, between []string, e event.Event) bool {
	if e.Offset < s.From || s.To > 0 && e.Offset > s.To {
		return false
	}
	if !s.Since.IsZero() && e.At.Before(s.Since) || !s.Until.IsZero() && !e.At.Before(s.Until) {
		return false
	}
	if len(s.Rooms)+len(between) > 0 {
		inRoom := e.Conversation.Kind == subject.Room && slices.Contains(s.Rooms, e.Conversation.Name)
		direct := e.Conversation.Kind == subject.DM && len(between) == 2 &&
			(e.Sender == between[0] && e.Recipient == between[1] || e.Sender == between[1] && e.Recipient == between[0])
		if !inRoom && !direct {
			return false
		}
	}
	if len(s.Senders) > 0 && (e.Sender == "" || !slices.Contains(s.Senders, e.Sender) && !slices.Contains(s.Senders, e.SenderName)) {
		return false
	}
	return len(s.Types) == 0 || slices.Contains(s.Types, string(e.Type))
}

func TestWhatIsMeantIsWhatThePlainDefinitionSays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	some := func(list ...string) (picked []string) {
		for _, x := range list {
			if r.IntN(3) == 0 {
				picked = append(picked, x)
			}
		}
		return picked
	}
	meant := 0
	for range 20_000 {
		s := Selection{Rooms: some("r0", "r1"), Senders: some("u0", "name1"), Types: some("message.posted", "user.registered")}
		var between []string
		var direct subject.Conversation
		if r.IntN(2) == 0 {
			between = []string{fmt.Sprint("u", r.IntN(3)), fmt.Sprint("u", r.IntN(3))}
			direct = pair(between[0], between[1])
		}
		if r.IntN(2) == 0 {
			s.From, s.To = uint64(r.IntN(10)), uint64(r.IntN(10))
		}
		if r.IntN(2) == 0 {
			s.Since, s.Until = noon.Add(time.Duration(r.IntN(10))), noon.Add(time.Duration(r.IntN(10)))
		}
		e := randomEvent(r)
		got := s.compile(direct).match(&e)
		if got != naive(s, between, e) {
			t.Fatalf("%+v between %v: %+v: %v", s, between, e, got)
		}
		if got {
			meant++
		}
	}
	if meant < 500 {
		t.Errorf("only %d events were meant: this test says little", meant)
	}
}

func randomEvent(r *rand.Rand) event.Event {
	e := event.Event{Offset: 1 + uint64(r.IntN(10)), At: noon.Add(time.Duration(r.IntN(10))), Type: event.Posted}
	if n := r.IntN(4); n < 3 {
		e.Sender, e.SenderName = fmt.Sprint("u", n), fmt.Sprint("name", n)
	}
	switch {
	case r.IntN(5) == 0 && e.Sender != "":
		e.Type, e.Conversation = event.Registered, subject.Conversation{Kind: subject.User, Name: e.Sender}
	case r.IntN(2) == 0 && e.Sender != "":
		e.Recipient = fmt.Sprint("u", r.IntN(3))
		e.Conversation = pair(e.Sender, e.Recipient)
	default:
		e.Conversation = room(fmt.Sprint("r", r.IntN(3)))
	}
	return e
}
