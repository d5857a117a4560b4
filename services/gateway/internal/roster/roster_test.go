package roster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
	"github.com/tidemark-chat/tidemark/streams/presence"
)

// outlet takes frames while it has room, and keeps what they say.
type outlet struct {
	room   int
	said   []string
	closed bool
}

func (o *outlet) Push(f transport.Frame) { o.said = append(o.said, string(f.Text())) }
func (o *outlet) Close()                 { o.closed = true }

func (o *outlet) Send(frames ...transport.Frame) (sent int) {
	for _, f := range frames {
		if o.room == 0 {
			return sent
		}
		o.room--
		sent++
		o.said = append(o.said, string(f.Text()))
	}
	return sent
}

// listener is one as its client sees it: who is there by the list and by what he was
// told since.
type listener struct {
	*Listener
	out    *outlet
	begun  bool
	online map[string]string
	heard  int // of what was said
}

// hear takes what was said. Each change must be one.
func (l *listener) hear(t *rapid.T) {
	for _, text := range l.out.said[l.heard:] {
		var event []json.RawMessage
		if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "2")), &event); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var user struct{ UserID, Username string }
		switch string(event[0]) {
		case `"user connected"`:
			_ = json.Unmarshal(event[1], &user)
			if _, online := l.online[user.UserID]; online {
				t.Fatalf("told again that %s is there", user.UserID)
			}
			l.online[user.UserID] = user.Username
		case `"user disconnected"`:
			_ = json.Unmarshal(event[1], &user.UserID)
			if _, online := l.online[user.UserID]; !online {
				t.Fatalf("told that %s has gone, who was not there", user.UserID)
			}
			delete(l.online, user.UserID)
		default:
			t.Fatalf("told %s", text)
		}
	}
	l.heard = len(l.out.said)
}

// TestTheListAndWhatIsToldAddUp has users come and go while listeners are given
// their lists, are full, and empty again.
func TestTheListAndWhatIsToldAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := New()
		online := make(map[string]string)
		var listeners []*listener
		pick := func(t *rapid.T) *listener {
			if len(listeners) == 0 {
				t.Skip("nobody listens")
			}
			return listeners[rapid.IntRange(0, len(listeners)-1).Draw(t, "listener")]
		}
		t.Repeat(map[string]func(*rapid.T){
			"change": func(t *rapid.T) {
				id := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "user")
				_, here := online[id]
				entry := presence.Entry{Kind: presence.User, ID: id, Name: "name of " + id}
				if here {
					delete(online, id)
				} else {
					online[id] = entry.Name
				}
				r.Changed(presence.Change{Entry: entry, Online: !here, Count: len(online)})
			},
			"listen": func(t *rapid.T) {
				l := &listener{out: &outlet{room: rapid.IntRange(0, 3).Draw(t, "room")}}
				l.Listener, l.online = r.Listen(l.out)
				listeners = append(listeners, l)
			},
			"begin": func(t *rapid.T) {
				if l := pick(t); !l.begun {
					l.begun = true
					r.Begin(l.Listener)
				}
			},
			"drain": func(t *rapid.T) { pick(t).out.room = rapid.IntRange(0, 3).Draw(t, "room") },
			"retry": func(*rapid.T) { r.retry() },
			"leave": func(t *rapid.T) {
				l := pick(t)
				r.Leave(l.Listener)
				listeners = slices.DeleteFunc(listeners, func(o *listener) bool { return o == l })
			},
			"": func(t *rapid.T) {
				for _, l := range listeners {
					if !l.begun && len(l.out.said) > 0 {
						t.Fatalf("told %q before the list", l.out.said)
					}
					l.hear(t)
					if len(l.told) > 4 {
						t.Fatalf("owed %v", l.told)
					}
				}
				if len(r.owed) > len(listeners) || len(r.listeners) != len(listeners) {
					t.Fatal("those who left are not forgotten")
				}
			},
		})
		for _, l := range listeners {
			l.out.room = 100
			if !l.begun {
				r.Begin(l.Listener)
			}
		}
		r.retry()
		for _, l := range listeners {
			if l.hear(t); fmt.Sprint(l.online) != fmt.Sprint(online) {
				t.Fatalf("it adds up to %v, there are %v", l.online, online)
			}
		}
		if len(r.owed) > 0 {
			t.Fatal("something is owed to those who have taken everything")
		}
	})
}

func TestWhatIsOwedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); r.Run(ctx) }()
		out := &outlet{}
		l, _ := r.Listen(out)
		r.Begin(l)
		r.Changed(presence.Change{Entry: presence.Entry{Kind: presence.User, ID: "a", Name: "A"}, Online: true, Count: 1})
		r.mu.Lock()
		out.room = 1
		r.mu.Unlock()
		for range 2 {
			synctest.Wait()
			<-time.After(retryInterval)
		}
		r.mu.Lock()
		if len(out.said) != 1 || len(r.owed) > 0 {
			t.Errorf("said %q, owed %d", out.said, len(r.owed))
		}
		r.mu.Unlock()
		cancel()
		<-ended
	})
}

func TestTheLoungeIsToldAtOnceOrNotAtAll(t *testing.T) {
	r := New()
	ann, ben, full := &outlet{room: 100}, &outlet{room: 100}, &outlet{}
	listens := &outlet{room: 100}
	l, _ := r.Listen(listens)
	r.Begin(l)
	nick := func(socket, name string, online bool, count int) {
		r.Changed(presence.Change{Entry: presence.Entry{Kind: presence.Nick, ID: socket, Name: name}, Online: online, Count: count})
	}
	r.EnterLounge("s1", ann)
	nick("s1", "ann", true, 1)
	r.EnterLounge("s2", ben)
	r.EnterLounge("s3", full)
	nick("s2", "ben", true, 2)
	nick("elsewhere", "eve", true, 3)
	r.LeaveLounge("s2")
	nick("s2", "ben", false, 2)
	for name, c := range map[string]struct {
		out  *outlet
		want []string
	}{
		"ann": {ann, []string{
			`2["login",{"numUsers":1}]`, `2["user joined",{"username":"ben","numUsers":2}]`,
			`2["user joined",{"username":"eve","numUsers":3}]`, `2["user left",{"username":"ben","numUsers":2}]`,
		}},
		"ben":             {ben, []string{`2["login",{"numUsers":2}]`, `2["user joined",{"username":"eve","numUsers":3}]`}},
		"one who is full": {full, nil},
		"one who listens": {listens, nil},
	} {
		if !slices.Equal(c.out.said, c.want) {
			t.Errorf("%s was told %q, want %q", name, c.out.said, c.want)
		}
	}
	if len(r.online) > 0 || len(r.owed) > 0 {
		t.Error("a nickname is no user, and nothing is owed for it")
	}
}

// TestAListenerThatIsOwedTooMuchIsCut, but not while its list is being made.
func TestAListenerThatIsOwedTooMuchIsCut(t *testing.T) {
	r, slow, early := New(), &outlet{}, &outlet{}
	l, _ := r.Listen(slow)
	r.Begin(l)
	r.Listen(early)
	for i := range maxOwed + 1 {
		if slow.closed {
			t.Fatalf("cut when it was owed %d", i)
		}
		r.Changed(presence.Change{Entry: presence.Entry{Kind: presence.User, ID: fmt.Sprint(i), Name: "x"}, Online: true})
	}
	if !slow.closed || early.closed || len(r.owed) != 0 {
		t.Errorf("cut: %v, the other: %v, owed: %d", slow.closed, early.closed, len(r.owed))
	}
}

// TestALoginIsSaidWhateverIsQueued, because a page waits for it.
func TestALoginIsSaidWhateverIsQueued(t *testing.T) {
	r, full := New(), &outlet{}
	r.EnterLounge("socket", full)
	r.Changed(presence.Change{Entry: presence.Entry{Kind: presence.Nick, ID: "socket", Name: "ann"}, Online: true, Count: 3})
	if want := []string{`2["login",{"numUsers":3}]`}; !slices.Equal(full.said, want) {
		t.Errorf("said %q", full.said)
	}
}
