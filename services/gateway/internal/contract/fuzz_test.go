package contract

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Whatever a client says of itself, it is one kind of client, and within bounds.
func FuzzHello(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"serverOffset":"latest","epoch":1,"rooms":["a","a"]}`, `{"sessionID":"s","username":"u","serverOffset":7}`,
		`{"token":"x.y.z","username":"u"}`, `{"username":["u"],"rooms":{}}`, `{"serverOffset":1e999}`, `{"serverOffset":"-1"}`,
	} {
		f.Add(seed, uint8(len(seed)))
	}
	f.Fuzz(func(t *testing.T, text string, choices uint8) {
		var auth map[string]any
		if json.Unmarshal([]byte(text), &auth) != nil {
			return
		}
		o := Options{AllowGuests: choices&1 != 0, Tokens: choices&2 != 0, TokensRequired: choices&4 != 0, MaxRooms: int(choices >> 4)}
		h, err := ParseHello(auth, o)
		if err != nil {
			if !EndsAttempts(err) {
				t.Errorf("%s: %v is none of the contract's errors", text, err)
			}
			return
		}
		if h.Guest && (!o.AllowGuests || h.SessionID != "" || h.Username != "" || h.Token != "") {
			t.Errorf("%s: a guest: %+v", text, h)
		}
		if !h.Guest && h.SessionID == "" && h.Username == "" && h.Token == "" {
			t.Errorf("%s: nobody: %+v", text, h)
		}
		if h.Token != "" && !o.Tokens || o.Tokens && o.TokensRequired && h.Token == "" {
			t.Errorf("%s: with %+v a token %q", text, o, h.Token)
		}
		if h.Start.Offset > MaxOffset || (h.Start.Absent || h.Start.Latest) && h.Start.Offset != 0 || utf8.RuneCountInString(h.Username) > maxName {
			t.Errorf("%s: %+v", text, h)
		}
		slices.Sort(h.Rooms)
		if len(h.Rooms) > o.MaxRooms || len(slices.Compact(h.Rooms)) != len(h.Rooms) || slices.Contains(h.Rooms, "") {
			t.Errorf("%s: rooms %q", text, h.Rooms)
		}
	})
}

// Whatever a message holds, it is sent as one packet, and arrives as it is.
func FuzzMessages(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, s, s, s, uint64(7))
	}
	f.Fuzz(func(t *testing.T, content, name, key, room string, offset uint64) {
		e := &event.Event{
			Offset: offset % (MaxOffset + 1), At: time.Unix(0, int64(offset>>2)), ID: "018f", Sender: "u1", SenderName: name, Recipient: "u2", Key: key, Content: content,
		}
		for _, c := range []subject.Conversation{subject.General, pair, {Kind: subject.Room, Name: room}} {
			e.Conversation = c
			for _, own := range []bool{false, true} {
				args := decode(t, AppendMessage(nil, e, own))
				fields, _ := args[len(args)-1].(map[string]any)
				said := fields["content"]
				if args[0] == "chat message" {
					said = args[1]
				}
				shown, told := fields["clientOffset"].(string)
				if said != asSent(content) || told != (own && key != "") || told && shown != asSent(key) {
					t.Fatalf("%+v, own %v: sent %v", e, own, args)
				}
			}
		}
		decode(t, NewMessage(nil, name, content))
		decode(t, Typing(false, name, key, room))
		decode(t, UserJoined(name, 1))
		decode(t, append(AppendUser([]byte(UsersOpen), key, name, true, []*event.Event{e}), UsersClose...))
		HistoryPage([]*event.Event{e}, func(*event.Event) bool { return true }, false, false)
	})
}
