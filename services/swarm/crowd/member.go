package crowd

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// unbornKey begins the keys that the tutorial's page makes before it has a socket id. They are good for the connection
// they are sent on.
const unbornKey = "undefined-"

const (
	maxOutbox   = 64              // messages that wait for their ack; then nothing new is said
	look        = time.Second     // longest time between two looks at the outbox
	roamPart    = 0.15            // of what a roamer does is to join or leave a room
	directPart  = 0.4             // of what a user says is to another user
	keylessPart = 0.05            // of messages are sent without a key, once
	maxBackoff  = 2 * time.Second // before the next attempt to connect
	dialTimeout = 10 * time.Second
)

// member is one client with one identity. What changes is guarded by actor.Mu, which is held for moments only and
// never while anything is written to a connection.
type member struct {
	c     *Crowd
	p     Profile
	actor *history.Actor
	seats []*seat
	known chan struct{} // closed once it has a session

	publishes bool // acts for Publish alone, and passes the door

	rng     *rand.Rand
	session string
	outbox  []*pending
	made    int // messages so far
}

// pending is a message that is not acked yet.
type pending struct {
	send    *history.Send
	payload []byte
	over    *client.Conn // the connection of the last try
	tried   time.Time    // the last time
	rest    time.Time    // not before, because it was refused as too fast
	once    bool         // without a key: sent once
	bound   bool         // its key is good for one connection only
}

func newMember(c *Crowd, p Profile, name string, rng *rand.Rand) *member {
	m := &member{c: c, p: p, rng: rng, known: make(chan struct{}), actor: &history.Actor{Name: name, Profile: p.Name}}
	if p.user {
		m.actor.Username = name
	}
	rooms := m.someRooms()
	for range p.seats {
		m.seats = append(m.seats, &seat{m: m, rooms: slices.Clone(rooms)})
	}
	return m
}

// room is a room's name by number.
func room(n int) string { return "swarm-room-" + strconv.Itoa(n) }

// someRooms are those that a user is in from the beginning: about a third, and most are in general too.
func (m *member) someRooms() (rooms []string) {
	if !m.p.user {
		return nil
	}
	if !m.p.hostile && (m.c.Rooms == 0 || m.rng.Float64() < 0.7) {
		rooms = append(rooms, "general")
	}
	for n := range m.c.Rooms {
		if m.rng.Float64() < 0.34 {
			rooms = append(rooms, room(n))
		}
	}
	return rooms
}

// live connects and acts until ctx ends.
func (m *member) live(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for i, s := range m.seats {
		all.Go(func() {
			if i == 0 || m.introduced(ctx) {
				s.live(ctx)
			}
		})
	}
	if m.c.Rate > 0 && !m.publishes {
		m.act(ctx)
	}
}

// introduced waits until it has a session, which a second tab needs.
func (m *member) introduced(ctx context.Context) bool {
	select {
	case <-m.known:
		return true
	case <-ctx.Done():
		return false
	}
}

// act does something now and then.
func (m *member) act(ctx context.Context) {
	mean := float64(len(m.c.members)) / m.c.Rate * float64(time.Second)
	next := time.Now().Add(m.gap(mean))
	for pause(ctx, min(time.Until(next), look)) {
		m.again()
		if time.Now().Before(next) {
			continue
		}
		next = next.Add(m.gap(mean))
		if behind := time.Now(); next.Before(behind.Add(-look)) {
			next = behind // what could not be done in time is not made up for
		}
		if !m.c.quiet.Load() {
			m.step()
		}
	}
}

// gap is a time between two events that come at random.
func (m *member) gap(mean float64) time.Duration {
	m.actor.Mu.Lock()
	defer m.actor.Mu.Unlock()
	return time.Duration(m.rng.ExpFloat64() * mean)
}

// step is one thing that it does.
func (m *member) step() {
	m.actor.Mu.Lock()
	chance, s := m.rng.Float64(), m.seats[m.rng.IntN(len(m.seats))]
	m.actor.Mu.Unlock()
	switch {
	case m.p.hostile && chance < 0.7:
		s.attack()
	case m.p.roams && chance < roamPart:
		s.roam()
	default:
		s.speak()
	}
}

// newKey is an idempotency key of one of the kinds that clients have. Under Mu.
func (m *member) newKey(socketID string) string {
	chance := m.rng.Float64()
	switch {
	case m.publishes:
	case chance < keylessPart:
		return ""
	case !m.p.user && chance < 2*keylessPart:
		return unbornKey + strconv.Itoa(m.made)
	}
	switch {
	case !m.p.user || chance < 0.25:
		return socketID + "-" + strconv.Itoa(m.made)
	case chance < 0.4:
		return m.actor.Name + "-" + strconv.FormatUint(m.rng.Uint64(), 36)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return ""
	}
	return id.String()
}

// again sends again what was not acked: on a connection that is another one now, or after a while.
func (m *member) again() {
	m.actor.Mu.Lock()
	now := time.Now()
	var due []*pending
	m.outbox = slices.DeleteFunc(m.outbox, m.givesUp)
	for _, p := range m.outbox {
		lost := m.lost(p)
		if p.once && p.over != nil {
			continue
		}
		if now.After(p.rest) && (lost || now.Sub(p.tried) > m.c.AckTimeout) {
			due = append(due, p)
		}
	}
	m.actor.Mu.Unlock()
	for _, p := range due {
		m.anySeat().try(p)
	}
}

// givesUp reports whether a message is not worth waiting for: its connection is gone, and the key is good for no other; or
// it has no key, so that it is not sent again, and a gateway that could not store it in time says nothing. Under Mu.
func (m *member) givesUp(p *pending) bool {
	if p.over == nil {
		return false
	}
	return p.bound && m.lost(p) || p.once && time.Since(p.tried) > 3*m.c.AckTimeout
}

// lost reports whether the connection of a message's last try is gone. Under Mu.
func (m *member) lost(p *pending) bool {
	return !slices.ContainsFunc(m.seats, func(s *seat) bool { return s.conn != nil && s.conn == p.over })
}

func (m *member) anySeat() *seat {
	m.actor.Mu.Lock()
	defer m.actor.Mu.Unlock()
	first := m.rng.IntN(len(m.seats))
	for i := range m.seats {
		if s := m.seats[(first+i)%len(m.seats)]; s.conn != nil {
			return s
		}
	}
	return m.seats[first]
}

// done takes a message out of the outbox. Under Mu.
func (m *member) done(send *history.Send) {
	for i, p := range m.outbox {
		if p.send == send {
			m.outbox = append(m.outbox[:i], m.outbox[i+1:]...)
			return
		}
	}
}
