package origin_test

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/origin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContradiction(t *testing.T) {
	js := logtest.Start(t).Provision(logtest.Config())
	last := logtest.Publish(t, js, logtest.Message(t, "a", "x"), logtest.Message(t, "a", "y"))
	log := eventlog.Open(js)
	state, err := log.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, err := log.Get(t.Context(), last)
	if err != nil {
		t.Fatal(err)
	}
	at := func(change func(*readmodel.Position)) readmodel.Position {
		p := readmodel.Position{Offset: last, At: e.At, Epoch: state.Epoch, Digest: e.Digest}
		change(&p)
		return p
	}
	for name, test := range map[string]struct {
		p    readmodel.Position
		want string
	}{
		"the same":          {at(func(*readmodel.Position) {}), ""},
		"at the beginning":  {readmodel.Position{}, ""},
		"no digest to tell": {at(func(p *readmodel.Position) { p.Digest = event.Digest{} }), ""},
		"other epoch":       {at(func(p *readmodel.Position) { p.Epoch = "other" }), "of epoch other"},
		"log is shorter":    {at(func(p *readmodel.Position) { p.Offset = 9 }), "the log ends at 2"},
		"other time":        {at(func(p *readmodel.Position) { p.At = p.At.Add(time.Nanosecond) }), "the log one of"},
		"other event":       {at(func(p *readmodel.Position) { p.Digest[0]++ }), "with digest"},
	} {
		got, err := origin.Contradiction(t.Context(), log, test.p, state)
		if err != nil || (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
