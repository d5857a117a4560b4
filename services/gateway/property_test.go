package gateway_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// TestEverySocketIsSentExactlyItsMessages lets users and guests come, talk and go,
// in random ways, on two gateways over one log, and compares what each socket was
// sent with a model. -rapid.checks and -rapid.steps make it longer.
func TestEverySocketIsSentExactlyItsMessages(t *testing.T) {
	t.Parallel()
	checkWorlds(t, func() (*logtest.Server, []string) {
		s, _, at := together(t, 2)
		return s, at
	})
}

// TestEverySocketIsSentExactlyItsMessagesWhereAGatewayLags is the same with a gateway
// whose feed is late.
func TestEverySocketIsSentExactlyItsMessagesWhereAGatewayLags(t *testing.T) {
	t.Parallel()
	checkWorlds(t, func() (*logtest.Server, []string) { return lagging(t, 20*time.Millisecond) })
}

// fewChecks, where nothing else is said, as these are the longest tests there are.
var fewChecks = sync.OnceValue(func() error {
	more := false
	flag.Visit(func(f *flag.Flag) { more = more || f.Name == "rapid.checks" })
	if more {
		return nil
	}
	return flag.Set("rapid.checks", "30")
})

// checkWorlds checks one world after another, each of new users and rooms: on the
// same gateways, until their list of users gets too long.
func checkWorlds(t *testing.T, start func() (*logtest.Server, []string)) {
	if err := fewChecks(); err != nil {
		t.Fatal(err)
	}
	const onSameGateways = 100
	var log *eventlog.Log
	var at []string
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		if checks%onSameGateways == 0 {
			var s *logtest.Server
			s, at = start()
			log = eventlog.Open(s.Connect())
		}
		checks++
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		state, err := log.State(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		name := fmt.Sprintf("check %d ", checks)
		w := &world{
			t: rt, ctx: ctx, at: at, log: log, base: state.Last,
			rooms: map[string]string{"a": name + "a", "b": name + "b", "general": "general"}, marks: name + "marks",
			said: make(map[uint64]*message), keys: make(map[string]*message),
		}
		defer w.close()
		w.newPerson()
		w.connectUser(w.users[0], arrival{})
		rt.Repeat(map[string]func(*rapid.T){
			"a user connects": w.aUserConnects, "a guest connects": w.aGuestConnects,
			"one disconnects": w.oneDisconnects, "one reconnects": w.oneReconnects,
			"one joins": w.oneJoins, "one leaves": w.oneLeaves,
			"one speaks": w.oneSpeaks, "one writes": w.oneWrites, "one repeats": w.oneRepeats,
			"all speak at once": w.allSpeakAtOnce, "one repeats at once": w.oneRepeatsAtOnce,
		})
		w.quiet()
		w.everybodyAgain()
		w.audit()
	})
}

func (w *world) close() {
	for _, s := range w.open {
		s.Close()
	}
}

// The commands. What they draw depends only on what was drawn before.

// pick draws one of so many. What is drawn has the same range always, so that a case
// still means much the same when rapid leaves out what came before.
func (w *world) pick(of int, what string) int {
	n := rapid.IntRange(0, 7).Draw(w.t, what)
	if of == 0 {
		w.t.Skip("there is no ", what)
	}
	return n % of
}

func (w *world) pickSocket() *socket { return w.open[w.pick(len(w.open), "socket")] }

var room = rapid.SampledFrom([]string{"a", "b", "general"})

func (w *world) pickRoom() string { return w.rooms[room.Draw(w.t, "room")] }

func (w *world) pickRooms() (rooms []string) {
	for _, name := range rapid.SliceOfNDistinct(room, 0, len(w.rooms), rapid.ID[string]).Draw(w.t, "rooms") {
		rooms = append(rooms, w.rooms[name])
	}
	return rooms
}

func (w *world) pickKey(s *socket) string {
	keys := []string{"", "", "k", s.SocketID + "-0", s.SocketID + "-1"}
	if s.who == nil { // or one of a guest, who may be gone
		keys = append(keys, w.guests[w.pick(len(w.guests), "guest")]+"-0")
	}
	return keys[w.pick(len(keys), "key")]
}

func (w *world) pickContent() string {
	return rapid.SampledFrom([]string{"x", "y"}).Draw(w.t, "content")
}

const maxOpen = 8

// pickArrival draws how somebody connects, but for the offset.
func (w *world) pickArrival() (how arrival) {
	if len(w.open) >= maxOpen {
		w.t.Skip("many are connected")
	}
	how = arrival{gateway: w.pick(len(w.at), "gateway"), rooms: w.pickRooms()}
	if rapid.Bool().Draw(w.t, "in a hurry") {
		how.joins = w.pickRoom()
	}
	return how
}

func (w *world) aUserConnects(*rapid.T) {
	how, n := w.pickArrival(), w.pick(min(len(w.users)+1, 3), "user")
	if n == len(w.users) {
		w.newPerson()
	}
	w.connectUser(w.users[n], how)
}

func (w *world) aGuestConnects(*rapid.T) {
	how := w.pickArrival()
	how.from = w.base
	if rapid.Bool().Draw(w.t, "from now on") {
		how.from = "latest"
	}
	w.connectGuest(how)
}

func (w *world) oneDisconnects(*rapid.T) { w.disconnect(w.pickSocket()) }

func (w *world) oneReconnects(*rapid.T) {
	s := w.pickSocket()
	how := arrival{gateway: w.pick(len(w.at), "gateway")}
	if rapid.Bool().Draw(w.t, "in a hurry") {
		how.joins = w.pickRoom()
	}
	for room := range s.since {
		if room != inbox && room != w.marks {
			how.rooms = append(how.rooms, room)
		}
	}
	how.from = w.disconnect(s)
	if s.who == nil {
		w.connectGuest(how)
	} else {
		w.connectUser(s.who, how)
	}
}

func (w *world) oneJoins(*rapid.T) {
	s, room := w.pickSocket(), w.pickRoom()
	var ack gatewaytest.Joined
	if _, err := s.Ask(w.ctx, &ack, "room join", map[string]any{"room": room}); err != nil || !ack.OK {
		w.failf("%s joins %q: %+v, %v", s.name, room, ack, err)
	}
	if _, in := s.since[room]; !in {
		s.since[room] = ack.Head
	}
}

func (w *world) oneLeaves(*rapid.T) {
	s, room := w.pickSocket(), w.pickRoom()
	since, in := s.since[room]
	var ack gatewaytest.Joined
	after, err := s.Ask(w.ctx, &ack, "room leave", map[string]any{"room": room})
	if err != nil || !ack.OK {
		w.failf("%s leaves %q: %+v, %v", s.name, room, ack, err)
	}
	if !in {
		return
	}
	// Of the room came, in order, what was said since, up to some point: what another
	// gateway has acked may not have come yet.
	w.received(s)
	var got, want []uint64
	for _, p := range gatewaytest.Posts(s.events[:after]) {
		if p.Room == room && p.Offset > since {
			got = append(got, p.Offset)
		}
	}
	for offset, m := range w.said {
		if m.to == nil && m.Room == room && offset > since {
			want = append(want, offset)
		}
	}
	slices.Sort(want)
	if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
		w.failf("%s was sent %v of %q since %d, want %v", s.name, got, room, since, want)
	}
	s.stayed = append(s.stayed, got...)
	delete(s.since, room)
}

func (w *world) oneSpeaks(*rapid.T) {
	s, room := w.pickSocket(), w.pickRoom()
	w.speak(s, room, w.pickContent(), w.pickKey(s))
}

func (w *world) oneWrites(*rapid.T) {
	s, to := w.pickSocket(), (*person)(nil)
	if n := w.pick(len(w.users)+1, "recipient"); n < len(w.users) {
		to = w.users[n]
	}
	w.write(s, to, w.pickContent(), w.pickKey(s))
}

// oneRepeats sends a message with a key once more: a user over any of his sockets, a
// guest over any guest's, as if he had come back.
func (w *world) oneRepeats(*rapid.T) {
	var keyed []*message
	for _, m := range w.said {
		if m.key != "" {
			keyed = append(keyed, m)
		}
	}
	slices.SortFunc(keyed, func(a, b *message) int { return cmp.Compare(a.Offset, b.Offset) })
	m := keyed[w.pick(len(keyed), "message")]
	var able []*socket
	for _, s := range w.open {
		if s.who == m.from {
			able = append(able, s)
		}
	}
	s := able[w.pick(len(able), "socket")]
	if content := w.pickContent(); m.to != nil {
		w.write(s, m.to, content, m.key)
	} else {
		w.speak(s, m.Room, content, m.key)
	}
}

// allSpeakAtOnce has every socket send to all and, if it can, to a user.
func (w *world) allSpeakAtOnce(*rapid.T) {
	var messages []*message
	for _, s := range w.open {
		messages = append(messages, w.newMessage(s, w.marks, nil, "at once", ""))
		if s.who != nil {
			messages = append(messages, w.newMessage(s, "", w.users[len(w.users)-1], "at once", ""))
		}
	}
	w.atOnce(messages)
}

// oneRepeatsAtOnce has all sockets of a user send the same message with one key.
func (w *world) oneRepeatsAtOnce(*rapid.T) {
	who, to := w.users[w.pick(len(w.users), "user")], w.users[w.pick(len(w.users), "recipient")]
	key := fmt.Sprint("key ", rapid.IntRange(0, 1).Draw(w.t, "key"))
	var messages []*message
	for _, s := range w.open {
		if s.who == who {
			messages = append(messages, w.newMessage(s, "", to, "repeated", key))
		}
	}
	w.atOnce(messages)
}
