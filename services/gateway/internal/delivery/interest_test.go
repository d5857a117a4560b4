package delivery_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/contract"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/delivery"
	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/feed"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// gated is a past that answers when it is let.
type gated struct {
	past
	asked, answer chan struct{}
}

func (g *gated) After(ctx context.Context, topics []subject.Conversation, cursor, through uint64, limit int) ([]event.Event, uint64, error) {
	g.asked <- struct{}{}
	<-g.answer
	return g.past.After(ctx, topics, cursor, through, limit)
}

// untilRecovery reads what a member is sent up to and with its recovery.
func untilRecovery(t *testing.T, o *outlet) (texts []string) {
	t.Helper()
	for len(texts) == 0 || !strings.Contains(texts[len(texts)-1], `"recovery"`) {
		frames := o.take(t, 1)
		if frames == nil {
			t.FailNow()
		}
		texts = append(texts, string(frames[0].Text()))
	}
	return texts
}

// now is what has been sent and not been read yet.
func (o *outlet) now() (texts []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.queued {
		texts = append(texts, string(f.Text()))
	}
	o.queued = nil
	return texts
}

// offsets are the offsets in packets of rooms and direct messages.
func offsets(texts []string) (found []string) {
	for _, text := range texts {
		if _, after, ok := strings.Cut(text, `"offset":`); ok {
			found = append(found, after[:strings.IndexByte(after, ',')])
		}
	}
	return found
}

func joinRoom(t *testing.T, h *delivery.Hub, m *delivery.Member, topic subject.Conversation) uint64 {
	t.Helper()
	head, ok := h.Join(t.Context(), m, topic)
	if !ok {
		t.Fatal("not joined")
	}
	return head
}

func apply(h *delivery.Hub, events ...event.Event) {
	for _, e := range events {
		h.Apply(feed.Record{Event: e})
	}
}

// TestWhatWasReadForARoomThatIsLeftMeanwhileIsNotSent: the past of room 1 is being
// read when its member leaves it and joins room 2.
func TestWhatWasReadForARoomThatIsLeftMeanwhileIsNotSent(t *testing.T) {
	g := &gated{asked: make(chan struct{}), answer: make(chan struct{})}
	for o := range uint64(10) {
		g.add(message(o+1, room(int(o+1)%2)))
	}
	h := start(t, 1<<20, 10, g)
	o := newOutlet(100)
	m := join(h, o, topics(room(1), room(0)), from(0))
	<-g.asked
	h.Part(m, room(1))
	if head := joinRoom(t, h, m, room(2)); head != 10 {
		t.Errorf("joined at %d", head)
	}
	g.answer <- struct{}{}
	<-g.asked // again, for what it follows now
	g.answer <- struct{}{}
	texts := untilRecovery(t, o)
	apply(h, message(11, room(1)), message(12, room(2)))
	if got := offsets(append(texts, o.now()...)); !slices.Equal(got, []string{"2", "4", "6", "8", "10", "12"}) {
		t.Errorf("there came %v", got)
	}
}

// TestAJoinBeginsAtItsHead also for a member that is still catching up to it, and
// anew after a leave.
func TestAJoinBeginsAtItsHead(t *testing.T) {
	h := start(t, 1<<20, 0, &past{})
	var want []string
	for o := range uint64(20) {
		apply(h, message(o+1, room(int(o+1)%2)))
		if o%2 == 1 {
			want = append(want, strconv.Itoa(int(o)+1))
		}
	}
	o := newOutlet(4) // too narrow to catch up before it is read
	m := join(h, o, topics(room(0)), from(0))
	texts := []string{string(o.take(t, 1)[0].Text())}
	if head := joinRoom(t, h, m, room(1)); head != 20 {
		t.Errorf("joined at %d", head)
	}
	apply(h, message(21, room(1)))
	h.Part(m, room(1))
	apply(h, message(22, room(1)))
	joinRoom(t, h, m, room(1))
	apply(h, message(23, room(1)), message(24, room(0)))
	texts = append(texts, untilRecovery(t, o)...)
	if got := offsets(texts); !slices.Equal(got, append(want, "23", "24")) {
		t.Errorf("there came %v", got)
	}
}

// TestAJoinWaitsUntilItsMemberBegins, and then nothing after its head is missing,
// also of a member that is ahead of the feed.
func TestAJoinWaitsUntilItsMemberBegins(t *testing.T) {
	log := &past{}
	for o := range uint64(20) {
		log.add(message(o+1, room(1)))
	}
	h := start(t, 1<<20, 0, log)
	apply(h, log.events[:10]...)
	for name, begin := range map[string]uint64{"behind": 3, "ahead": 15} {
		o := newOutlet(100)
		m := h.Add(o, stranger{}, topics(room(0)))
		joined := make(chan uint64)
		go func() { joined <- joinRoom(t, h, m, room(1)) }()
		h.Begin(m, contract.Start{Offset: begin}, "")
		if head := <-joined; head != max(10, begin) {
			t.Errorf("%s: joined at %d", name, head)
		}
		defer func() {
			got := offsets(append(untilRecovery(t, o), o.now()...))
			var want []string
			for offset := max(10, begin) + 1; offset <= 20; offset++ {
				want = append(want, strconv.Itoa(int(offset)))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s was sent %v, want %v", name, got, want)
			}
		}()
	}
	apply(h, log.events[10:]...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := h.Join(ctx, h.Add(newOutlet(1), stranger{}, nil), room(1)); ok {
		t.Error("joined without having begun")
	}
}

// speaker has sent the messages of a sender over this connection, if it is the
// one it speaks over.
type speaker struct {
	id   string
	over bool
}

func (s speaker) Own(e *event.Event) bool  { return e.Sender == s.id }
func (s speaker) Sent(e *event.Event) bool { return e.Sender == s.id && s.over }
func (s speaker) ID() string               { return s.id }

func direct(offset uint64, from, to string) event.Event {
	e := message(offset, subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)})
	e.Sender, e.SenderName, e.Recipient, e.Key, e.Scope = from, from, to, "key", "scope"
	return e
}

// TestADirectMessageGoesToBothUsersButNotWhereItCameFrom, live and caught up on.
func TestADirectMessageGoesToBothUsersButNotWhereItCameFrom(t *testing.T) {
	h := start(t, 1<<20, 0, &past{})
	apply(h, direct(1, "ann", "bob"), direct(2, "bob", "ann"), direct(3, "eve", "eve"))
	viewers := []speaker{{"ann", true}, {"ann", false}, {"bob", false}, {"eve", true}}
	want := [][]string{{"2", "5"}, {"1", "2", "4", "5", "6"}, {"1", "2", "4", "5", "7"}, {"7"}}
	seen, outlets := make([][]string, len(viewers)), make([]*outlet, len(viewers))
	for i, v := range viewers {
		outlets[i] = newOutlet(100)
		h.Begin(h.Add(outlets[i], v, topics(subject.Inbox(v.id))), contract.Start{}, "")
		seen[i] = untilRecovery(t, outlets[i])
	}
	apply(h, direct(4, "ann", "bob"), direct(5, "bob", "ann"), direct(6, "ann", "ann"), direct(7, "bob", "eve"))
	for i, v := range viewers {
		texts := append(seen[i], outlets[i].now()...)
		if got := offsets(texts); !slices.Equal(got, want[i]) {
			t.Errorf("%+v saw %v, want %v", v, got, want[i])
		}
		for _, text := range texts {
			own := strings.Contains(text, `"from":"`+v.id+`"`)
			if strings.Contains(text, "clientOffset") != own {
				t.Errorf("%+v was sent %s", v, text)
			}
		}
	}
}

// TestTheLoungeSeesNamedMessagesOfOthersAsNewMessagesToo from when it was entered.
func TestTheLoungeSeesNamedMessagesOfOthersAsNewMessagesToo(t *testing.T) {
	h := start(t, 1<<20, 0, &past{})
	said := func(offset uint64, sender, name string) event.Event {
		e := message(offset, subject.General)
		e.Sender, e.SenderName = sender, name
		return e
	}
	apply(h, said(1, "bob", "bob"))
	o := newOutlet(100)
	m := h.Add(o, speaker{"ann", true}, topics(subject.General))
	h.Lounge(m)
	h.Begin(m, contract.Start{}, "")
	untilRecovery(t, o)
	apply(h, said(2, "bob", "bob"), said(3, "ann", "ann"), said(4, "", ""))
	plain := func(e event.Event) int { return transport.NewFrame(contract.AppendMessage(nil, &e, false)).Size() }
	more := transport.NewFrame(contract.NewMessage(nil, "bob", "2")).Size()
	want := []int{plain(said(2, "bob", "bob")) + more, plain(said(3, "ann", "ann")), plain(said(4, "", ""))}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, f := range o.queued {
		if f.Size() != want[i] {
			t.Errorf("message %d has %d bytes, want %d", i+2, f.Size(), want[i])
		}
	}
	if len(o.queued) != len(want) {
		t.Errorf("%d messages", len(o.queued))
	}
}
