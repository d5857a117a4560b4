package gateway

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/revocation"
)

func TestAFeedIsBehindIfItHasNotDoneWithWhatTheLogHeldTheTimeBefore(t *testing.T) {
	gen := &generation{epoch: "e"}
	gen.applied.Store(10)
	at := func(epoch string, last uint64) eventlog.State { return eventlog.State{Epoch: epoch, Last: last} }
	for _, test := range []struct {
		before, now eventlog.State
		want        string
	}{
		{at("", 0), at("e", 10), ""},        // the first look
		{at("e", 10), at("e", 10), ""},      // quiet
		{at("e", 10), at("e", 999), ""},     // what came since then is on its way
		{at("e", 9), at("e", 10), ""},       // as far as that
		{at("e", 11), at("e", 11), "at 10"}, // stands still
		{at("e", 11), at("e", 12), "at 10"},
		{at("e", 11), at("f", 12), "another one"},
		{at("old", 99), at("e", 10), ""}, // the shorter of two logs
	} {
		err := gen.behind(test.before, test.now)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test, err, test.want)
		}
	}
}

func TestAGatewayThatHasNotLookedForAWhileIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gateway{}
		g.current.Store(&generation{})
		g.health.look()
		<-time.After(watchLate)
		if err := g.notReady(); err != nil {
			t.Errorf("after %v: %v", watchLate, err)
		}
		<-time.After(time.Second)
		if err := g.notReady(); err == nil || !strings.Contains(err.Error(), "11s") {
			t.Errorf("after one second more: %v", err)
		}
		g.health.note(errors.New("why"))
		if err := g.notReady(); err == nil || err.Error() != "why" {
			t.Errorf("what is known is not said: %v", err)
		}
	})
}

func TestAGatewayThatDoesNotKnowTheRevocationsIsNotReady(t *testing.T) {
	now, why := time.Now(), errors.New("why")
	for _, c := range []struct {
		status revocation.Status
		want   string
	}{
		{revocation.Status{Current: true}, ""},
		{revocation.Status{Why: why}, "are not known: why"}, // it has never known them
		{revocation.Status{Since: now.Add(-revocationsLate), Why: why}, ""},
		{revocation.Status{Since: now.Add(-revocationsLate - time.Second), Why: why}, "for 11s: why"},
	} {
		if err := unrevoked(c.status, now); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.status, err, c.want)
		}
	}
}
