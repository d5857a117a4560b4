package evidence_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/evidence"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/query"
)

// stage is a log of 24 events, and a read model of it that a test has changed.
func stage(t *testing.T, after uint64, change func(*model)) ([]oracle.Finding, error) {
	t.Helper()
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	logtest.Publish(t, js, messages(t)...)
	r, found, err := evidence.ReadLog(background(t), s.URL(), "", after, nil)
	if err != nil || len(found) > 0 {
		t.Fatal(err, found)
	}
	whole, _, err := evidence.ReadLog(background(t), s.URL(), "", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(whole)
	change(m)
	m.serve(t, s)
	return evidence.ReadModel(background(t), s.Connect().Conn(), r, nil)
}

func TestAReadModelThatHoldsTheLogIsClean(t *testing.T) {
	for name, c := range map[string]struct {
		after  uint64
		change func(*model)
	}{
		"as it is":             {0, func(*model) {}},
		"read from the middle": {9, func(*model) {}},
		"late":                 {0, func(m *model) { m.reach.Store(2) }},
		"busy":                 {0, func(m *model) { m.temporary.Store(3) }},
		"further than what was read": {0, func(m *model) {
			m.at.Offset = 30
			e := m.events[0]
			e.Offset = 30
			m.events, m.inbox = append(m.events, e), append(m.inbox, m.inbox[1])
			m.inbox[len(m.inbox)-1].Offset = 30
			m.users = append(m.users, query.User{ID: "new", Offset: 29})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found, err := stage(t, c.after, c.change); err != nil || len(found) > 0 {
				t.Errorf("%v, %+v", err, found)
			}
		})
	}
}

// at is the event at an offset.
func at(list []event.Event, offset uint64) *event.Event {
	return &list[slices.IndexFunc(list, func(e event.Event) bool { return e.Offset == offset })]
}

func without(list *[]event.Event, offset uint64) {
	*list = slices.DeleteFunc(*list, func(e event.Event) bool { return e.Offset == offset })
}

func TestEveryDifferenceOfAReadModelIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*model)
		want   uint64 // 0: any
		text   string
	}{
		"a message is missing":        {func(m *model) { without(&m.events, 13) }, 13, "lacks 13"},
		"the only message is missing": {func(m *model) { without(&m.events, 8) }, 8, "lacks 8"},
		"a message too many": {func(m *model) {
			e := *at(m.events, 3)
			e.Offset = 1
			m.events = slices.Insert(m.events, 0, e)
		}, 1, "in addition 1"},
		"a message twice":           {func(m *model) { m.events = slices.Insert(m.events, 1, m.events[1]) }, 4, "in addition 4"},
		"messages in another order": {func(m *model) { m.events[0], m.events[2] = m.events[2], m.events[0] }, 5, "order"},
		"another content":           {func(m *model) { at(m.events, 5).Content = "x" }, 5, "content"},
		"another time":              {func(m *model) { at(m.events, 5).At = time.Unix(1, 0) }, 5, "time"},
		"another sender":            {func(m *model) { at(m.events, 4).Sender = "u3" }, 4, "sender"},
		"another name":              {func(m *model) { at(m.events, 4).SenderName = "x" }, 4, "sender's name"},
		"another recipient":         {func(m *model) { at(m.events, 4).Recipient = "u3" }, 4, "recipient"},
		"another id":                {func(m *model) { at(m.events, 5).ID = "x" }, 5, "id"},
		"another key":               {func(m *model) { at(m.events, 5).Key = "x" }, 5, "key"},
		"another scope":             {func(m *model) { at(m.events, 5).Scope = "x" }, 5, "scope"},
		"another digest":            {func(m *model) { at(m.events, 5).Digest[0]++ }, 5, "digest"},
		"an inbox lacks one":        {func(m *model) { without(&m.inbox, 10) }, 10, "the inbox of u1 lacks 10"},
		"an inbox has altered one":  {func(m *model) { at(m.inbox, 10).Content = "x" }, 10, "the inbox of u2 holds otherwise 10"},
		"an inbox holds another's": {func(m *model) {
			e := *at(m.inbox, 4)
			e.Offset, e.Recipient = 9, "u9"
			m.inbox = slices.Insert(m.inbox, slices.IndexFunc(m.inbox, has(e.Conversation, 10)), e)
		}, 9, "the inbox of u1 holds in addition 9"},
		"a key is forgotten":       {func(m *model) { without(&m.keys, 5) }, 5, "lacks 5"},
		"a key is another event's": {func(m *model) { at(m.keys, 5).Offset = 6 }, 5, "is 6"},
		"a user is missing":        {func(m *model) { m.users = m.users[1:] }, 1, "lacks the user u1"},
		"a user has another name":  {func(m *model) { m.users[1].Name = "x" }, 2, "the user u2 otherwise"},
		"a user too many":          {func(m *model) { m.users = append(m.users, query.User{ID: "ghost", Offset: 7}) }, 7, "in addition the user ghost"},
		"another log":              {func(m *model) { m.at.Epoch = "other" }, 24, "another log"},
		"an inbox does not go on":  {func(m *model) { m.stuckInbox = true }, 0, "does not go on"},
		"a page does not go on":    {func(m *model) { m.stuckPage = true }, 20, "before 20 reaches to 20"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := stage(t, 0, c.change)
			if err != nil || !slices.ContainsFunc(found, func(f oracle.Finding) bool {
				return f.Rule == oracle.ReadModel && (f.Offset == c.want || c.want == 0) && strings.Contains(f.Text, c.text) && f.Connection == -1
			}) {
				t.Errorf("want %q at %d, found %v, %+v", c.text, c.want, err, found)
			}
		})
	}
}

func TestAReadModelThatStandsStillIsFound(t *testing.T) {
	s := logtest.Start(t)
	logtest.Publish(t, s.Provision(logtest.Config()), messages(t)...)
	r, _, err := evidence.ReadLog(background(t), s.URL(), "", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(r)
	m.at.Offset = 20
	m.serve(t, s)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
	defer cancel()
	found, err := evidence.ReadModel(ctx, s.Connect().Conn(), r, nil)
	if err != nil || len(found) != 1 || found[0].Offset != 20 || !strings.Contains(found[0].Text, "stands at 20") {
		t.Errorf("%v, %+v", err, found)
	}
}

func TestAReadModelThatDoesNotAnswerIsAnError(t *testing.T) {
	s := logtest.Start(t)
	logtest.Publish(t, s.Provision(logtest.Config()), messages(t)...)
	r, _, err := evidence.ReadLog(background(t), s.URL(), "", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
	defer cancel()
	if found, err := evidence.ReadModel(ctx, s.Connect().Conn(), r, nil); !fault.Is(err, fault.Temporary) || len(found) > 0 {
		t.Errorf("%v, %+v", err, found)
	}
}

func TestWhatAnEarlierEventHasTakenIsNotExpected(t *testing.T) {
	s := logtest.Start(t)
	js, _ := loose(t, s)
	first, second := logtest.Keyed(t, "general", "first", "k"), logtest.Keyed(t, "general", "second", "k")
	for _, e := range []event.Event{registered(t, "u1"), registered(t, "u1"), first, second} {
		m := e.Encode()
		m.Header.Del("Nats-Msg-Id")
		if _, err := js.PublishMsg(background(t), m); err != nil {
			t.Fatal(err)
		}
	}
	r, _, err := evidence.ReadLog(background(t), s.URL(), "", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(r)
	m.users = m.users[:1]
	without(&m.events, 4)
	without(&m.keys, 4)
	m.serve(t, s)
	progress := uint64(0)
	found, err := evidence.ReadModel(background(t), s.Connect().Conn(), r, func(done, total uint64) { progress = total - done })
	if err != nil || len(found) > 0 || progress != 0 {
		t.Errorf("%v, %+v, %d left", err, found, progress)
	}
}
