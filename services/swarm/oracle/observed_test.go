package oracle_test

import (
	"slices"
	"testing"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
)

func TestAnObservedLogOfAHistoryInOrderIsClean(t *testing.T) {
	for seed := range uint64(50) {
		w := newWorld(seed, 300)
		log, found := oracle.Observed(w.run)
		if found = append(found, oracle.Check(w.run, log, quiet)...); len(found) > 0 {
			t.Fatalf("seed %d:\n%s", seed, tell(found[:min(3, len(found))]))
		}
		for _, m := range log.Messages {
			i := slices.IndexFunc(w.log.Messages, func(o oracle.Message) bool { return o.Offset == m.Offset })
			if i < 0 || w.log.Messages[i].Content != m.Content || w.log.Messages[i].Key != m.Key {
				t.Fatalf("seed %d: observed %+v, the log is otherwise", seed, m)
			}
		}
	}
}

// Most of what is found with the log is found without it.
func TestBrokenPromisesAreFoundInAnObservedLog(t *testing.T) {
	found := map[string]int{}
	for _, m := range slices.Concat(deliveries, claims) {
		for seed := range uint64(4) {
			w := newWorld(seed, 300)
			want := m.spoil(w)
			if want == nil {
				continue
			}
			log, findings := oracle.Observed(w.run)
			findings = append(findings, oracle.Check(w.run, log, quiet)...)
			if slices.ContainsFunc(findings, func(f oracle.Finding) bool { return f.Rule == want.Rule }) {
				found[m.name]++
			}
		}
	}
	for _, name := range []string{
		"a message is not delivered", "a message comes twice at once", "two messages are swapped", "a key is told to others",
		"a direct message between others", "a message of a room that it has left", "the last message is lost",
		"a watermark in place of what it covers", "a recovery that miscounts", "a recovery of another epoch",
	} {
		if found[name] == 0 {
			t.Errorf("%s: never found", name)
		}
	}
}

func TestOneOffsetTwoMessagesIsFoundAndTheMajorityIsRight(t *testing.T) {
	run := &history.Run{ID: runID}
	for _, content := range []string{"wrong", "right", "right"} {
		from := uint64(0)
		run.Actors = append(run.Actors, &history.Actor{Name: "heard " + content, Connections: []*history.Connection{{
			From: &from, Closed: 1,
			Entries: []history.Entry{{Kind: history.Received, Message: &history.Message{
				Offset: 5, ID: "x", Conversation: in("general"), Content: content,
			}}},
		}}})
	}
	log, found := oracle.Observed(run)
	if len(log.Messages) != 1 || log.Messages[0].Content != "right" || log.Head != 5 || !log.Observed {
		t.Errorf("observed %+v", log)
	}
	if len(found) != 1 || found[0].Rule != oracle.AsInLog || found[0].Actor != "heard wrong" || found[0].Offset != 5 {
		t.Errorf("found:\n%s", tell(found))
	}
}
