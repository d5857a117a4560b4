package contract

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestServerOffset(t *testing.T) {
	valid := map[string]Start{
		`0`: {}, `""`: {}, `null`: {}, `7`: {Offset: 7}, `"7"`: {Offset: 7}, `"007"`: {Offset: 7}, `7.0`: {Offset: 7},
		`9007199254740991`: {Offset: MaxOffset}, `"9007199254740991"`: {Offset: MaxOffset}, `"latest"`: {Latest: true},
	}
	for text, want := range valid {
		if got, err := ParseHello(auth(t, text), true); err != nil || got.Start != want {
			t.Errorf("serverOffset %s: %+v, %v; want %+v", text, got.Start, err, want)
		}
	}
	for _, text := range []string{
		`-1`, `1.5`, `"-1"`, `"+1"`, `"1.5"`, `" 1"`, `"1 "`, `"0x10"`, `"1e3"`, `"LATEST"`, `"NaN"`, `{}`, `[]`, `[1]`, `true`, `false`,
		`9007199254740993`, `"9007199254740992"`, `1e300`, `"` + strings.Repeat("9", 400) + `"`, `"١"`, `"\u0000"`,
	} {
		if got, err := ParseHello(auth(t, text), true); !errors.Is(err, ErrInvalidOffset) {
			t.Errorf("serverOffset %s: %+v, %v; want %q", text, got, err, ErrInvalidOffset)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := ParseHello(map[string]any{"serverOffset": v}, true); !errors.Is(err, ErrInvalidOffset) {
			t.Errorf("serverOffset %v: %v", v, err)
		}
	}
}

func auth(t *testing.T, serverOffset string) map[string]any {
	t.Helper()
	var a map[string]any
	if err := json.Unmarshal([]byte(`{"serverOffset":`+serverOffset+`,"pid":"x","offset":"y","epoch":"e"}`), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWhoConnects(t *testing.T) {
	for _, c := range []struct {
		auth   map[string]any
		guests bool
		want   error
	}{
		{nil, true, nil},
		{map[string]any{}, true, nil},
		{map[string]any{"pid": "x", "offset": 1.0}, true, nil},
		{nil, false, ErrNoGuests},
		{map[string]any{"username": ""}, true, ErrInvalidUsername},
		{map[string]any{"username": 7.0}, true, ErrInvalidUsername},
		{map[string]any{"username": nil}, true, ErrInvalidUsername},
		{map[string]any{"username": strings.Repeat("é", 65)}, true, ErrInvalidUsername},
		{map[string]any{"username": strings.Repeat("é", 64)}, true, ErrNoUsers},
		{map[string]any{"sessionID": "unknown"}, true, ErrInvalidUsername},
		{map[string]any{"token": "x"}, true, ErrNoUsers},
		{map[string]any{"token": nil, "sessionID": nil}, true, nil},
	} {
		if _, err := ParseHello(c.auth, c.guests); !errors.Is(err, c.want) {
			t.Errorf("auth %v: %v, want %v", c.auth, err, c.want)
		}
	}
}

func TestChatMessageArguments(t *testing.T) {
	const limit = 10
	for _, c := range []struct {
		args string
		want Post
		code Code
	}{
		{`["hi"]`, Post{Content: "hi"}, ""},
		{`["hi",null]`, Post{Content: "hi"}, ""},
		{`["hi","k"]`, Post{Content: "hi", Key: "k"}, ""},
		{`[" "]`, Post{Content: " "}, ""},
		{`["<b>\u0000"]`, Post{Content: "<b>\x00"}, ""},
		{`["0123456789"]`, Post{Content: "0123456789"}, ""},
		{`["01234567890"]`, Post{}, TooLarge},
		{`["ééééé"]`, Post{Content: "ééééé"}, ""},
		{`["éééééé"]`, Post{}, TooLarge},
		{`[]`, Post{}, InvalidPayload},
		{`[""]`, Post{}, InvalidPayload},
		{`[null]`, Post{}, InvalidPayload},
		{`[7]`, Post{}, InvalidPayload},
		{`[{}]`, Post{}, InvalidPayload},
		{`[["hi"]]`, Post{}, InvalidPayload},
		{`[true,"k"]`, Post{}, InvalidPayload},
		{`["hi",7]`, Post{}, InvalidPayload},
		{`["hi",""]`, Post{}, InvalidPayload},
		{`["hi",{}]`, Post{}, InvalidPayload},
		{`["hi","k","x"]`, Post{}, InvalidPayload},
		{`["hi","` + strings.Repeat("k", 128) + `"]`, Post{Content: "hi", Key: strings.Repeat("k", 128)}, ""},
		{`["hi","` + strings.Repeat("k", 129) + `"]`, Post{}, InvalidPayload},
	} {
		var args []any
		if err := json.Unmarshal([]byte(c.args), &args); err != nil {
			t.Fatal(err)
		}
		got, refusal := ParseChatMessage(args, limit)
		var code Code
		if refusal != nil {
			code = refusal.Code
		}
		if got != c.want || code != c.code {
			t.Errorf("%s: %+v, %q; want %+v, %q", c.args, got, code, c.want, c.code)
		}
	}
}

func TestMessageOnTheWire(t *testing.T) {
	e := event.Event{
		Offset: 7, At: time.Date(2026, 1, 2, 3, 4, 5, 6_789_000, time.UTC), ID: "018f", Conversation: subject.General, Key: `k"1`,
	}
	for _, c := range []struct {
		content string
		own     bool
		want    string
	}{
		{"hi", false, `2["chat message","hi",7,{"id":"018f","at":"2026-01-02T03:04:05.006Z"}]`},
		{"hi", true, `2["chat message","hi",7,{"id":"018f","at":"2026-01-02T03:04:05.006Z","clientOffset":"k\"1"}]`},
	} {
		e.Content = c.content
		if got := string(AppendMessage(nil, &e, c.own)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestEveryStringSurvivesTheWire(t *testing.T) {
	for _, s := range []string{"", "plain", `"`, `\`, "\x00\x1f\x7f", "<b>&'", "é日本🎉", "\u2028\u2029", "a\nb\tc"} {
		e := event.Event{Offset: 1, Content: s, Sender: "u", SenderName: s}
		packet := AppendMessage(nil, &e, false)
		var args []any
		if err := json.Unmarshal(packet[1:], &args); err != nil {
			t.Fatalf("%q: %v in %s", s, err, packet)
		}
		meta := args[3].(map[string]any)
		if args[1] != s || meta["username"] != s || meta["from"] != "u" {
			t.Errorf("%q came out as %q and %q", s, args[1], meta["username"])
		}
	}
	if got := appendString(nil, "a\xffb"); !json.Valid(got) {
		t.Errorf("invalid UTF-8 made invalid JSON: %q", got)
	}
}

func TestAcks(t *testing.T) {
	for _, c := range []struct {
		ack  map[string]any
		want string
	}{
		{Stored(7, "x", true), `{"duplicate":true,"id":"x","offset":7,"ok":true}`},
		{Refused(&Refusal{Code: TooLarge, Message: "m"}), `{"error":{"code":"too_large","message":"m"},"ok":false}`},
		{Refused(&Refusal{Code: RateLimited, Message: "m", RetryAfter: 50 * time.Millisecond}),
			`{"error":{"code":"rate_limited","message":"m","retryAfterMs":50},"ok":false}`},
	} {
		if got, _ := json.Marshal(c.ack); string(got) != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestRecoveryAndWatermark(t *testing.T) {
	got := string(Recovery{Recovered: true, From: 3, Head: 9, Count: 4, Epoch: "e"}.Packet())
	if want := `2["recovery",{"recovered":true,"from":3,"head":9,"count":4,"epoch":"e"}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(Watermark(9)), `2["watermark",{"offset":9}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzHello(f *testing.F) {
	f.Add(`{"serverOffset":7}`)
	f.Add(`{"serverOffset":"latest","epoch":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		var a map[string]any
		if json.Unmarshal([]byte(text), &a) != nil {
			return
		}
		if h, err := ParseHello(a, true); err == nil && h.Start.Offset > MaxOffset {
			t.Fatalf("%s: offset %d", text, h.Start.Offset)
		}
	})
}

func BenchmarkAppendMessage(b *testing.B) {
	e := event.Event{Offset: 1234567, At: time.Now().UTC(), ID: "018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a", Content: strings.Repeat("x", 200)}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendMessage(buf[:0], &e, false)
	}
}
