package oracle_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
)

// lateTalk has strangers write to the log after everybody was sent everything, and some clients be sent some of that.
func lateTalk(w *world) (before uint64) {
	before = w.log.Head
	for range 40 {
		w.foreign()
	}
	for _, l := range w.open()[:len(w.open())/2] {
		w.deliver(l, w.IntN(5))
	}
	return before
}

func TestWhatStrangersSayAfterTheEndNeedNotBeSent(t *testing.T) {
	missed := 0
	for seed := range uint64(20) {
		w := newWorld(seed, 300)
		end := quiet
		end.UpTo = lateTalk(w)
		if found := oracle.Check(w.run, w.log, end); len(found) > 0 {
			t.Fatalf("seed %d:\n%s", seed, tell(found[:min(3, len(found))]))
		}
		if found := oracle.Check(w.run, w.log, quiet); slices.ContainsFunc(found, func(f oracle.Finding) bool { return f.Rule == oracle.Reached }) {
			missed++
		}
	}
	if missed < 15 {
		t.Errorf("only %d of 20 histories are not at the end of the log", missed)
	}
}

func TestWhatIsSaidBeforeTheEndMustBeSent(t *testing.T) {
	i := slices.IndexFunc(deliveries, func(m mutation) bool { return m.name == "the last message is lost" })
	broken := 0
	for seed := range uint64(20) {
		w := newWorld(seed, 300)
		want := deliveries[i].spoil(w)
		if want == nil {
			continue
		}
		broken++
		end := quiet
		end.UpTo = w.log.Head
		for range 40 {
			w.foreign()
		}
		found := oracle.Check(w.run, w.log, end)
		if !slices.ContainsFunc(found, func(f oracle.Finding) bool { return fits(f, want) }) {
			t.Fatalf("seed %d: want %s of %q at %d, found:\n%s", seed, want.Rule, want.Actor, want.Offset, tell(found))
		}
	}
	if broken < 5 {
		t.Errorf("only %d histories had a place for it", broken)
	}
}

func TestAllTabsMustBeThereAtTheEnd(t *testing.T) {
	const ended = 5 * time.Second
	from := uint64(0)
	told := []history.Entry{{Kind: history.Recovered, Recovery: &history.Recovery{Recovered: true, Epoch: epoch}}}
	tab := func(closed time.Duration) *history.Connection {
		return &history.Connection{Gateway: gateway, From: &from, Closed: closed, Entries: told}
	}
	for name, c := range map[string]struct {
		tabs []*history.Connection
		want string // empty: nothing is found
	}{
		"none ever":       {nil, "tabs never got a connection."},
		"one, ever":       {[]*history.Connection{tab(0)}, "tabs never got more than 1 of 2 connections."},
		"none came back":  {[]*history.Connection{tab(ended), tab(1)}, "tabs has not come back since its last connection ended at +5.000 s (connection 0, gateway " + gateway + ")."},
		"one came back":   {[]*history.Connection{tab(ended), tab(1), tab(0)}, "tabs has only 1 of 2 connections since another ended at +5.000 s (connection 0, gateway " + gateway + ")."},
		"both came back":  {[]*history.Connection{tab(ended), tab(1), tab(0), tab(0)}, ""},
		"both never went": {[]*history.Connection{tab(0), tab(0)}, ""},
	} {
		run := &history.Run{ID: runID, Actors: []*history.Actor{{Name: "tabs", Connections: c.tabs}}}
		found := oracle.Check(run, oracle.Log{}, oracle.Options{Quiet: true, Present: map[string]int{"tabs": 2}})
		if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || found[0].Rule != oracle.Reached || found[0].Text != c.want) {
			t.Errorf("%s:\n%s", name, tell(found))
		}
		if found := oracle.Check(run, oracle.Log{}, oracle.Options{Quiet: true}); len(found) > 0 {
			t.Errorf("%s, of whom nothing is expected:\n%s", name, tell(found))
		}
	}
}
