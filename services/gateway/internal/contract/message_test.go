package contract

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// hostile are strings that break careless encoders.
var hostile = []string{
	"", "plain", `"`, `\`, `"}]`, "\x00\x1f\x7f", "<script>&'</script>", "é日本🎉", "\u2028\u2029", "a\nb\tc", "\xff", "a\xffb\xc3", "\xed\xa0\x80", "\ufeff",
}

// asSent is how a string arrives: what is no text becomes U+FFFD.
func asSent(s string) string { return string([]rune(s)) }

// decode reads a packet of an event: its name and arguments.
func decode(t *testing.T, packet []byte) (args []any) {
	t.Helper()
	if packet[0] != '2' || !json.Valid(packet[1:]) {
		t.Fatalf("no packet: %s", packet)
	}
	if err := json.Unmarshal(packet[1:], &args); err != nil {
		t.Fatal(err)
	}
	return args
}

func golden(t *testing.T, got []byte, want string) {
	t.Helper()
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

var (
	room = subject.Conversation{Kind: subject.Room, Name: "r"}
	pair = subject.Conversation{Kind: subject.DM, Name: subject.PairName("u1", "u2")}
)

func message(c subject.Conversation, sender, name, recipient string) *event.Event {
	return &event.Event{
		Offset: 7, At: time.Date(2026, 1, 2, 3, 4, 5, 6_789_000, time.UTC), ID: "018f", Conversation: c,
		Sender: sender, SenderName: name, Recipient: recipient, Key: `k"1`, Content: "hi",
	}
}

func TestMessagesOnTheWire(t *testing.T) {
	const stamp = `"id":"018f","at":"2026-01-02T03:04:05.006Z"`
	for _, c := range []struct {
		e    *event.Event
		own  bool
		want string
	}{
		{message(subject.General, "", "", ""), false, `2["chat message","hi",7,{` + stamp + `}]`},
		{message(subject.General, "", "", ""), true, `2["chat message","hi",7,{` + stamp + `,"clientOffset":"k\"1"}]`},
		{message(subject.General, "", "zoe", ""), false, `2["chat message","hi",7,{` + stamp + `,"username":"zoe"}]`},
		{message(subject.General, "u1", "zoe", ""), true,
			`2["chat message","hi",7,{` + stamp + `,"from":"u1","username":"zoe","clientOffset":"k\"1"}]`},
		{message(room, "u1", "zoe", ""), false,
			`2["room message",{"room":"r","content":"hi","from":"u1","username":"zoe","offset":7,` + stamp + `}]`},
		{message(room, "u1", "zoe", ""), true,
			`2["room message",{"room":"r","content":"hi","from":"u1","username":"zoe","offset":7,` + stamp + `,"clientOffset":"k\"1"}]`},
		{message(room, "", "", ""), false, `2["room message",{"room":"r","content":"hi","offset":7,` + stamp + `}]`},
		{message(pair, "u1", "zoe", "u2"), false,
			`2["private message",{"content":"hi","from":"u1","to":"u2","offset":7,` + stamp + `,"username":"zoe"}]`},
		{message(pair, "u1", "zoe", "u2"), true,
			`2["private message",{"content":"hi","from":"u1","to":"u2","offset":7,` + stamp + `,"username":"zoe","clientOffset":"k\"1"}]`},
	} {
		golden(t, AppendMessage(nil, c.e, c.own), c.want)
		golden(t, AppendMessage([]byte("4"), c.e, c.own), "4"+c.want)
		c.e.Key = ""
		if got := string(AppendMessage(nil, c.e, c.own)); strings.Contains(got, "clientOffset") {
			t.Errorf("a clientOffset without a key: %s", got)
		}
	}
	golden(t, NewMessage([]byte("4"), "zoe", "hi"), `42["new message",{"username":"zoe","message":"hi"}]`)
}

func TestEveryStringSurvivesTheWire(t *testing.T) {
	for _, s := range hostile {
		e := message(subject.General, "u1", s, "u2")
		e.Content, e.Key = s, s+"k"
		if args := decode(t, AppendMessage(nil, e, true)); args[1] != asSent(s) {
			t.Errorf("content %q came out as %q", s, args[1])
		} else {
			same(t, args[3], map[string]string{"username": s, "from": "u1", "clientOffset": s + "k"})
		}
		e.Conversation = pair
		same(t, decode(t, AppendMessage(nil, e, true))[1], map[string]string{"content": s, "username": s, "to": "u2", "clientOffset": s + "k"})
		e.Conversation = subject.Conversation{Kind: subject.Room, Name: "r" + s}
		same(t, decode(t, AppendMessage(nil, e, true))[1], map[string]string{"content": s, "username": s, "room": "r" + s, "clientOffset": s + "k"})
		same(t, decode(t, NewMessage(nil, s, s))[1], map[string]string{"username": s, "message": s})
	}
}

// same compares fields of an object that was sent; an empty one may be left out.
func same(t *testing.T, got any, want map[string]string) {
	t.Helper()
	fields, _ := got.(map[string]any)
	for field, s := range want {
		if text, _ := fields[field].(string); text != asSent(s) {
			t.Errorf("%s: %q came out as %q", field, s, fields[field])
		}
	}
}

func TestARoomThatIsCalledLikeAConversationIsARoom(t *testing.T) {
	for _, name := range []string{"dm", "room:general", "General", "general "} {
		e := message(subject.Conversation{Kind: subject.Room, Name: name}, "u1", "zoe", "")
		if args := decode(t, AppendMessage(nil, e, false)); args[0] != "room message" {
			t.Errorf("room %q: %v", name, args)
		}
	}
}

func TestReplayRecoveryAndWatermark(t *testing.T) {
	golden(t, Replay(0, 1001), `2["replay",{"from":0,"head":1001}]`)
	golden(t, Recovery{Recovered: true, From: 3, Head: 9, Count: 4, Epoch: "e"}.Packet(),
		`2["recovery",{"recovered":true,"from":3,"head":9,"count":4,"epoch":"e"}]`)
	golden(t, Watermark(9), `2["watermark",{"offset":9}]`)
}

func BenchmarkAppendMessage(b *testing.B) {
	for name, c := range map[string]subject.Conversation{"chat": subject.General, "room": room, "private": pair} {
		e := message(c, "018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0b", "zoe", "018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0c")
		e.ID, e.Content = "018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a", strings.Repeat("x", 200)
		b.Run(name, func(b *testing.B) {
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendMessage(buf[:0], e, false)
			}
		})
	}
}
