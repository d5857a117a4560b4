package idempotency

import (
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	mine   = "AbCdEf_-0123456789012345"
	theirs = "ZZZZZZZZZZZZZZZZZZZZ" // of a Node.js server
)

func TestScopeOfAGuest(t *testing.T) {
	a, b := Guest{SocketID: mine}, Guest{SocketID: theirs}
	for key, shared := range map[string]bool{
		mine + "-0": true, theirs + "-12": true, mine + "-": true,
		mine: false, mine + "0": false, "undefined-0": false, "": false, "-": false,
		"018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a": false, "AbCdEf+/0123456789012345-0": false, "AbCdEf é12345678901-0": false,
	} {
		if got := a.Scope(key, subject.General) == b.Scope(key, subject.General); got != shared {
			t.Errorf("key %q: the scope of two connections is the same: %v, want %v", key, got, shared)
		}
		if a.Scope(key, subject.General) == a.Scope(key, subject.Conversation{Kind: subject.Room, Name: "other"}) {
			t.Errorf("key %q: two conversations share a scope", key)
		}
	}
}

func TestRecentOfAGuest(t *testing.T) {
	now := time.Now()
	g := Guest{SocketID: mine, Since: now.Add(-time.Minute)}
	for _, c := range []struct {
		key  string
		age  time.Duration // of the horizon
		want bool
	}{
		{mine + "-0", time.Hour, true},
		{mine + "-0", time.Minute, false},
		{mine + "-0", time.Second, false},
		{theirs + "-0", time.Hour, false},
		{"undefined-0", time.Hour, true},
		{"undefined-0", time.Second, false},
	} {
		if got := g.Recent(c.key, now, Window{Length: c.age}); got != c.want {
			t.Errorf("key %q cannot be older than %v: %v, want %v", c.key, c.age, got, c.want)
		}
	}
}

func TestSentByAGuest(t *testing.T) {
	g := Guest{SocketID: mine}
	sent := func(from Guest, key, sender string) *event.Event {
		return &event.Event{Conversation: subject.General, Sender: sender, Key: key, Scope: from.Scope(key, subject.General)}
	}
	other := Guest{SocketID: theirs}
	for _, c := range []struct {
		what string
		e    *event.Event
		want bool
	}{
		{"own key", sent(g, mine+"-0", ""), true},
		{"own key without an id", sent(g, "undefined-0", ""), true},
		{"another's key", sent(other, theirs+"-0", ""), false},
		{"another's key without an id", sent(other, "undefined-0", ""), false},
		{"no key", &event.Event{Conversation: subject.General}, false},
		{"a user's", sent(g, mine+"-0", "u1"), false},
	} {
		if got := g.Sent(c.e); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// TestWhatWasSentNamesItsSender is what lets delivery tell by a look that a message is not somebody's own.
func TestWhatWasSentNamesItsSender(t *testing.T) {
	for _, s := range []Sender{Guest{SocketID: mine}, User{ID: "u1", SocketID: mine}} {
		for _, key := range []string{mine + "-0", theirs + "-0", "undefined-0", "018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a"} {
			for _, sender := range []string{"", "u1", "u2"} {
				e := &event.Event{Conversation: subject.General, Sender: sender, Key: key, Scope: s.Scope(key, subject.General)}
				names := strings.HasPrefix(key, s.Name()) || sender == s.Name() || strings.HasPrefix(e.Scope, "guest:"+s.Name()+"/")
				if s.Sent(e) && !names {
					t.Errorf("%T: key %q of %q in the scope %q names nobody", s, key, sender, e.Scope)
				}
			}
		}
	}
}
