package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func posted(t testing.TB, room, content string) Event {
	t.Helper()
	c := subject.Conversation{Kind: subject.Room, Name: room}
	e := NewPosted(uuid.Must(uuid.NewV7()).String(), c, content)
	e.Sender, e.SenderName = "u1", " Zoë\r\nX: y "
	e.Scope, e.Key = Scope("user:u1", c), "k/1 \x00"
	e.Seal()
	return e
}

// wire sends a message through the header encoding of NATS, as the log does.
func wire(t testing.TB, m *nats.Msg) *nats.Msg {
	t.Helper()
	out := nats.NewMsg(m.Subject)
	out.Data = m.Data
	for k, v := range m.Header {
		if strings.TrimSpace(v[0]) != v[0] || strings.ContainsAny(v[0], "\r\n") {
			t.Fatalf("header %s would not survive the wire: %q", k, v[0])
		}
		out.Header[k] = v
	}
	return out
}

func TestDecodeIsInverseOfEncode(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	for _, room := range []string{"general", "a b", strings.Repeat("ü", 128), "*.>"} {
		e := posted(t, room, "<b>hi</b> \u2028 日本")
		m := wire(t, e.Encode())
		got, err := Decode(7, at, m.Subject, m.Header, m.Data)
		if err != nil {
			t.Fatalf("room %q: %v", room, err)
		}
		e.Offset, e.At = 7, at
		if got != e {
			t.Errorf("room %q: got %+v, want %+v", room, got, e)
		}
		if !got.Known() {
			t.Errorf("room %q: not known", room)
		}
	}
}

func TestDecodeFindsEveryAlteration(t *testing.T) {
	e := posted(t, "general", "hello")
	alter := map[string]func(*nats.Msg){
		"content":   func(m *nats.Msg) { m.Data = []byte("hellO") },
		"subject":   func(m *nats.Msg) { m.Subject = subject.Of(subject.Conversation{Kind: subject.Room, Name: "other"}) },
		"id":        func(m *nats.Msg) { m.Header.Set(headerID, "018f0000-0000-7000-8000-000000000000") },
		"sender":    func(m *nats.Msg) { m.Header.Set(headerSender, "u2") },
		"name":      func(m *nats.Msg) { m.Header.Set(headerSenderName, "x") },
		"recipient": func(m *nats.Msg) { m.Header.Set(headerRecipient, "x") },
		"scope":     func(m *nats.Msg) { m.Header.Set(headerScope, "x") },
		"key":       func(m *nats.Msg) { m.Header.Del(headerKey) },
		"type":      func(m *nats.Msg) { m.Header.Set(headerType, "message.edited") },
		"schema":    func(m *nats.Msg) { m.Header.Set(headerSchema, "0") },
		"digest":    func(m *nats.Msg) { m.Header.Set(headerDigest, strings.Repeat("A", 43)) },
		"escape":    func(m *nats.Msg) { m.Header.Set(headerKey, "%zz") },
		"no header": func(m *nats.Msg) { m.Header = nil },
		"foreign":   func(m *nats.Msg) { m.Subject = "chat.x" },
	}
	for name, change := range alter {
		m := e.Encode()
		change(m)
		if _, err := Decode(1, time.Now(), m.Subject, m.Header, m.Data); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s altered: %v, want a corrupt error", name, err)
		}
	}
}

func TestDecodeKeepsWhatItDoesNotKnow(t *testing.T) {
	e := posted(t, "general", "hello")
	e.Type = "message.edited"
	e.Seal()
	m := e.Encode()
	if got, err := Decode(1, time.Now(), m.Subject, m.Header, m.Data); err != nil || got.Known() {
		t.Errorf("unknown type: known %v, %v", got.Known(), err)
	}
	m.Header.Set(headerSchema, "2")
	if got, err := Decode(1, time.Now(), m.Subject, m.Header, m.Data); err != nil || got.Known() {
		t.Errorf("newer schema: known %v, %v", got.Known(), err)
	}
}

func TestOfSeveralThingsThatAreWrongAlwaysTheSameIsTold(t *testing.T) {
	e := posted(t, "general", "hello")
	m := e.Encode()
	for _, header := range []string{headerSender, headerSenderName, headerScope, headerKey} {
		m.Header.Set(header, "%zz")
	}
	_, first := Decode(1, time.Now(), m.Subject, m.Header, m.Data)
	for range 50 {
		if _, err := Decode(1, time.Now(), m.Subject, m.Header, m.Data); err == nil || err.Error() != first.Error() {
			t.Fatalf("%v, and before %v", err, first)
		}
	}
}

func TestARegistrationIsKnownButNoMessage(t *testing.T) {
	e, err := NewRegistered("u1", "Zoë")
	if err != nil {
		t.Fatal(err)
	}
	m := wire(t, e.Encode())
	got, err := Decode(1, time.Time{}, m.Subject, m.Header, m.Data)
	if err != nil || got.Sender != "u1" || got.SenderName != "Zoë" || got.Conversation != (subject.Conversation{Kind: subject.User, Name: "u1"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if !got.Known() || got.Message() {
		t.Errorf("known %v, a message %v", got.Known(), got.Message())
	}
	if p := posted(t, "general", "hi"); !p.Known() || !p.Message() {
		t.Error("a posted message is none")
	}
}

func TestTopicsAreTheRoomOrTheInboxesOfBoth(t *testing.T) {
	dm := func(from, to string) Event {
		return Event{Conversation: subject.Conversation{Kind: subject.DM, Name: subject.PairName(from, to)}, Sender: from, Recipient: to}
	}
	for _, c := range []struct {
		e    Event
		want [2]subject.Conversation
	}{
		{Event{Conversation: subject.General, Sender: "a"}, [2]subject.Conversation{subject.General}},
		{dm("a", "b"), [2]subject.Conversation{subject.Inbox("a"), subject.Inbox("b")}},
		{dm("b", "a"), [2]subject.Conversation{subject.Inbox("b"), subject.Inbox("a")}},
		{dm("a", "a"), [2]subject.Conversation{subject.Inbox("a")}},
	} {
		if got := c.e.Topics(); got != c.want {
			t.Errorf("%+v: %v, want %v", c.e, got, c.want)
		}
	}
}

func TestTheDigestIsOverTheFieldsEachBehindItsLength(t *testing.T) {
	e := posted(t, "a room", strings.Repeat("hello ", 500))
	e.Recipient = "u2"
	e.Seal()
	var fields bytes.Buffer
	for _, f := range []string{"tidemark", "1", "message.posted", e.ID, "room:a room", "u1", e.SenderName, "u2", e.Scope, e.Key, e.Content} {
		_ = binary.Write(&fields, binary.BigEndian, uint64(len(f)))
		fields.WriteString(f)
	}
	if want := Digest(sha256.Sum256(fields.Bytes())); e.Digest != want {
		t.Errorf("%s, want %s", e.Digest, want)
	}
	var back Digest
	if err := back.UnmarshalText([]byte(e.Digest.String())); err != nil || back != e.Digest {
		t.Error(back, err)
	}
	for _, wrong := range []string{"", e.Digest.String()[1:], e.Digest.String() + "A", strings.Repeat("A", 42) + "\n", strings.Repeat("_", 43)} {
		if err := back.UnmarshalText([]byte(wrong)); err == nil || back != e.Digest {
			t.Errorf("%q was taken as a digest", wrong)
		}
	}
}

func TestSameMessageComparesAllButTheID(t *testing.T) {
	e, again := posted(t, "general", "hello"), posted(t, "general", "hello")
	if e.ID == again.ID || !e.SameMessage(again) {
		t.Error("the same message sent again is not recognised")
	}
	again.Content = "other"
	if e.SameMessage(again) {
		t.Error("another content passes as the same message")
	}
}

func TestMessageIDDependsOnScopeAndKeyOnly(t *testing.T) {
	id := func(scope, key string) string { return (&Event{Scope: scope, Key: key}).MessageID() }
	if id("a", "bc") == id("ab", "c") {
		t.Error("the border between scope and key does not matter")
	}
	if a := (&Event{Scope: "a", Key: "b", ID: "1", Content: "x"}).MessageID(); a != id("a", "b") {
		t.Error("the id depends on more than scope and key")
	}
	if id("a", "b") == id("a", "c") || id("a", "b") == id("b", "b") {
		t.Error("the id does not depend on scope and key")
	}
	if id("a", "") != "" {
		t.Error("an event without a key has an id")
	}
}

func BenchmarkEncode(b *testing.B) {
	e := posted(b, "general", strings.Repeat("x", 200))
	b.ReportAllocs()
	for b.Loop() {
		e.Encode()
	}
}

func BenchmarkDecode(b *testing.B) {
	e := posted(b, "general", strings.Repeat("x", 200))
	m, at := e.Encode(), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(1, at, m.Subject, m.Header, m.Data); err != nil {
			b.Fatal(err)
		}
	}
}
