package presence

import (
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// provided are the options of gateways that make nothing, on a server that has all.
func provided(t *testing.T, server *logtest.Server, o Options) Options {
	t.Helper()
	o.Mode = provision.Check
	js := server.Connect()
	for _, b := range Buckets(o) {
		if _, _, err := b.Ensure(ctx, js, provision.Reshape); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func TestPresenceGoesOnAfterARestartWhereGatewaysMakeNothing(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	o := provided(t, server, patient)
	a, b := start(t, server.URL(), o), start(t, server.URL(), o)
	a.Enter(ann)
	b.sees(ann)
	b.Enter(nic)
	a.sees(ann, nic)
	server.Stop()
	a.Enter(bob)
	b.Leave(Nick, nic.ID)
	server.Restart()
	a.sees(ann, bob)
	b.sees(ann, bob)
	for _, n := range []*node{a, b} {
		eventually(t, func() string { return "its lease does not live again" }, func() bool { return n.Current() && n.Gateways() == 2 })
	}
	c := start(t, server.URL(), o)
	c.sees(ann, bob)
	b.saw("+user Ann 1", "+nick nic 1", "-nick nic 0", "+user Bob 2")
}

// What was on disk when the server stopped has outlived its lease when it starts again.
func TestALeaseThatRanOutWhileTheServerWasDownIsNotBelieved(t *testing.T) {
	t.Parallel()
	server := logtest.Start(t)
	o := provided(t, server, brief)
	a, b := start(t, server.URL(), o), start(t, server.URL(), o)
	a.Enter(ann)
	b.Enter(bob)
	b.sees(ann, bob)
	server.Stop()
	a.kill()
	stopped := time.Now()
	eventually(t, func() string { return "" }, func() bool { return time.Since(stopped) > 2*o.Lease })
	server.Restart()
	b.sees(bob)
	b.knows(0)
}

func TestPresenceIsNotCurrentWithoutItsBuckets(t *testing.T) {
	server := logtest.Start(t)
	o := patient
	o.Mode = provision.Check
	a := start(t, server.URL(), o)
	a.Enter(ann)
	a.sees(ann)
	if a.Current() {
		t.Error("it is current without buckets")
	}
	provided(t, server, o)
	eventually(t, func() string { return "it is not current" }, a.Current)
	if err := a.js.DeleteKeyValue(ctx, "LEASES"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string { return "it is current without leases" }, func() bool { return !a.Current() })
}

func TestAnOutageIsSaidOnceAMinute(t *testing.T) {
	var o outage
	began := time.Now()
	said := 0
	for s := range 150 {
		if o.worthSaying(began.Add(time.Duration(s) * time.Second)) {
			said++
		}
	}
	if said != 3 {
		t.Errorf("in two minutes and a half it was said %d times", said)
	}
	if o.over(); !o.worthSaying(began.Add(150 * time.Second)) {
		t.Error("the next outage is not said")
	}
}
