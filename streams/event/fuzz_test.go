package event

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

var fuzzTime = time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)

// Whatever the log holds, reading it ends, and what passes is what was sealed.
func FuzzDecode(f *testing.F) {
	e := posted(f, "a b", "hi")
	m := e.Encode()
	h := func(name string) string { return m.Header.Get(name) }
	f.Add(m.Subject, h(headerSchema), h(headerType), h(headerID), h(headerConversation), h(headerSender), h(headerSenderName), h(headerScope), h(headerKey), h(headerDigest), m.Data)
	f.Add("chat.0.room.ngeneral", "1", "message.posted", "", "", "", "", "", "k", "AAAA", []byte("hi"))
	f.Add("chat.0.room.habc", "2", "message.edited", "", "%zz", "", "", "", "", "", []byte{0xff})
	f.Fuzz(func(t *testing.T, subj, schema, typ, id, conversation, sender, name, scope, key, digest string, content []byte) {
		header := nats.Header{
			headerSchema: {schema}, headerType: {typ}, headerID: {id}, headerConversation: {conversation}, headerSender: {sender},
			headerSenderName: {name}, headerRecipient: {sender}, headerScope: {scope}, headerKey: {key}, headerDigest: {digest}, "X": nil,
		}
		e, err := Decode(7, fuzzTime, subj, header, content)
		if e.Offset != 7 || !e.At.Equal(fuzzTime) || e.Content != string(content) {
			t.Fatalf("what is known is not told: %+v", e)
		}
		if err != nil {
			if !fault.Is(err, fault.Corrupt) {
				t.Fatalf("not corrupt: %v", err)
			}
			return
		}
		if e.Schema == Schema && !e.Intact() {
			t.Fatal("an event that is not intact was accepted")
		}
		if e.Known() && subject.Of(e.Conversation) != subj && subj[:7] == "chat.0." {
			t.Fatalf("%q passes as of %q", subj, subject.Of(e.Conversation))
		}
	})
}

// Decode is the inverse of Encode, and what Encode makes survives the headers of NATS.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint8(0), "general", "u1", " Zoë\r\nX: y ", "u2", "k/1 \x00", "<b>hi</b>")
	f.Add(uint8(1), "日本語", "", "", "", "", "\xff")
	f.Add(uint8(2), "*.>", "%zz+ ", "a b", "\xed\xa0\x80", "", "")
	f.Fuzz(func(t *testing.T, kind uint8, name, sender, senderName, recipient, key, content string) {
		if name == "" {
			return
		}
		c := subject.Conversation{Kind: []subject.Kind{subject.Room, subject.DM, subject.User}[kind%3], Name: name}
		e := NewPosted("018f0000-0000-7000-8000-000000000000", c, content)
		e.Sender, e.SenderName, e.Recipient, e.Key = sender, senderName, recipient, key
		if key != "" {
			e.Scope = Scope(sender, c)
		}
		e.Seal()
		m := wire(t, e.Encode())
		e.Offset, e.At = 7, fuzzTime
		if got, err := Decode(7, fuzzTime, m.Subject, m.Header, m.Data); err != nil || got != e {
			t.Fatalf("got %+v, %v, want %+v", got, err, e)
		}
	})
}
