package crowd

import (
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/measure"
)

// TestAReplayIsAnnouncedOnceAndFirst lets a guest hear replays where they may come, and
// where not.
func TestAReplayIsAnnouncedOnceAndFirst(t *testing.T) {
	const (
		long     = `["replay",{"from":5,"head":1006}]`
		message  = `["chat message","hi",7,{"id":"018f","at":"2026-01-02T03:04:05.006Z"}]`
		recovery = `["recovery",{"recovered":true,"from":5,"head":1006,"count":1,"epoch":"e"}]`
	)
	for _, c := range []struct {
		said []string
		fine bool
	}{
		{[]string{long, message, recovery}, true},
		{[]string{long, recovery}, true},
		{[]string{message, recovery}, true},
		{[]string{long, long, recovery}, false},
		{[]string{message, long, recovery}, false},
		{[]string{recovery, long}, false},
		{[]string{`["replay",{"from":5,"head":1005}]`}, false},
		{[]string{`["replay",{"from":1006,"head":5}]`}, false},
		{[]string{`["replay",{"head":5000}]`}, false},
		{[]string{`["replay"]`}, false},
	} {
		crowd := New(Options{Gateways: []string{"http://a"}, Record: true, Meter: measure.New(time.Now())})
		m := newMember(crowd, Profile{Name: "guest", seats: 1}, "guest-1", nil)
		l := &line{record: &history.Connection{Gateway: "http://a"}}
		for _, event := range c.said {
			m.seats[0].hear(l, []byte(event))
		}
		fine := true
		for _, e := range l.record.Entries {
			fine = fine && e.Kind != history.Malformed
		}
		if fine != c.fine {
			t.Errorf("%q: %+v", c.said, l.record.Entries)
		}
	}
}
