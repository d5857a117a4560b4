package presence

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

var (
	ctx = context.Background()
	ann = Entry{User, "5b1c9a1e5b1c9a1e5b1c9a1e5b1c9a1e", "Ann"}
	bob = Entry{User, "bob", "Bob ☃ \x00 *.>"}
	nic = Entry{Nick, "kTBJHGnXAwFyxzSoAAAB", "nic"}

	// brief leases end soon; patient ones outlive a machine that is busy.
	brief   = Options{Lease: 600 * time.Millisecond, Renew: 200 * time.Millisecond}
	patient = Options{Lease: 3 * time.Second, Renew: time.Second}
)

func TestGatewaysSeeEachOther(t *testing.T) {
	server := logtest.Start(t)
	a, b := start(t, server.URL(), patient), start(t, server.URL(), patient)
	a.Enter(ann)
	a.saw("+user Ann 1") // at once
	b.sees(ann)
	b.Enter(bob)
	a.sees(ann, bob)
	a.Enter(nic)
	b.sees(ann, bob, nic)
	if b.Count(User) != 2 || b.Count(Nick) != 1 || !b.Has(Nick, nic.ID) || b.Has(User, nic.ID) {
		t.Error("kinds are not counted apart")
	}
	a.Leave(User, ann.ID)
	b.sees(bob, nic)
	a.Leave(Nick, nic.ID)
	b.sees(bob)
	b.saw("+user Ann 1", "+user Bob 2", "+nick nic 1", "-user Ann 1", "-nick nic 0")
	a.saw("+user Ann 1", "+user Bob 2", "+nick nic 1", "-user Ann 1", "-nick nic 0")
}

func TestSeveralConnectionsAreOnePresence(t *testing.T) {
	server := logtest.Start(t)
	a, b, c := start(t, server.URL(), patient), start(t, server.URL(), patient), start(t, server.URL(), patient)
	b.Enter(nic)
	c.sees(nic) // and so knows b's lease
	a.Enter(ann)
	a.Enter(ann)
	b.Enter(ann)
	c.sees(ann, nic)
	holds(t, c.js, 6) // with the claims
	a.Leave(User, ann.ID)
	a.Leave(User, ann.ID)
	a.Leave(User, ann.ID) // once too often
	a.Leave(User, "nobody")
	a.Enter(bob)
	c.sees(ann, nic, bob)
	b.Leave(User, ann.ID)
	c.sees(nic, bob)
	a.sees(nic, bob)
	c.saw("+nick nic 1", "+user Ann 1", "+user Bob 2", "-user Ann 1")
}

func TestWhoComesLaterSeesWhoIsThere(t *testing.T) {
	server := logtest.Start(t)
	a := start(t, server.URL(), patient)
	a.Enter(ann)
	a.Enter(bob)
	holds(t, a.js, 3) // with the claim
	a.Leave(User, bob.ID)
	a.Enter(nic) // and leaves before it is written, or after
	a.Leave(Nick, nic.ID)
	b := start(t, server.URL(), patient)
	b.sees(ann)
	b.saw("+user Ann 1")
}

func TestAGatewayThatStopsTakesItsUsersOfflineAtOnce(t *testing.T) {
	server := logtest.Start(t)
	o := patient
	o.Lease = time.Hour // by which nobody would see it
	a, b := start(t, server.URL(), o), start(t, server.URL(), o)
	a.Enter(ann)
	a.Enter(bob)
	b.Enter(bob)
	b.sees(ann, bob)
	a.stop()
	b.sees(bob)
	holds(t, b.js, 2)
}

func TestADeadGatewaysUsersGoOfflineAndItsSuccessorsStay(t *testing.T) {
	server := logtest.Start(t)
	a, c := start(t, server.URL(), brief), start(t, server.URL(), brief)
	a.Enter(ann)
	c.sees(ann)
	a.Enter(bob)
	c.sees(ann, bob)
	a.kill()
	b := start(t, server.URL(), brief)
	b.Enter(ann)
	died := time.Now()
	c.sees(ann)
	took := time.Since(died)
	if took > 5*brief.Lease {
		t.Errorf("it took %v", took)
	}
	c.knows(1) // the dead one was cleared away
	b.knows(1)
	holds(t, c.js, 3)
	c.saw("+user Ann 1", "+user Bob 2", "-user Bob 1")
	if !b.Has(User, ann.ID) {
		t.Error("clearing away a dead gateway took its successor offline")
	}
}

func TestKeysWithoutALeaseAreNobodyAndAreClearedAway(t *testing.T) {
	server := logtest.Start(t)
	a := start(t, server.URL(), brief)
	a.Enter(ann)
	a.Enter(bob)
	holds(t, a.js, 3)
	a.kill()
	js := server.Connect()
	eventually(t, func() string { return "the lease does not expire" }, func() bool {
		leases, err := js.KeyValue(ctx, "LEASES")
		if err != nil {
			t.Fatal(err)
		}
		status, err := leases.Status(ctx)
		return err == nil && status.Values() == 0
	})
	b := start(t, server.URL(), brief)
	holds(t, b.js, 1)
	b.saw()
}

func TestNobodyFlapsWhenTheServerForgetsEverything(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	a, b := start(t, server.URL(), patient), start(t, server.URL(), patient)
	a.Enter(ann)
	b.Enter(nic)
	a.sees(ann, nic)
	b.sees(ann, nic)
	was := a.own()
	server.Stop()
	a.Enter(bob) // shows here at once
	a.sees(ann, nic, bob)
	server.Restart()
	b.sees(ann, nic, bob)
	holds(t, b.js, 5)
	a.knows(1) // the incarnations of before have run out
	b.knows(1)
	if a.own() == was {
		t.Error("the incarnation is the same")
	}
	a.saw("+user Ann 1", "+nick nic 1", "+user Bob 2")
	b.saw("+nick nic 1", "+user Ann 1", "+user Bob 2")
}

func TestAShortInterruptionKeepsTheIncarnation(t *testing.T) {
	server := logtest.Start(t)
	o := patient
	o.Lease, o.Renew = 10*time.Second, 500*time.Millisecond
	a, b := start(t, server.URL(), o), start(t, server.URL(), o)
	a.Enter(ann)
	b.sees(ann)
	was := a.own()
	for range 3 {
		if err := a.nc.ForceReconnect(); err != nil {
			t.Fatal(err)
		}
		a.Enter(bob)
		b.Enter(nic)
		a.sees(ann, bob, nic)
		b.sees(ann, bob, nic)
		a.Leave(User, bob.ID)
		b.Leave(Nick, nic.ID)
		a.sees(ann)
		b.sees(ann)
	}
	if a.own() != was {
		t.Error("another incarnation")
	}
}

func TestALostLeaseIsTakenAnew(t *testing.T) {
	server := logtest.Start(t)
	a, b := start(t, server.URL(), brief), start(t, server.URL(), brief)
	a.Enter(ann)
	b.sees(ann)
	was := a.own()
	leases, err := server.Connect().KeyValue(ctx, "LEASES")
	if err != nil {
		t.Fatal(err)
	}
	if err := leases.Delete(ctx, was); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string { return "no new incarnation" }, func() bool { return a.own() != was })
	b.sees(ann)
	b.knows(1) // the lost one was cleared away
	a.knows(1)
	holds(t, b.js, 3)
	a.saw("+user Ann 1")
}

func TestAKeyThatArrivesLateIsRemoved(t *testing.T) {
	server := logtest.Start(t)
	a, b := start(t, server.URL(), patient), start(t, server.URL(), patient)
	a.Enter(ann)
	b.sees(ann)
	bucket, err := a.js.KeyValue(ctx, "PRESENCE")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.Put(ctx, a.own()+".user.nbob", []byte(`{"kind":"user","id":"bob","name":"Bob"}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string { return "it did not come and go" }, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return slices.Equal(b.changes, []string{"+user Ann 1", "+user Bob 2", "-user Bob 1"})
	})
	a.saw("+user Ann 1")
}

func TestABucketThatIsDeletedIsMadeAnew(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	a, b := start(t, server.URL(), patient), start(t, server.URL(), patient)
	a.Enter(ann)
	b.Enter(bob)
	a.sees(ann, bob)
	b.sees(ann, bob)
	for _, bucket := range []string{"PRESENCE", "LEASES"} {
		was := a.own()
		if err := a.js.DeleteKeyValue(ctx, bucket); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() string { return "no new incarnation" }, func() bool { return a.own() != was })
		a.knows(1)
		b.knows(1)
		holds(t, b.js, 4)
	}
	a.saw("+user Ann 1", "+user Bob 2")
	b.saw("+user Bob 1", "+user Ann 2")
}

func TestAThousandAtOnce(t *testing.T) {
	server := logtest.Start(t)
	a, b := start(t, server.URL(), patient), start(t, server.URL(), patient)
	a.Enter(ann)
	b.sees(ann)
	const n = 1000
	began := time.Now()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { a.Enter(Entry{Nick, fmt.Sprint("socket", i), "x"}) })
	}
	all.Wait()
	eventually(t, func() string { return fmt.Sprint(b.Count(Nick), " arrived") }, func() bool { return b.Count(Nick) == n })
	t.Logf("%d arrived within %v", n, time.Since(began))
	for i := range n {
		a.Leave(Nick, fmt.Sprint("socket", i))
	}
	eventually(t, func() string { return fmt.Sprint(b.Count(Nick), " remain") }, func() bool { return b.Count(Nick) == 0 })
}

// TestEverybodyAgreesInTheEnd lets people come and go on gateways that lose
// their connections and their server meanwhile.
func TestEverybodyAgreesInTheEnd(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	nodes := []*node{start(t, server.URL(), brief), start(t, server.URL(), brief), start(t, server.URL(), brief)}
	here := make([]map[int]bool, len(nodes))
	for i := range here {
		here[i] = map[int]bool{}
	}
	person := func(i int) Entry { return Entry{User, fmt.Sprint("user", i), "x"} }
	for op := range 3000 {
		g, i := rand.IntN(len(nodes)), rand.IntN(20)
		if here[g][i] = !here[g][i]; here[g][i] {
			nodes[g].Enter(person(i))
		} else {
			delete(here[g], i)
			nodes[g].Leave(User, person(i).ID)
		}
		switch {
		case op%1000 == 500:
			server.Stop()
			server.Restart()
		case op%100 == 0:
			_ = nodes[rand.IntN(len(nodes))].nc.ForceReconnect() // an error is: there is no connection
		case op%10 == 0: // let them see some of it
			watcher := nodes[(g+1)%len(nodes)]
			watcher.Presence.mu.Lock()
			began := watcher.view.round
			watcher.Presence.mu.Unlock()
			eventually(t, func() string { return "it does not arrive" }, func() bool {
				watcher.Presence.mu.Lock()
				defer watcher.Presence.mu.Unlock()
				return watcher.view.round != began || watcher.view.has(User, person(i).ID) == (here[0][i] || here[1][i] || here[2][i])
			})
		}
	}
	var want []Entry
	for i := range 20 {
		if here[0][i] || here[1][i] || here[2][i] {
			want = append(want, person(i))
		}
	}
	for _, n := range nodes {
		n.sees(want...)
	}
	for _, n := range nodes {
		n.knows(len(nodes) - 1)
		n.sees(want...)
	}
}

func TestRunEndsWhenTheConnectionIsClosed(t *testing.T) {
	server := logtest.Start(t)
	a := start(t, server.URL(), brief)
	a.Enter(ann)
	holds(t, a.js, 2)
	a.kill()
}

func TestItBeginsWithoutAServer(t *testing.T) {
	server := logtest.Start(t)
	url := server.URL()
	server.Stop()
	nc, js, err := eventlog.Connect(url, "test", slog.New(slog.DiscardHandler),
		nats.ReconnectWait(20*time.Millisecond), nats.RetryOnFailedConnect(true))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	a := New(js, brief)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	a.Enter(ann)
	server.Restart()
	b := start(t, url, brief)
	b.sees(ann)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	b.sees()
}

func TestAServerThatStandsStillMakesNobodyFlap(t *testing.T) {
	t.Parallel()
	server := logtest.StartProcess(t)
	a, b := start(t, server.URL, patient), start(t, server.URL, patient)
	a.Enter(ann)
	b.sees(ann)
	was := a.own()
	server.Pause()
	paused := time.Now()
	eventually(t, func() string { return "" }, func() bool { return time.Since(paused) > patient.Lease+patient.Renew })
	server.Resume()
	eventually(t, func() string { return "no new incarnation" }, func() bool { return a.own() != was })
	b.knows(1)
	a.saw("+user Ann 1")
	b.saw("+user Ann 1")
}
