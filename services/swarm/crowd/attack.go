package crowd

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// badAuth is something that makes a connection one to refuse.
func badAuth(rng *rand.Rand) (name string, value any) {
	bad := []any{-1, 1.5, "12x", map[string]any{}, []int{1}, true, float64(1 << 60)}
	return "serverOffset", bad[rng.IntN(len(bad))]
}

// refused are events that a gateway must refuse, or not answer at all.
var refused = [][]any{
	{"chat message", 5}, {"chat message", nil}, {"chat message", []any{"a"}}, {"chat message", map[string]any{"a": 1}}, {"chat message", ""},
	{"chat message"}, {"chat message", "not a member of general"},
	{"chat message", strings.Repeat("x", 20_000)},
	{"chat message", "a", 7}, {"chat message", "a", strings.Repeat("k", 129)},
	{"private message"}, {"private message", nil}, {"private message", map[string]any{"content": "a"}},
	{"private message", map[string]any{"content": "a", "to": 5}},
	{"private message", map[string]any{"content": "a", "to": "nobody has this id"}},
	{"private message", map[string]any{"content": "a", "to": []string{"x"}}},
	{"private message", map[string]any{"content": map[string]any{}, "to": "x"}},
	{"room message", map[string]any{"room": "a room of others", "content": "a"}},
	{"room message", map[string]any{"room": "*", "content": "a"}}, {"room message", map[string]any{"room": ">", "content": "a"}},
	{"room message", map[string]any{"room": 5, "content": "a"}}, {"room message", "swarm-room-0", "a"},
	{"room join"}, {"room join", map[string]any{"room": 5}}, {"room join", map[string]any{"room": ""}},
	{"room join", map[string]any{"room": strings.Repeat("r", 5000)}},
	{"room leave", map[string]any{"room": map[string]any{}}},
	{"history", map[string]any{"room": "a room of others"}}, {"history", map[string]any{}}, {"history", map[string]any{"with": 5}},
	{"an event that nobody knows", 1, 2, 3},
}

// broken are packets that break the protocol, or nearly.
var broken = []string{
	"", "4", "42", "49", "9", "6", "1", "2probe", "0{}", `40/admin,`, `41/admin,`, `43999999[]`, `42["chat message"`, `42[1,2]`, `42{}`, `42[]`,
	`450-["chat message"]`, `451-["chat message",{"_placeholder":true,"num":0}]`, `4299999999999999999999["chat message","a"]`,
	"42" + strings.Repeat("[", 50_000), `42["chat message","` + strings.Repeat("x", 900_000) + `"]`, "\x00\xff",
}

// attack does something that nobody should do. What comes of it is the gateway's business, as long as it is no success.
func (s *seat) attack() {
	m := s.m
	m.actor.Mu.Lock()
	conn, l := s.conn, s.line
	which, event, packet := m.rng.IntN(10), refused[m.rng.IntN(len(refused))], broken[m.rng.IntN(len(broken))]
	m.actor.Mu.Unlock()
	switch {
	case conn == nil:
	case which == 0:
		_ = conn.Write([]byte(packet))
	case which == 1:
		_ = conn.WriteBinary([]byte(packet))
	default:
		_ = conn.Ask(client.Payload(event...), func(args []byte) { s.rebuffed(l, event, args) })
	}
}

// rebuffed takes the answer to an event that must be refused.
func (s *seat) rebuffed(l *line, event []any, args []byte) {
	var all []struct{ OK *bool }
	err := json.Unmarshal(args, &all)
	if err == nil && len(all) == 1 && all[0].OK != nil && !*all[0].OK {
		return
	}
	text := fmt.Sprintf("what must be refused was answered with %.200s: %.100s", args, client.Payload(event...))
	s.m.actor.Mu.Lock()
	defer s.m.actor.Mu.Unlock()
	s.note(l, history.Entry{Kind: history.Malformed, Text: text})
}
