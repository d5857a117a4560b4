package contract

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
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
		`[{"room":"a","before":7,"limit":3}]`, `[{"with":"u1","before":"7"}]`, `[{"serverOffset":"latest","epoch":1,"rooms":["a"]}]`,
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
