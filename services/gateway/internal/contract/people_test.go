package contract

import (
	"fmt"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/event"
)

func TestPeopleOnTheWire(t *testing.T) {
	golden(t, Session("s", "u1", ""), `2["session",{"sessionID":"s","userID":"u1"}]`)
	golden(t, Session("", "u1", "Ann"), `2["session",{"sessionID":"","userID":"u1","username":"Ann"}]`)
	golden(t, UserConnected("u1", "zoe"), `2["user connected",{"userID":"u1","username":"zoe","connected":true,"messages":[]}]`)
	golden(t, UserDisconnected("u1"), `2["user disconnected","u1"]`)
	golden(t, Login(3), `2["login",{"numUsers":3}]`)
	golden(t, UserJoined("zoe", 3), `2["user joined",{"username":"zoe","numUsers":3}]`)
	golden(t, UserLeft("zoe", 2), `2["user left",{"username":"zoe","numUsers":2}]`)
	golden(t, Typing(false, "zoe", "u1", "r"), `2["typing",{"username":"zoe","userID":"u1","room":"r"}]`)
	golden(t, Typing(true, "zoe", "", ""), `2["stop typing",{"username":"zoe"}]`)
	golden(t, Typing(false, "zoe", "u1", ""), `2["typing",{"username":"zoe","userID":"u1"}]`)
	golden(t, Typing(true, "zoe", "", "r"), `2["stop typing",{"username":"zoe","room":"r"}]`)
}

func TestUsersOnTheWire(t *testing.T) {
	golden(t, []byte(UsersOpen+UsersClose), `2["users",[]]`)
	there, answer := message(pair, "u1", "zoe", "u2"), message(pair, "u2", "max", "u1")
	answer.Offset, answer.Content = 8, "yes?"
	packet := AppendUser([]byte("4"+UsersOpen), "u1", "zoe", true, nil)
	packet = AppendUser(packet, "u2", "m[", false, []*event.Event{there, answer})
	packet = AppendUser(packet, "u1", "zoe", false, []*event.Event{there})
	golden(t, append(packet, UsersClose...), `42["users",[`+
		`{"userID":"u1","username":"zoe","connected":true,"messages":[]},`+
		`{"userID":"u2","username":"m[","connected":false,"messages":[`+
		`{"content":"hi","from":"u1","to":"u2","offset":7},{"content":"yes?","from":"u2","to":"u1","offset":8}]},`+
		`{"userID":"u1","username":"zoe","connected":false,"messages":[{"content":"hi","from":"u1","to":"u2","offset":7}]}]]`)
}

func TestEveryNameSurvivesTheWire(t *testing.T) {
	for _, s := range hostile {
		same(t, decode(t, Session(s, s, ""))[1], map[string]string{"sessionID": s, "userID": s})
		same(t, decode(t, UserConnected(s, s))[1], map[string]string{"userID": s, "username": s})
		same(t, decode(t, UserJoined(s, 1))[1], map[string]string{"username": s})
		same(t, decode(t, UserLeft(s, 1))[1], map[string]string{"username": s})
		same(t, decode(t, Typing(false, s, s, s))[1], map[string]string{"username": s, "userID": s, "room": s})
		if args := decode(t, UserDisconnected(s)); args[1] != asSent(s) {
			t.Errorf("%q came out as %q", s, args[1])
		}
		e := message(pair, "u1", "zoe", "u2")
		e.Content = s
		packet := AppendUser([]byte(UsersOpen), s, s, true, []*event.Event{e})
		user := decode(t, append(packet, UsersClose...))[1].([]any)[0].(map[string]any)
		same(t, user, map[string]string{"userID": s, "username": s})
		same(t, user["messages"].([]any)[0], map[string]string{"content": s})
	}
}

func BenchmarkUsers(b *testing.B) {
	names, withMessages := make([]string, 2000), []*event.Event{message(pair, "u1", "zoe", "u2")}
	for i := range names {
		names[i] = fmt.Sprintf("user %d", i)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = append(buf[:0], UsersOpen...)
		for i, name := range names {
			if i%20 == 0 {
				buf = AppendUser(buf, "0123456789abcdef0123456789abcdef", name, true, withMessages)
			} else {
				buf = AppendUser(buf, "0123456789abcdef0123456789abcdef", name, false, nil)
			}
		}
		buf = append(buf, UsersClose...)
	}
	b.SetBytes(int64(len(buf)))
}
