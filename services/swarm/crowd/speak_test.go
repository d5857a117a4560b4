package crowd

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/measure"
)

// What a guest sends under a key that is good for one connection would be another message on the next one.
func TestWhatIsBoundToAConnectionIsNotSentOverAnother(t *testing.T) {
	c := New(Options{Meter: measure.New(time.Now())})
	m := newMember(c, Profiles[0], "guest-1", rand.New(rand.NewPCG(1, 1)))
	s := m.seats[0]
	s.conn, s.line = new(client.Conn), &line{record: &history.Connection{}}
	p := &pending{send: &history.Send{Key: unbornKey + "1"}, bound: true, over: new(client.Conn)}
	s.try(p)
	if len(p.send.Tries) > 0 || p.over == s.conn {
		t.Errorf("it was sent: %+v", p.send.Tries)
	}
}
