package revocation_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/revocation"
	"github.com/tidemark-chat/tidemark/streams/session"
)

var ctx = context.Background()

func TestMain(m *testing.M) { goleak.VerifyTestMain(run{m}) }

type run struct{ m *testing.M }

func (r run) Run() int { return logtest.Main(r.m) }

// follow runs a list until the test ends; what it is told comes over the channel.
func follow(t *testing.T, js jetstream.JetStream, mode provision.Mode) (*revocation.List, <-chan revocation.Revocation) {
	t.Helper()
	told := make(chan revocation.Revocation, 100)
	list := revocation.Open(js, revocation.Options{Mode: mode, Changed: func(r revocation.Revocation) { told <- r }})
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- list.Run(running) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return list, told
}

func provisioned(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	if err := revocation.Provision(ctx, js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
}

func revoke(t *testing.T, js jetstream.JetStream, r revocation.Revocation) revocation.Revocation {
	t.Helper()
	r, err := revocation.Revoke(ctx, js, r)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func hears(t *testing.T, told <-chan revocation.Revocation, want revocation.Revocation) {
	t.Helper()
	select {
	case got := <-told:
		if got.Target != want.Target || got.Of != want.Of || got.Reason != want.Reason || !got.At.Equal(want.At) {
			t.Errorf("told %+v, want %+v", got, want)
		}
	case <-time.After(40 * time.Second):
		t.Fatalf("was not told %+v", want)
	}
}

// revokedSince waits for the answer that some condition holds of.
func revokedSince(t *testing.T, list *revocation.List, target revocation.Target, holds func(time.Time, error) bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); ; {
		since, err := list.Revoked(ctx, target)
		if holds(since, err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v: %v, %v", target, since, err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestEveryListHearsOfEveryRevocation(t *testing.T) {
	server := logtest.Start(t)
	operator := server.Connect()
	provisioned(t, operator)
	long := strings.Repeat("ä☃", 40)
	hash := session.Hash("5b1c9a1e5b1c9a1e5b1c9a1e5b1c9a1e")
	before := revoke(t, operator, revocation.Revocation{Target: revocation.Target{User: "auth0|*.> " + "\x00"}, Reason: "left"})
	a, aTold := follow(t, server.Connect(), provision.Check)
	b, bTold := follow(t, server.Connect(), provision.Check)
	later := []revocation.Revocation{
		{Target: revocation.Target{User: long}}, {Target: revocation.Target{Session: hash}, Of: "ann", Reason: "a \"lost\" phone"},
	}
	for i := range later {
		later[i] = revoke(t, operator, later[i])
	}
	for _, told := range []<-chan revocation.Revocation{aTold, bTold} {
		hears(t, told, before)
		for _, r := range later {
			hears(t, told, r)
		}
	}
	for _, list := range []*revocation.List{a, b} {
		for _, r := range append(later, before) {
			if since, err := list.Revoked(ctx, r.Target); err != nil || !since.Equal(r.At) || !list.Known(r.Target).Equal(r.At) {
				t.Errorf("%+v: %v, %v", r, since, err)
			}
		}
		for _, other := range []revocation.Target{{User: "ann"}, {User: hash}, {Session: session.Hash("x")}, {User: "auth0|"}} {
			if since, err := list.Revoked(ctx, other); err != nil || !since.IsZero() {
				t.Errorf("%+v: %v, %v", other, since, err)
			}
		}
	}
}

func TestALiftedRevocationCountsNoMore(t *testing.T) {
	server := logtest.Start(t)
	operator := server.Connect()
	provisioned(t, operator)
	list, _ := follow(t, server.Connect(), provision.Check)
	ann := revocation.Target{User: "ann"}
	if was, err := revocation.Lift(ctx, operator, ann); was || err != nil {
		t.Errorf("lifted what was not: %v, %v", was, err)
	}
	revoke(t, operator, revocation.Revocation{Target: ann})
	revokedSince(t, list, ann, func(since time.Time, err error) bool { return err == nil && !since.IsZero() })
	if was, err := revocation.Lift(ctx, operator, ann); !was || err != nil {
		t.Errorf("%v, %v", was, err)
	}
	revokedSince(t, list, ann, func(since time.Time, err error) bool { return err == nil && since.IsZero() })
	again, _ := follow(t, server.Connect(), provision.Check)
	if since, err := again.Revoked(ctx, ann); err != nil || !since.IsZero() {
		t.Errorf("another list: %v, %v", since, err)
	}
}

func TestWithoutTheBucketThereIsNoAnswer(t *testing.T) {
	server := logtest.Start(t)
	list, _ := follow(t, server.Connect(), provision.Check)
	if _, err := list.Revoked(ctx, revocation.Target{User: "ann"}); !fault.Is(err, fault.Temporary) {
		t.Errorf("%v", err)
	}
	provisioned(t, server.Connect())
	revokedSince(t, list, revocation.Target{User: "ann"}, func(since time.Time, err error) bool { return err == nil && since.IsZero() })
}

// TestAnInterruptionHidesNothing revokes while a list is cut off: it gives no answer
// meanwhile, still knows what it knew, and then hears of everything.
func TestAnInterruptionHidesNothing(t *testing.T) {
	server := logtest.Start(t)
	operator := server.Connect()
	provisioned(t, operator)
	ann, bob := revocation.Target{User: "ann"}, revocation.Target{User: "bob"}
	known := revoke(t, operator, revocation.Revocation{Target: ann})
	list, told := follow(t, server.Connect(), provision.Check)
	hears(t, told, known)
	revokedSince(t, list, bob, func(since time.Time, err error) bool { return err == nil && since.IsZero() })
	server.Stop()
	revokedSince(t, list, bob, func(_ time.Time, err error) bool { return fault.Is(err, fault.Temporary) })
	if list.Known(ann).IsZero() {
		t.Error("what was known is forgotten")
	}
	server.Restart()
	r := revoke(t, server.Connect(), revocation.Revocation{Target: bob})
	revokedSince(t, list, bob, func(since time.Time, err error) bool { return err == nil && since.Equal(r.At) })
	revokedSince(t, list, ann, func(since time.Time, err error) bool { return err == nil && !since.IsZero() })
}

func TestWhatIsMalformedCountsAsOfWhenItWasWritten(t *testing.T) {
	server := logtest.Start(t)
	js := server.Connect()
	provisioned(t, js)
	kv, err := js.KeyValue(ctx, "REVOCATIONS")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"", "{", `{"at":"2020-01-01T00:00:00Z","user":"bob"}`} {
		if _, err := kv.PutString(ctx, "user.nann", body); err != nil {
			t.Fatal(err)
		}
		list, _ := follow(t, server.Connect(), provision.Check)
		if since, err := list.Revoked(ctx, revocation.Target{User: "ann"}); err != nil || since.IsZero() {
			t.Errorf("%q: %v, %v", body, since, err)
		}
	}
}

func TestTheBucketIsNeverMadeToForget(t *testing.T) {
	js := logtest.Start(t).Connect()
	want := revocation.Bucket(1).Want
	want.MaxAge, want.Discard = time.Hour, jetstream.DiscardOld
	if _, err := js.CreateStream(ctx, want); err != nil {
		t.Fatal(err)
	}
	provisioned(t, js)
	stream, err := js.Stream(ctx, "KV_REVOCATIONS")
	if err != nil {
		t.Fatal(err)
	}
	if c := stream.CachedInfo().Config; c.MaxAge != 0 || c.Discard != jetstream.DiscardNew || c.MaxBytes <= 0 {
		t.Errorf("%+v", c)
	}
}

// TestARevocationIsNotMadeLessByAnother revokes again what was revoked by a server whose
// clock was ahead, and whose owner nobody knows any more.
func TestARevocationIsNotMadeLessByAnother(t *testing.T) {
	js := logtest.Start(t).Connect()
	provisioned(t, js)
	kv, err := js.KeyValue(ctx, "REVOCATIONS")
	if err != nil {
		t.Fatal(err)
	}
	ahead := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	hash := session.Hash("5b1c9a1e5b1c9a1e5b1c9a1e5b1c9a1e")
	if _, err := kv.PutString(ctx, "session."+hash, `{"at":"`+ahead.Format(time.RFC3339Nano)+`","user":"ann"}`); err != nil {
		t.Fatal(err)
	}
	r := revoke(t, js, revocation.Revocation{Target: revocation.Target{Session: hash}, Reason: "again"})
	if !r.At.Equal(ahead) || r.Of != "ann" || r.Reason != "again" {
		t.Errorf("%+v, want one of ann as of %v", r, ahead)
	}
	list, told := follow(t, js, provision.Check)
	hears(t, told, r)
	if since := list.Known(r.Target); !since.Equal(ahead) {
		t.Errorf("known since %v", since)
	}
}

// TestALostBucketLetsNobodyIn has the bucket vanish, and somebody make it anew, empty.
func TestALostBucketLetsNobodyIn(t *testing.T) {
	server := logtest.Start(t)
	operator := server.Connect()
	ann, bob := revocation.Target{User: "ann"}, revocation.Target{User: "bob"}
	list, told := follow(t, server.Connect(), provision.Make)
	revokedSince(t, list, ann, func(since time.Time, err error) bool { return err == nil && since.IsZero() })
	known := revoke(t, operator, revocation.Revocation{Target: ann})
	hears(t, told, known)
	if err := operator.DeleteStream(ctx, "KV_REVOCATIONS"); err != nil {
		t.Fatal(err)
	}
	lost := func(why string) {
		t.Helper()
		revokedSince(t, list, bob, func(_ time.Time, err error) bool {
			s := list.Status()
			return fault.Is(err, fault.Temporary) && !s.Current && !s.Since.IsZero() && s.Why != nil && strings.Contains(s.Why.Error(), why)
		})
	}
	lost("has not been made")
	if _, err := operator.Stream(ctx, "KV_REVOCATIONS"); err == nil {
		t.Error("a list that ran made it anew")
	}
	provisioned(t, operator)
	lost("another one")
	if !list.Known(ann).Equal(known.At) {
		t.Error("what was known is forgotten")
	}
	fresh, _ := follow(t, server.Connect(), provision.Make) // takes it as it is
	revokedSince(t, fresh, ann, func(since time.Time, err error) bool { return err == nil && since.IsZero() })
	if !fresh.Status().Current {
		t.Errorf("%+v", fresh.Status())
	}
}
