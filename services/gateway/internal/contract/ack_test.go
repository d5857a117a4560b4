package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/parsers/socket/v3/parser"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// sent is an ack as the library sends it.
func sent(ack map[string]any) string {
	id := uint64(5)
	var packet string
	for _, buffer := range parser.NewEncoder().Encode(&parser.Packet{Type: parser.ACK, Nsp: "/", Id: &id, Data: []any{ack}}) {
		packet += buffer.String()
	}
	return packet
}

func TestAcks(t *testing.T) {
	for _, c := range []struct {
		ack  map[string]any
		want string
	}{
		{Stored(7, "x", true), `{"duplicate":true,"id":"x","offset":7,"ok":true}`},
		{Joined("r", 7), `{"head":7,"ok":true,"room":"r"}`},
		{Left("r"), `{"ok":true,"room":"r"}`},
		{Refused(&Refusal{Code: TooLarge, Message: "m"}), `{"error":{"code":"too_large","message":"m"},"ok":false}`},
		{Refused(&Refusal{Code: UnknownRecipient, Message: "m"}), `{"error":{"code":"unknown_recipient","message":"m"},"ok":false}`},
		{Refused(&Refusal{Code: RateLimited, Message: "m", RetryAfter: 50 * time.Millisecond}),
			`{"error":{"code":"rate_limited","message":"m","retryAfterMs":50},"ok":false}`},
	} {
		if got := sent(c.ack); got != "35["+c.want+"]" {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestHistoryPages(t *testing.T) {
	const stamp = `"id":"018f","at":"2026-01-02T03:04:05.006Z"`
	mine := func(e *event.Event) bool { return e.Sender == "u1" }
	second := message(room, "u2", "max", "")
	second.Offset = 8
	keyless := message(pair, "u1", "zoe", "u2")
	keyless.Key = ""
	for _, c := range []struct {
		page []*event.Event
		more bool
		want string
	}{
		{nil, false, `{"messages":[],"more":false,"ok":true}`},
		{[]*event.Event{message(room, "u1", "zoe", ""), second}, true, `{"messages":[` +
			`{"room":"r","content":"hi","from":"u1","username":"zoe","offset":7,` + stamp + `,"clientOffset":"k\"1"},` +
			`{"room":"r","content":"hi","from":"u2","username":"max","offset":8,` + stamp + `}],"more":true,"ok":true}`},
		{[]*event.Event{message(subject.General, "", "", "")}, false,
			`{"messages":[{"room":"general","content":"hi","offset":7,` + stamp + `}],"more":false,"ok":true}`},
		{[]*event.Event{message(pair, "u1", "zoe", "u2")}, false, `{"messages":[` +
			`{"to":"u2","content":"hi","from":"u1","username":"zoe","offset":7,` + stamp + `,"clientOffset":"k\"1"}],"more":false,"ok":true}`},
		{[]*event.Event{keyless}, false, `{"messages":[` +
			`{"to":"u2","content":"hi","from":"u1","username":"zoe","offset":7,` + stamp + `}],"more":false,"ok":true}`},
	} {
		if got := sent(HistoryPage(c.page, mine, false, c.more)); got != "35["+c.want+"]" {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestAPageThatIsTooLargeLosesItsFarEnd, which is the newer one if newer ones were
// asked for.
func TestAPageThatIsTooLargeLosesItsFarEnd(t *testing.T) {
	var page []*event.Event
	for offset, size := range []int{maxPageBytes, 100 << 10, 100 << 10, 50 << 10, 100 << 10, 2 * maxPageBytes} {
		e := message(room, "u1", "zoe", "")
		e.Offset, e.Content = uint64(offset), strings.Repeat("x", size)
		page = append(page, e)
	}
	for _, c := range []struct {
		from, to int // of page
		newer    bool
		want     []uint64
		more     bool
	}{
		{1, 5, false, []uint64{2, 3, 4}, true},
		{1, 5, true, []uint64{1, 2, 3}, true},
		{1, 4, false, []uint64{1, 2, 3}, false},
		{1, 4, true, []uint64{1, 2, 3}, false},
		{0, 3, false, []uint64{1, 2}, true},
		{0, 3, true, []uint64{0}, true}, // one is always given
		{3, 6, false, []uint64{5}, true},
		{3, 6, true, []uint64{3, 4}, true},
		{5, 6, true, []uint64{5}, false},
		{0, 1, false, []uint64{0}, false},
		{0, 0, true, nil, false},
	} {
		var args []struct {
			Messages []struct{ Offset uint64 }
			More     bool
		}
		text := sent(HistoryPage(page[c.from:c.to], func(*event.Event) bool { return false }, c.newer, false))
		if err := json.Unmarshal([]byte(text[2:]), &args); err != nil {
			t.Fatal(err)
		}
		var got []uint64
		for _, m := range args[0].Messages {
			got = append(got, m.Offset)
		}
		if !slices.Equal(got, c.want) || args[0].More != c.more {
			t.Errorf("%+v: %v, more: %v", c, got, args[0].More)
		}
	}
}

func TestEveryStringSurvivesAHistoryPage(t *testing.T) {
	for _, s := range hostile {
		e := message(subject.Conversation{Kind: subject.Room, Name: s}, "u1", s, "")
		e.Content, e.Key = s, s
		var args []map[string]any
		if err := json.Unmarshal([]byte(sent(HistoryPage([]*event.Event{e}, func(*event.Event) bool { return true }, false, false))[2:]), &args); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		same(t, args[0]["messages"].([]any)[0], map[string]string{"room": s, "content": s, "username": s, "clientOffset": s})
	}
}

func BenchmarkHistoryPage(b *testing.B) {
	var page []*event.Event
	for i := range maxPage {
		e := message(room, "018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0b", "zoe", "")
		e.ID = fmt.Sprintf("018f3c2a-1b2c-7d3e-9f4a-%012d", i)
		page = append(page, e)
	}
	nobody := func(*event.Event) bool { return false }
	b.ReportAllocs()
	for b.Loop() {
		sent(HistoryPage(page, nobody, false, true))
	}
}
