package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// TestHistoryAtATimeEndsWithTheLastMessageOfThatTime asks for the time of each message
// as it is shown, for just before it, and for times before and after all, wherever the
// read model ends.
func TestHistoryAtATimeEndsWithTheLastMessageOfThatTime(t *testing.T) {
	t.Parallel()
	s, m, at := together(t, 1, func(c *config.Config) { c.Gateway.TailBytes = 64 << 10 })
	alice := gatewaytest.Join(t, at[0], auth{"username": "alice", "rooms": []string{"r"}})
	bob := gatewaytest.Join(t, at[0], auth{"username": "bob"})
	toRoom(t, alice, "r", "the first")
	fill(t, s, alice, bob, 450)
	last := toRoom(t, alice, "r", "the last").Offset
	privately(t, alice, bob.UserID, "the last")
	all := map[string][]gatewaytest.Post{}
	for name, of := range map[string]map[string]any{"r": {"room": "r"}, "bob": {"with": bob.UserID}} {
		all[name] = backwards(t, alice, of, 100, 0, func() {})
	}
	for _, limit := range []uint64{last, last - 100, last - 300} {
		m.Hold(limit)
		for name, posts := range all {
			of := map[string]any{"room": "r", "limit": 3}
			if name == "bob" {
				of = map[string]any{"with": bob.UserID, "limit": 3}
			}
			for i := 0; i < len(posts); i += 1 + len(posts)/12 {
				shown := moment(t, posts[i].At)
				for _, when := range []time.Time{shown, shown.Add(-time.Millisecond), shown.In(time.FixedZone("", 3600))} {
					of["at"] = when.Format(time.RFC3339Nano)
					n := 0
					for n < len(posts) && !moment(t, posts[n].At).After(when) {
						n++
					}
					got := page(t, alice, of)
					if want := posts[max(0, n-3):n]; !slices.Equal(got.Messages, want) || got.More != (n > 3) {
						t.Fatalf("%v: %v, more: %v; want %v", of, gatewaytest.Offsets(got.Messages), got.More, gatewaytest.Offsets(want))
					}
				}
			}
			of["at"] = "1970-01-01T00:00:00Z"
			if got := page(t, alice, of); len(got.Messages) > 0 || got.More {
				t.Errorf("before everything: %+v", got)
			}
			of["at"] = "9999-12-31T23:59:59.999Z"
			if got := page(t, alice, of); !slices.Equal(got.Messages, posts[len(posts)-3:]) || !got.More {
				t.Errorf("after everything: %+v", got)
			}
		}
	}
}

func moment(t testing.TB, at string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// TestWithoutAReadModelHistoryGoesAsFarAsTailAndLog asks where nobody answers for the
// read model: as where an older persister does not know the question.
func TestWithoutAReadModelHistoryGoesAsFarAsTailAndLog(t *testing.T) {
	t.Parallel()
	s := logtest.Start(t)
	cfg := gatewaytest.Config(s.URL())
	cfg.Gateway.TailBytes = 64 << 10
	g := gatewaytest.Start(t, cfg)
	guest := gatewaytest.Join(t, g.Address, auth{"rooms": []string{"r"}})
	var offsets []uint64
	for i := range 60 { // about twice what the tail holds
		offsets = append(offsets, toRoom(t, guest, "r", fmt.Sprint(i, strings.Repeat("x", 2<<10))).Offset)
	}
	posts := forwards(t, guest, map[string]any{"room": "r"}, 7, 0, func() {})
	if got := gatewaytest.Offsets(posts); !slices.Equal(got, offsets) {
		t.Errorf("forwards: %v, want %v", got, offsets)
	}
	last := posts[len(posts)-1]
	if got := page(t, guest, map[string]any{"room": "r", "at": last.At, "limit": 1}); !slices.Equal(got.Messages, []gatewaytest.Post{last}) || !got.More {
		t.Errorf("now: %+v", got)
	}
	unanswered := func() float64 { return metric(g.Address, "tidemark_gateway_messages_unanswered_total") }
	before := unanswered()
	early, err := guest.Start("history", map[string]any{"room": "r", "at": "2000-01-01T00:00:00Z"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "what only the read model knows is not answered", func() bool { return unanswered() > before })
	gatewaytest.ServeReadModel(t, s)
	if got := page(t, guest, map[string]any{"room": "r", "at": "2000-01-01T00:00:00Z"}); len(got.Messages) > 0 || got.More {
		t.Errorf("before everything: %+v", got)
	}
	select {
	case answer := <-early:
		t.Errorf("it was answered: %s", answer.Args)
	default:
	}
}
