package oracle_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
)

// Every line of the log below is a message of room "a"; a user connects after 1 and reaches 9. Of what it does in
// between, a number is a message that comes.
func TestWhatMustComeOfARoomGoesByTheAnswers(t *testing.T) {
	for does, want := range map[string]string{
		"join joined2 3 4 5 6 7 8 9":                "",
		"join joined2 4 5 6 7 8 9":                  "complete 3",
		"join refused":                              "",
		"join refused 5":                            "private 5",
		"join 5 refused":                            "private 5",
		"join joined2 3 leave unleft 4 5 6 7 8 9":   "",
		"join joined2 3 leave unleft 4 5 6 7 9":     "complete 8",
		"join joined2 3 join refused 4 5 6 7 8 9":   "",
		"join joined2 3 join refused 4 5 6 8 9":     "complete 7",
		"join 3 5":                                  "", // never answered: it may have joined or not
		"join 3 leave left 4":                       "private 4",
		"join joined2 3 leave 5":                    "", // it may have left or not
		"join joined2 3 leave 5 join joined6 7 8 9": "",
		"join joined2 3 leave 5 join joined6 8 9":   "complete 7",
		"join joined2 3 leave 5 join refused":       "",
		"join leave left joined2":                   "", // answered in another order
		"join leave left joined2 5":                 "private 5",
		"join joined2 3 leave left join refused":    "",
		"join joined2 3 leave left join refused 4":  "private 4",
		"join refused join joined2 3 4 5 6 7 8 9":   "",
		"join refused join joined2 3 4 5 6 7 8":     "complete 9",
	} {
		var got []string
		for _, f := range oracle.Check(roamer(does), roamed(), oracle.Options{}) {
			if f.Rule != oracle.Watermark { // it is told of all
				got = append(got, fmt.Sprint(f.Rule, " ", f.Offset))
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: found %q, want %q", does, got, want)
		}
	}
}

func roamed() (log oracle.Log) {
	for offset := range uint64(10) {
		m := history.Message{Offset: offset + 1, ID: fmt.Sprint("id-", offset+1), Conversation: in("a"), Content: "hello"}
		log.Messages, log.Head = append(log.Messages, oracle.Message{Message: m}), m.Offset
	}
	return log
}

// roamer is the run of somebody who does as said, up to a watermark of 9.
func roamer(does string) *history.Run {
	from := uint64(1)
	c := &history.Connection{Gateway: gateway, From: &from, Closed: time.Hour}
	add := func(e history.Entry) {
		e.At, e.Room = time.Duration(len(c.Entries)+1)*time.Second, "a"
		c.Entries = append(c.Entries, e)
	}
	add(history.Entry{Kind: history.Recovered, Recovery: &history.Recovery{Recovered: true, From: 1, Head: 1, Epoch: epoch}})
	kinds := map[string]history.Kind{
		"join": history.JoinAsked, "joined": history.Joined, "refused": history.JoinRefused,
		"leave": history.LeaveAsked, "left": history.Left, "unleft": history.LeaveRefused,
	}
	messages := roamed().Messages
	for _, word := range strings.Fields(does) {
		verb := strings.TrimRight(word, "0123456789")
		offset, _ := strconv.ParseUint(word[len(verb):], 10, 64)
		if verb == "" {
			add(history.Entry{Kind: history.Received, Message: &messages[offset-1].Message})
		} else {
			add(history.Entry{Kind: kinds[verb], Offset: offset})
		}
	}
	add(history.Entry{Kind: history.Watermark, Offset: 9})
	return &history.Run{ID: runID, Actors: []*history.Actor{{Name: "roamer", User: "u", Connections: []*history.Connection{c}}}}
}

func TestWhatIsAskedIsAnsweredInTheEnd(t *testing.T) {
	for does, want := range map[string]string{
		"join joined2 3 4 5 6 7 8 9 10 leave left": "",
		"join refused":                        "",
		"join leave left joined2":             "", // answered in another order
		"join":                                `asks to join "a", and was never answered.`,
		"join joined2 3 4 5 6 7 8 9 10 leave": `asks to leave "a", and was never answered.`,
		"join joined2 3 leave leave left":     `asks to leave "a", and was never answered.`,
	} {
		run := roamer(does)
		run.Actors[0].Connections[0].Closed = 0
		found := oracle.Check(run, roamed(), oracle.Options{Quiet: true})
		if want == "" && len(found) > 0 || want != "" && (len(found) != 1 || found[0].Rule != oracle.Contract || !strings.HasSuffix(found[0].Text, want)) {
			t.Errorf("%s:\n%s", does, tell(found))
		}
		if found := oracle.Check(run, roamed(), oracle.Options{}); len(found) > 0 {
			t.Errorf("%s, and nothing is said to be at its end:\n%s", does, tell(found))
		}
	}
}
