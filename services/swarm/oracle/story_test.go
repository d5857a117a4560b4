package oracle_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
)

// small is a run of one user who is acked a message that the log does not hold, and sent another one twice.
func small() (*history.Run, oracle.Log) {
	from := uint64(40)
	hello := history.Message{
		Offset: 41, ID: "id-41", At: "2026-01-02T03:04:05.678Z", Conversation: in("general"), From: "u1", Username: "One", Content: "run-1 hello",
	}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	user := &history.Actor{Name: "user-7", Profile: "user", User: "u7", Username: "Seven"}
	user.Connections = []*history.Connection{{
		Gateway: gateway, Transport: "websocket", SocketID: "S7", From: &from, Rooms: []string{"general"},
		Opened: ms(12000), Closed: ms(13000), Why: "cut",
		Entries: []history.Entry{
			{At: ms(12100), Kind: history.Received, Message: &hello},
			{At: ms(12110), Kind: history.Recovered, Recovery: &history.Recovery{Recovered: true, From: 40, Head: 41, Count: 1, Epoch: epoch}},
			{At: ms(12500), Kind: history.Received, Message: &hello},
		},
	}}
	user.Sends = []*history.Send{{Conversation: in("general"), Key: "k1", Content: "run-1 lost?", Tries: []history.Try{
		{Connection: 0, At: ms(12300)},
		{Connection: 0, At: ms(12400), Answer: &history.Answer{At: ms(12402), OK: true, Offset: 43, ID: "id-43"}},
	}}}
	greeter := &history.Actor{Name: "user-1", Profile: "user", User: "u1", Username: "One", Sends: []*history.Send{
		{Conversation: in("general"), Content: "run-1 hello", Tries: []history.Try{{At: ms(12050)}}},
	}}
	return &history.Run{ID: runID, Actors: []*history.Actor{user, greeter}}, oracle.Log{
		Messages: []oracle.Message{{Message: hello}, {Message: history.Message{Offset: 43, ID: "id-44", Conversation: in("general"), From: "u9", Content: "something else"}}},
		Head:     43,
	}
}

func TestAStoryReadsWell(t *testing.T) {
	run, log := small()
	got := tell(oracle.Check(run, log, oracle.Options{}))
	const file = "testdata/story.txt"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAFindingIsJSONWithSmallNames(t *testing.T) {
	run, log := small()
	text, err := json.Marshal(oracle.Check(run, log, oracle.Options{})[0])
	if err != nil || !strings.HasPrefix(string(text), `{"rule":"acked-in-log","actor":"user-7","connection":0,"offset":43,"text":"`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestEveryRuleHasItsMeaningOnce(t *testing.T) {
	seen := map[oracle.Rule]bool{}
	for _, r := range oracle.Rules() {
		if r.Meaning == "" || seen[r.Rule] {
			t.Errorf("%+v", r)
		}
		seen[r.Rule] = true
	}
	for _, m := range append(append(deliveries, claims...), storages...) {
		if want := m.spoil(newWorld(1, 300)); want != nil && !seen[want.Rule] {
			t.Errorf("%s is of a rule without a meaning: %s", m.name, want.Rule)
		}
	}
}

func TestTheFirstFindingsAreToldAndTheOthersCounted(t *testing.T) {
	var f oracle.Findings
	told := 0
	for i := range 50 {
		f.Add(oracle.Complete, func() oracle.Finding { told++; return oracle.Finding{Text: fmt.Sprint(i)} })
	}
	f.Add(oracle.Once, func() oracle.Finding { return oracle.Finding{Text: "once"} })
	all := f.All()
	if told != oracle.MostPerRule || len(all) != oracle.MostPerRule+2 || all[0].Rule != oracle.Once || !strings.Contains(all[len(all)-1].Text, "30 more") || all[len(all)-1].More != 30 {
		t.Errorf("told %d: %s", told, tell(all))
	}
	for _, f := range all[:len(all)-1] {
		if f.More != 0 {
			t.Errorf("a finding that is told stands for %d", f.More)
		}
	}
	for i := range 5 {
		if w := newWorld(uint64(i), 300); w != nil {
			w.log.Messages = nil // everything is wrong
			for _, f := range oracle.Check(w.run, w.log, quiet) {
				if len(f.Timeline) > 20 {
					t.Errorf("a timeline of %d lines", len(f.Timeline))
				}
			}
		}
	}
}

// What stands before the part of the log that was read is not judged.
func TestALogReadFromTheMiddleJudgesTheRest(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(seed, 300)
		old := len(w.log.Messages) / 3
		w.log.After = w.log.Messages[old-1].Offset
		for i, m := range w.log.Messages[:old] {
			w.log.Messages[i].Content = "of another run: " + m.Content
		}
		w.log.Messages = w.log.Messages[old:]
		for _, f := range oracle.Check(w.run, w.log, quiet) {
			if f.Rule != oracle.AckedInLog {
				t.Fatalf("seed %d: %s", seed, tell([]oracle.Finding{f}))
			}
		}
	}
}

// BenchmarkCheck judges a thousand clients in one room.
func BenchmarkCheck(b *testing.B) {
	run, log := crowd(1000, 1000)
	for b.Loop() {
		if found := oracle.Check(run, log, oracle.Options{Quiet: true}); len(found) > 0 {
			b.Fatal(tell(found[:1]))
		}
	}
}

// crowd is so many clients who were all sent so many messages, of a log a hundred times as long.
func crowd(clients, messages int) (*history.Run, oracle.Log) {
	run, log := &history.Run{ID: runID}, oracle.Log{Head: uint64(100 * messages)}
	sender := &history.Actor{Name: "sender", User: "u"}
	run.Actors = append(run.Actors, sender)
	var heard []history.Entry
	for i := range 100 * messages {
		m := history.Message{Offset: uint64(i + 1), ID: fmt.Sprint("id-", i), Conversation: in(fmt.Sprint("room-", i%100)), From: "u", Content: fmt.Sprint("run-1 message ", i)}
		at := time.Duration(i) * time.Millisecond
		sender.Sends = append(sender.Sends, &history.Send{Conversation: m.Conversation, Content: m.Content, Tries: []history.Try{
			{At: at, Answer: &history.Answer{At: at + 1, OK: true, Offset: m.Offset, ID: m.ID}},
		}})
		log.Messages = append(log.Messages, oracle.Message{Message: m})
		if i%100 == 0 {
			heard = append(heard, history.Entry{At: at + 2, Kind: history.Received, Message: &m})
		}
	}
	told := history.Entry{Kind: history.Recovered, Recovery: &history.Recovery{Recovered: true, Epoch: epoch}}
	from := uint64(0)
	for i := range clients {
		run.Actors = append(run.Actors, &history.Actor{Name: fmt.Sprint("user-", i), User: fmt.Sprint("u", i), Connections: []*history.Connection{{
			Rooms: []string{"room-0"}, From: &from, Entries: append([]history.Entry{told}, heard...),
		}}})
	}
	return run, log
}
