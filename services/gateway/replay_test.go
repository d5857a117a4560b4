package gateway_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// TestALongReplayIsAnnounced to guests and users, from the tail and from before it, and
// a short one is not.
func TestALongReplayIsAnnounced(t *testing.T) {
	t.Parallel()
	const quiet = 1500
	s, _, at := together(t, 1)
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice"})
	first := toRoom(t, gatewaytest.Join(t, at[0], nil), "general", "long ago").Offset
	last := logtest.Fill(t, s.Connect(), quiet, func(int) event.Event { return logtest.Message(t, "elsewhere", "x") })
	said := toRoom(t, gatewaytest.Join(t, at[0], auth{"serverOffset": "latest"}), "general", "just now").Offset
	eventually(t, "the gateway has followed", func() bool { return metric(at[0], "tidemark_gateway_feed_offset") >= float64(said) })
	for _, c := range []struct {
		auth auth
		want []string // events, without those of presence
		from uint64
	}{
		{nil, []string{"replay", "chat message", "chat message", "recovery"}, 0},
		{auth{"serverOffset": first}, []string{"replay", "chat message", "recovery"}, first},
		{auth{"serverOffset": last - 900}, []string{"chat message", "recovery"}, 0},
		{auth{"serverOffset": "latest"}, []string{"recovery"}, 0},
		{auth{"sessionID": alice.SessionID}, []string{"session", "users", "recovery"}, 0},
		{auth{"sessionID": alice.SessionID, "serverOffset": first, "rooms": []string{"general"}}, []string{"session", "users", "replay", "chat message", "recovery"}, first},
		{auth{"serverOffset": said, "epoch": "another"}, []string{"replay", "chat message", "chat message", "recovery"}, 0},
	} {
		p := gatewaytest.Join(t, at[0], c.auth)
		var got []string
		for _, e := range p.Began {
			if e.Name == "user connected" || e.Name == "user disconnected" {
				continue
			}
			got = append(got, e.Name)
			if e.Name == "replay" {
				var r struct{ From, Head *uint64 }
				if err := json.Unmarshal(e.Args[0], &r); err != nil || r.From == nil || *r.From != c.from || r.Head == nil || *r.Head < said || *r.Head > p.Recovery.Head {
					t.Errorf("%v: replay %s, recovery %+v, %v", c.auth, e.Args, p.Recovery, err)
				}
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.auth, got, c.want)
		}
		p.Close()
	}
}
