package standalone_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
)

// Checks of events.

func content(want string) func(heard) bool {
	return func(h heard) bool { return h.Post != nil && h.Post.Content == want }
}

func userID(of *person) func(heard) bool {
	return func(h heard) bool { return h.fields.UserID == of.id }
}

func username(want string, numUsers int) func(heard) bool {
	return func(h heard) bool { return h.fields.Username == want && h.fields.NumUsers == numUsers }
}

func TestPeopleOfTwoGatewaysAreInOneChat(t *testing.T) {
	t.Parallel()
	d := deploy(t, shortLease)
	ann, bob, eve := d.joins("ann", 0, "kitchen"), d.joins("bob", 1, "kitchen"), d.joins("eve", 1)
	gus, hal := d.joins("", 0), d.joins("", 1)
	tab := d.comes(&person{name: "bob's other tab", at: 0, rooms: bob.rooms, session: bob.session, id: bob.id})
	for _, pair := range [][2]*person{{ann, bob}, {bob, ann}, {eve, ann}, {ann, eve}} {
		eventually(t, "all users are shown to all", func() bool { return pair[0].sees(pair[1]) })
	}

	ann.must(to{user: bob}, "to bob")
	bob.must(to{user: ann}, "to ann")
	ann.must(to{room: "kitchen"}, "to the kitchen")
	gus.must(to{}, "to general")
	hal.must(to{}, "to general too")
	if ack, err := hal.try(t.Context(), hal.connection(), to{user: ann}, "from a guest", "k"); err != nil || ack.Error.Code != "forbidden" {
		t.Errorf("a guest's direct message: %+v, %v", ack, err)
	}
	if ack, err := eve.try(t.Context(), eve.connection(), to{room: "kitchen"}, "from outside", "k"); err != nil || ack.Error.Code != "forbidden" {
		t.Errorf("a message from outside the room: %+v, %v", ack, err)
	}
	audit(t, d.events(), ann, bob, eve, gus, hal, tab)

	typing(t, ann, bob, eve)
	nicknames(t, d, gus, hal)
	moving(t, d, ann, bob)
	joining(t, d, ann)
	if heard := eve.all("typing"); len(heard) > 0 {
		t.Errorf("eve heard who was typing to others: %v", heard)
	}
}

// typing goes to whom it concerns, on whatever gateway.
func typing(t *testing.T, ann, bob, eve *person) {
	t.Helper()
	from := func(h heard) bool { return h.fields.UserID == ann.id && h.fields.Username == "ann" }
	emit(t, ann, "typing", map[string]any{"to": bob.id})
	bob.await("typing", from, func(h heard) bool { return h.fields.Room == "" })
	emit(t, ann, "typing", map[string]any{"room": "kitchen"})
	bob.await("typing", from, func(h heard) bool { return h.fields.Room == "kitchen" })
	emit(t, eve, "typing", map[string]any{"room": "kitchen"}) // is not in it
	emit(t, ann, "stop typing", map[string]any{"to": bob.id})
	bob.await("stop typing", from)
	if n := len(bob.all("typing", userID(eve))); n > 0 {
		t.Errorf("bob was told %d times of somebody who is not in the room", n)
	}
}

// nicknames are counted over all gateways, as soon as these have heard of each
// other's.
func nicknames(t *testing.T, d *deployment, gus, hal *person) {
	t.Helper()
	emit(t, gus, "add user", "gus")
	gus.await("login", username("", 1))
	emit(t, hal, "add user", "hal")
	gus.await("user joined", username("hal", 2))
	eventually(t, "hal's gateway counts gus", func() bool {
		return len(hal.all("login", username("", 2)))+len(hal.all("user joined", username("gus", 2))) == 1
	})
	ida := d.joins("", 1)
	emit(t, ida, "add user", "ida")
	ida.await("login", username("", 3))
	gus.await("user joined", username("ida", 3))
	emit(t, gus, "typing")
	ida.await("typing", username("gus", 0))
	emit(t, ida, "new message", "from ida")
	gus.await("new message", username("ida", 0))
	ida.leave()
	gus.await("user left", username("ida", 2))
}

// moving is somebody who comes, writes at once, goes on from the other gateway
// before leaving the first one, and leaves that too.
func moving(t *testing.T, d *deployment, ann, bob *person) {
	t.Helper()
	cat := d.joins("cat", 0)
	cat.must(to{user: bob}, "I am here")
	bob.await("private message", content("I am here"))
	bob.mu.Lock()
	came := slices.IndexFunc(bob.heard, func(h heard) bool { return h.Name == "user connected" && h.fields.UserID == cat.id })
	wrote := slices.IndexFunc(bob.heard, func(h heard) bool { return content("I am here")(h) })
	bob.mu.Unlock()
	if came < 0 || came > wrote {
		t.Errorf("bob was told at %d of who wrote to him at %d", came, wrote)
	}
	moved := d.comes(&person{name: "cat", at: 1, session: cat.session, id: cat.id})
	cat.leave()
	moved.must(to{user: ann}, "from here")
	ann.await("private message", content("from here"))
	if ann.toldGone(cat)+bob.toldGone(cat) > 0 {
		t.Error("cat was told as gone while she was on the other gateway")
	}
	moved.leave()
	for _, p := range []*person{ann, bob} {
		p.await("user disconnected", userID(cat))
		if n := len(p.all("user connected", userID(cat))); n != 1 || p.toldGone(cat) != 1 {
			t.Errorf("%s was told %d times that cat came and %d times that she went", p.name, n, p.toldGone(cat))
		}
	}
}

// joining a room brings what is said in it, from the other gateway too, until
// leaving.
func joining(t *testing.T, d *deployment, ann *person) {
	t.Helper()
	dan := d.joins("dan", 1)
	room := map[string]any{"room": "kitchen"}
	if ack, err := dan.connection().Send(t.Context(), "room join", room); err != nil || !ack.OK {
		t.Fatalf("room join: %+v, %v", ack, err)
	}
	ann.must(to{room: "kitchen"}, "dan hears this")
	dan.await("room message", content("dan hears this"))
	if ack, err := dan.connection().Send(t.Context(), "room leave", room); err != nil || !ack.OK {
		t.Fatalf("room leave: %+v, %v", ack, err)
	}
	ann.must(to{room: "kitchen"}, "and not this")
	ann.must(to{user: dan}, "but this")
	dan.await("private message", content("but this"))
	if n := len(dan.all("room message")); n != 1 {
		t.Errorf("dan heard %d messages of the room", n)
	}
}

func emit(t *testing.T, p *person, event string, args ...any) {
	t.Helper()
	if err := p.connection().Emit(event, args...); err != nil {
		t.Fatal(err)
	}
}

// TestKilledGatewaysLoseDoubleReorderAndLeakNothing kills the gateways in turn
// while people write to rooms and to each other, and come back to the other one.
func TestKilledGatewaysLoseDoubleReorderAndLeakNothing(t *testing.T) {
	t.Parallel()
	const kills, each = 6, 10
	d := deploy(t, shortLease)
	ann := d.joins("ann", 0, "kitchen")
	bob := d.comes(&person{name: "bob", at: 1, rooms: []string{"kitchen", "attic"}, newKey: uuidKey})
	cat := d.comes(&person{name: "cat", at: 0, rooms: []string{"general", "attic"}, newKey: ownKey("cat ")})
	dan, eve := d.joins("dan", 1, "attic"), d.joins("eve", 0)
	gus := d.joins("", 1)
	tab := d.comes(&person{name: "bob's other tab", at: 0, rooms: []string{"kitchen"}, session: bob.session, id: bob.id})

	talk := d.talk()
	talk.of(ann, to{user: bob}, to{room: "kitchen"}, to{user: cat})
	talk.of(bob, to{user: ann}, to{room: "attic"}, to{room: "kitchen"})
	talk.of(cat, to{user: bob}, to{room: "general"}, to{room: "attic"}, to{user: ann})
	talk.of(gus, to{})
	for i := range kills {
		talk.on(each)
		d.gateways[i%2].kill()
		talk.on(each) // the people of the other one have moved
		d.gateways[i%2].start()
	}
	talk.stop()

	users := []*person{ann, bob, cat, dan, eve}
	events := d.events()
	audit(t, events, append(users, gus, tab)...)
	moves := 0
	for _, p := range append(users, gus, tab) {
		moves += p.connected() - 1
	}
	t.Logf("%d events, %d moves", len(events), moves)
	for _, p := range users {
		for _, other := range users {
			eventually(t, p.name+" sees "+other.name, func() bool { return p.sees(other) })
		}
	}
	eve.leave()
	for _, p := range users[:4] {
		eventually(t, p.name+" does not see eve any more", func() bool { return !p.sees(eve) })
	}
	waitProjected(t, d.persister.address, uint64(len(events)))
	auditReadModel(t, events, dump(t, d.database()))
}

// talk is people who write one message after the other.
type talk struct {
	t       *testing.T
	ctx     context.Context
	cancel  context.CancelFunc
	ending  chan struct{}
	end     func()
	talking sync.WaitGroup
	people  []*person
	padding string // of each message
}

func (d *deployment) talk() *talk {
	k := &talk{t: d.t.(*testing.T), ending: make(chan struct{})}
	k.ctx, k.cancel = context.WithTimeout(context.Background(), 5*time.Minute)
	k.end = sync.OnceFunc(func() { close(k.ending) })
	d.t.Cleanup(func() {
		k.cancel()
		k.stop()
	})
	return k
}

// of lets somebody talk, by turns to each.
func (k *talk) of(p *person, each ...to) {
	k.people = append(k.people, p)
	rng := rand.New(rand.NewPCG(1, uint64(len(k.people))))
	k.talking.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-k.ending:
				return
			default:
			}
			if _, err := p.says(k.ctx, each[rng.IntN(len(each))], fmt.Sprintf("%s%s %d%s", p.name, p.id, n, k.padding)); err != nil {
				if k.t.Context().Err() == nil {
					k.t.Error(err)
				}
				return
			}
		}
	})
}

// on waits until everybody has had so many messages more acked.
func (k *talk) on(messages int) {
	k.t.Helper()
	for _, p := range k.people {
		p.mu.Lock()
		enough := len(p.sent) + messages
		p.mu.Unlock()
		eventually(k.t, p.name+" goes on talking", func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return len(p.sent) >= enough
		})
	}
}

// stop waits until the last message of everybody is acked.
func (k *talk) stop() {
	k.end()
	k.talking.Wait()
}

// TestUsersOfADeadGatewayAreToldAsGoneWithin20Seconds has the default settings.
func TestUsersOfADeadGatewayAreToldAsGoneWithin20Seconds(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	witness, watcher := d.joins("witness", 1), d.joins("", 1)
	emit(t, watcher, "add user", "watcher")
	lost := d.comes(&person{name: "lost", at: 0, stays: true})
	moves := d.joins("moves", 0)
	d.comes(&person{name: "witness's other tab", at: 0, stays: true, session: witness.session, id: witness.id})
	guest := d.comes(&person{at: 0, stays: true})
	emit(t, guest, "add user", "guest")
	watcher.await("user joined", username("guest", 2))
	eventually(t, "both are seen", func() bool { return witness.sees(lost) && witness.sees(moves) })

	killed := time.Now()
	d.gateways[0].kill()
	witness.await("user disconnected", userID(lost))
	watcher.await("user left", username("guest", 1))
	took := time.Since(killed)
	if took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	if moves.connected() < 2 || !witness.sees(moves) || !moves.sees(witness) {
		t.Error("who moved is not shown")
	}
	if witness.toldGone(moves)+moves.toldGone(witness) > 0 {
		t.Error("who moved, or was on the other gateway too, was told as gone")
	}
	if late := d.joins("late", 1); late.sees(lost) || !late.sees(moves) {
		t.Error("a newcomer is shown another view")
	}
	t.Logf("told after %v", took)
}

// TestAGatewayThatStoodStillIsRightAgain stops one for longer than its lease.
func TestAGatewayThatStoodStillIsRightAgain(t *testing.T) {
	t.Parallel()
	d := deploy(t, shortLease)
	ann, amy := d.joins("ann", 0), d.joins("amy", 0)
	bob, leaves := d.joins("bob", 1), d.joins("leaves", 1)
	eventually(t, "all are seen", func() bool { return ann.sees(bob) && ann.sees(leaves) && bob.sees(ann) && bob.sees(amy) })
	for range 2 {
		d.gateways[0].pause()
		bob.await("user disconnected", userID(ann))
		bob.await("user disconnected", userID(amy))
		eventually(t, "those of the gateway that stands still are gone", func() bool { return !bob.sees(ann) && !bob.sees(amy) })
		leaves.leave()
		comes := d.joins("comes", 1)
		if comes.sees(ann) || !comes.sees(bob) {
			t.Error("a newcomer is shown those of the gateway that stands still")
		}
		d.gateways[0].resume()
		eventually(t, "they are back", func() bool { return bob.sees(ann) && bob.sees(amy) && comes.sees(ann) && comes.sees(amy) })
		eventually(t, "they have heard who came and went", func() bool {
			return ann.sees(comes) && amy.sees(comes) && !ann.sees(leaves) && !amy.sees(leaves)
		})
		ann.must(to{user: comes}, "hello "+comes.id)
		comes.await("private message", content("hello "+comes.id))
		leaves = comes
	}
	for i := range d.gateways {
		if p := d.joins("late", i); !p.sees(ann) || !p.sees(amy) || !p.sees(bob) || !p.sees(leaves) {
			t.Errorf("a newcomer on gateway %d is shown another view", i)
		}
	}
	if n := ann.toldGone(bob) + ann.toldGone(amy) + amy.toldGone(ann) + amy.toldGone(bob); n > 0 {
		t.Errorf("those on the gateway were told %d times that others had gone", n)
	}
}

// TestTheLogKilledNobodyIsGone kills the log's server: once so that it is back
// at once, once for longer than a lease.
func TestTheLogKilledNobodyIsGone(t *testing.T) {
	t.Parallel()
	d := deploy(t, shortLease)
	ann, bob, gus := d.joins("ann", 0, "kitchen"), d.joins("bob", 1, "kitchen"), d.joins("", 0)
	eventually(t, "all are seen", func() bool { return ann.sees(bob) && bob.sees(ann) })
	talk := d.talk()
	talk.of(ann, to{user: bob}, to{room: "kitchen"})
	talk.of(bob, to{user: ann}, to{room: "kitchen"})
	talk.of(gus, to{})
	for _, away := range []time.Duration{0, 3 * lease} {
		talk.on(10)
		d.log.kill()
		if away > 0 {
			for _, g := range d.gateways {
				gatewaytest.WaitReady(t, g.address, false)
			}
			<-time.After(away) // for longer than what could wrongly end
		}
		d.startLog()
		talk.on(10)
	}
	<-time.After(3 * lease) // for longer than what could wrongly end
	talk.on(1)
	talk.stop()
	for _, pair := range [][2]*person{{ann, bob}, {bob, ann}} {
		if n := pair[0].toldGone(pair[1]); n > 0 && pair[1].connected() == 1 {
			t.Errorf("%s was told %d times that %s had gone, who had not", pair[0].name, n, pair[1].name)
		}
	}
	for i := range d.gateways { // with their sessions
		if p := d.comes(&person{name: "ann again", at: i, session: ann.session, id: ann.id}); !p.sees(bob) || !p.sees(ann) {
			t.Error("ann's other tab is shown another view")
		}
	}
	audit(t, d.events(), ann, bob, gus)
}
