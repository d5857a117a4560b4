package record_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// full has every field of an event.
func full(t *testing.T) event.Event {
	t.Helper()
	conversation := subject.Conversation{Kind: subject.DM, Name: subject.PairName("a", "b")}
	e := event.NewPosted("0193", conversation, "one\x00\u202e<two>\n")
	e.Sender, e.SenderName, e.Recipient = "a", "Ann", "b"
	e.Scope, e.Key = event.Scope("user:a", conversation), "k1"
	e.Offset, e.At = 7, time.Date(2026, 11, 21, 17, 31, 5, 123456789, time.UTC)
	e.Seal()
	return e
}

func TestARecordIsTheWholeEvent(t *testing.T) {
	e := full(t)
	r := record.Of(&e)
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back record.Record
	if err := json.Unmarshal(encoded, &back); err != nil {
		t.Fatal(err)
	}
	got, err := back.Event()
	if err != nil || got != e {
		t.Fatalf("%v\n got %+v\nwant %+v", err, got, e)
	}
	if !r.Faithful() {
		t.Error("not faithful")
	}
}

func TestEveryFieldOfARecordIsThere(t *testing.T) {
	encoded, err := json.Marshal(record.Record{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"offset", "id", "at", "type", "conversation", "from", "username", "to", "content", "clientOffset", "scope", "schema", "digest",
	} {
		if !strings.Contains(string(encoded), `"`+name+`":`) {
			t.Errorf("no %s in %s", name, encoded)
		}
	}
}

func TestTextThatIsNotUTF8IsNotFaithful(t *testing.T) {
	e := full(t)
	e.Content = "a\xffb"
	e.Seal()
	if r := record.Of(&e); r.Faithful() {
		t.Error("faithful")
	}
}

func TestARecordThatWasAlteredIsNoEvent(t *testing.T) {
	for name, alter := range map[string]func(*record.Record){
		"id":           func(r *record.Record) { r.ID += "0" },
		"type":         func(r *record.Record) { r.Type = "message.edited" },
		"conversation": func(r *record.Record) { r.Conversation = "room:a" },
		"no place":     func(r *record.Record) { r.Conversation = "" },
		"from":         func(r *record.Record) { r.From = "b" },
		"username":     func(r *record.Record) { r.Username = "Bob" },
		"to":           func(r *record.Record) { r.To = "" },
		"content":      func(r *record.Record) { r.Content += " " },
		"key":          func(r *record.Record) { r.ClientOffset = "" },
		"scope":        func(r *record.Record) { r.Scope = "" },
		"schema":       func(r *record.Record) { r.Schema = 2 },
		"digest":       func(r *record.Record) { r.Digest[31] ^= 1 },
		"damaged":      func(r *record.Record) { r.Damaged = "so it says" },
		"time zone":    func(r *record.Record) { r.At = r.At.In(time.FixedZone("", 3600)) },
		"time of the same nanoseconds": func(r *record.Record) {
			r.At = r.At.Add(1<<63 - 1).Add(1<<63 - 1).Add(2)
			if e := full(t); r.At.UnixNano() != e.At.UnixNano() {
				t.Error("the count of nanoseconds is another one")
			}
		},
	} {
		e := full(t)
		r := record.Of(&e)
		alter(&r)
		if _, err := r.Event(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
