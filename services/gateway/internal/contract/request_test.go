package contract

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestHistoryArguments(t *testing.T) {
	for _, c := range []struct {
		args string
		want History
		code Code
	}{
		{`[{"room":"a"}]`, History{Room: "a", Limit: 50}, ""},
		{`[{"with":"u1"}]`, History{With: "u1", Limit: 50}, ""},
		{`[{"room":"a","with":null,"before":null,"limit":null}]`, History{Room: "a", Limit: 50}, ""},
		{`[{"room":"a","before":7,"limit":1,"x":1}]`, History{Room: "a", Before: 7, Limit: 1}, ""},
		{`[{"room":"a","before":"7","limit":100}]`, History{Room: "a", Before: 7, Limit: 100}, ""},
		{`[{"room":"a","before":9007199254740991,"limit":101}]`, History{Room: "a", Before: MaxOffset, Limit: 100}, ""},
		{`[{"room":"a","limit":1e300}]`, History{Room: "a", Limit: 100}, ""},
		{`[{"room":"a","with":"u1"}]`, History{}, InvalidPayload},
		{`[{}]`, History{}, InvalidPayload},
		{`[{"room":null}]`, History{}, InvalidPayload},
		{`[{"room":""}]`, History{}, InvalidPayload},
		{`[{"room":7}]`, History{}, InvalidPayload},
		{`[{"with":""}]`, History{}, InvalidPayload},
		{`[{"with":"` + strings.Repeat("u", 129) + `"}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":0}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":"0"}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":""}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":-1}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":1.5}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":"latest"}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":9007199254740992}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":[7]}]`, History{}, InvalidPayload},
		{`[{"room":"a","limit":0}]`, History{}, InvalidPayload},
		{`[{"room":"a","limit":-1e300}]`, History{}, InvalidPayload},
		{`[{"room":"a","limit":1.5}]`, History{}, InvalidPayload},
		{`[{"room":"a","limit":"10"}]`, History{}, InvalidPayload},
		{`[{"room":"a","after":0}]`, History{Room: "a", Newer: true, Limit: 50}, ""},
		{`[{"with":"u1","after":7,"limit":2,"before":null,"at":null}]`, History{With: "u1", Newer: true, After: 7, Limit: 2}, ""},
		{`[{"room":"a","after":"9007199254740991"}]`, History{Room: "a", Newer: true, After: MaxOffset, Limit: 50}, ""},
		{`[{"room":"a","after":null}]`, History{Room: "a", Limit: 50}, ""},
		{`[{"room":"a","after":-1}]`, History{}, InvalidPayload},
		{`[{"room":"a","after":1.5}]`, History{}, InvalidPayload},
		{`[{"room":"a","after":""}]`, History{}, InvalidPayload},
		{`[{"room":"a","after":"latest"}]`, History{}, InvalidPayload},
		{`[{"room":"a","after":9007199254740992}]`, History{}, InvalidPayload},
		{`[{"room":"a","after":false}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-01-02T03:04:05Z"}]`, History{Room: "a", At: endOf(0), Limit: 50}, ""},
		{`[{"with":"u1","at":"2026-01-02T03:04:05.006Z","limit":9}]`, History{With: "u1", At: endOf(6), Limit: 9}, ""},
		{`[{"room":"a","at":"2026-01-02T03:04:05.006999999Z"}]`, History{Room: "a", At: endOf(6), Limit: 50}, ""},
		{`[{"room":"a","at":"2026-01-02T03:04:05.9Z"}]`, History{Room: "a", At: endOf(900), Limit: 50}, ""},
		{`[{"room":"a","at":"2026-01-02T08:34:05+05:30"}]`, History{Room: "a", At: endOf(0), Limit: 50}, ""},
		{`[{"room":"a","at":"2026-01-01T19:04:05-08:00"}]`, History{Room: "a", At: endOf(0), Limit: 50}, ""},
		{`[{"room":"a","at":"1970-01-01T00:00:00Z"}]`, History{Room: "a", At: time.Unix(0, 999_999).UTC(), Limit: 50}, ""},
		{`[{"room":"a","at":"9999-12-31T23:59:59.999Z"}]`, History{Room: "a", At: time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), Limit: 50}, ""},
		{`[{"room":"a","at":"1970-01-01T00:00:00+00:01"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"1969-12-31T23:59:59.999Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"9999-12-31T23:59:59-00:01"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"10000-01-01T00:00:00Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"0000-00-00T00:00:00Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-02-30T00:00:00Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-01-02T3:04:05Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-01-02T03:04:05,5Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-01-02T03:04:05"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-01-02 03:04:05Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-01-02T03:04:05+24:00"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-01-02T24:00:00Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-01-02T03:04:05Z\n"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"2026-01-02"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":"yesterday"}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":""}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":1767323045006}]`, History{}, InvalidPayload},
		{`[{"room":"a","at":["2026-01-02T03:04:05Z"]}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":7,"after":7}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":7,"at":"2026-01-02T03:04:05Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","after":0,"at":"2026-01-02T03:04:05Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a","before":7,"after":7,"at":"2026-01-02T03:04:05Z"}]`, History{}, InvalidPayload},
		{`[{"room":"a"},{}]`, History{}, InvalidPayload},
		{`["a"]`, History{}, InvalidPayload},
		{`[]`, History{}, InvalidPayload},
	} {
		got, refusal := ParseHistory(list(t, c.args))
		check(t, c.args, got, refusal, c.want, c.code)
	}
	for _, v := range []float64{math.NaN(), math.Inf(-1)} {
		if _, refusal := ParseHistory([]any{map[string]any{"room": "a", "limit": v}}); refusal == nil {
			t.Errorf("limit %v passes", v)
		}
	}
}

// endOf is the end of a millisecond of the second that the table's times are of.
func endOf(millisecond int) time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, millisecond*1_000_000+999_999, time.UTC)
}

func TestRoomArguments(t *testing.T) {
	longest := strings.Repeat("é", 128)
	for _, c := range []struct {
		args string
		want string
		code Code
	}{
		{`[{"room":"a"}]`, "a", ""},
		{`[{"room":"general","x":{}}]`, "general", ""},
		{`[{"room":"` + longest + `"}]`, longest, ""},
		{`[{"room":"` + longest + `é"}]`, "", InvalidPayload},
		{`[{"room":""}]`, "", InvalidPayload},
		{`[{"room":null}]`, "", InvalidPayload},
		{`[{}]`, "", InvalidPayload},
		{`["a"]`, "", InvalidPayload},
		{`[{"room":"a"},null]`, "", InvalidPayload},
		{`[]`, "", InvalidPayload},
	} {
		got, refusal := ParseRoom(list(t, c.args))
		check(t, c.args, got, refusal, c.want, c.code)
	}
}

func TestTypingArguments(t *testing.T) {
	for _, c := range []struct {
		args string
		want TypingTo
		code Code
	}{
		{`[]`, TypingTo{Room: "general"}, ""},
		{`[null]`, TypingTo{Room: "general"}, ""},
		{`[{"room":"a"}]`, TypingTo{Room: "a"}, ""},
		{`[{"to":"u1","room":null}]`, TypingTo{To: "u1"}, ""},
		{`[{"to":"u1","room":"a"}]`, TypingTo{}, InvalidPayload},
		{`[{}]`, TypingTo{}, InvalidPayload},
		{`[{"to":7}]`, TypingTo{}, InvalidPayload},
		{`[{"room":""}]`, TypingTo{}, InvalidPayload},
		{`["a"]`, TypingTo{}, InvalidPayload},
		{`[null,null]`, TypingTo{}, InvalidPayload},
	} {
		got, refusal := ParseTyping(list(t, c.args))
		check(t, c.args, got, refusal, c.want, c.code)
	}
}

func TestNicknameArguments(t *testing.T) {
	longest := strings.Repeat("é", 64)
	for _, c := range []struct {
		args string
		want string
		code Code
	}{
		{`["zoe"]`, "zoe", ""},
		{`["` + longest + `"]`, longest, ""},
		{`["` + longest + `é"]`, "", InvalidPayload},
		{`[""]`, "", InvalidPayload},
		{`[null]`, "", InvalidPayload},
		{`[{"username":"zoe"}]`, "", InvalidPayload},
		{`["zoe","x"]`, "", InvalidPayload},
		{`[]`, "", InvalidPayload},
	} {
		got, refusal := ParseNickname(list(t, c.args))
		check(t, c.args, got, refusal, c.want, c.code)
	}
}

// Whatever JSON a client sends, nothing panics, and what passes is within bounds.
func FuzzParsers(f *testing.F) {
	for _, seed := range []string{
		`[]`, `["hi","k"]`, `[null]`, `[{"room":"a","content":"hi","clientOffset":"k"}]`, `[{"to":"u1","content":"hi"}]`,
		`[{"room":"a","before":7,"limit":3}]`, `[{"with":"u1","before":"7"}]`, `[{"room":"a","after":0}]`, `[{"room":"a","at":"2026-01-02T03:04:05.006+01:00"}]`, `[{"serverOffset":"latest","epoch":1,"rooms":["a"]}]`,
		`[{"sessionID":"s","username":"u","serverOffset":7}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var args []any
		if json.Unmarshal([]byte(text), &args) != nil {
			return
		}
		within := func(what, s string, most int) {
			if s == "" || utf8.RuneCountInString(s) > most {
				t.Errorf("%s: %s %q", text, what, s)
			}
		}
		post := func(p Post, refusal *Refusal) {
			if refusal == nil && (p.Content == "" || len(p.Content) > limit || utf8.RuneCountInString(p.Key) > maxKey) {
				t.Errorf("%s: %+v", text, p)
			}
		}
		post(ParseChatMessage(args, limit))
		post(ParseNewMessage(args, limit))
		if m, refusal := ParseRoomMessage(args, limit); refusal == nil {
			within("room", m.Room, maxRoom)
			post(m.Post, nil)
		}
		if m, refusal := ParsePrivateMessage(args, limit); refusal == nil {
			within("to", m.To, maxUser)
			post(m.Post, nil)
		}
		if h, refusal := ParseHistory(args); refusal == nil {
			within("room or with", h.Room+h.With, maxRoom)
			if (h.Room == "") == (h.With == "") || h.Before > MaxOffset || h.Limit < 1 || h.Limit > maxPage {
				t.Errorf("%s: %+v", text, h)
			}
			timed := !h.At.IsZero()
			if h.Before > 0 && (h.Newer || timed) || h.Newer && timed || h.After > MaxOffset || timed && (h.At.Year() < 1970 || h.At.Year() > 9999) {
				t.Errorf("%s: %+v", text, h)
			}
		}
		if to, refusal := ParseTyping(args); refusal == nil {
			within("room or to", to.Room+to.To, maxRoom)
		}
		if room, refusal := ParseRoom(args); refusal == nil {
			within("room", room, maxRoom)
		}
		if name, refusal := ParseNickname(args); refusal == nil {
			within("username", name, maxName)
		}
		for _, arg := range args {
			auth, _ := arg.(map[string]any)
			h, err := ParseHello(auth, guestsToo)
			if err != nil {
				continue
			}
			if h.Start.Offset > MaxOffset || len(h.Rooms) > guestsToo.MaxRooms || utf8.RuneCountInString(h.Username) > maxName {
				t.Errorf("%s: %+v", text, h)
			}
			if h.Guest != (h.SessionID == "" && h.Username == "") {
				t.Errorf("%s: who is %+v", text, h)
			}
		}
	})
}
