package transcript_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/auditor/proof/prooftest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestWhatRepeatsAnEarlierMessageIsMarked(t *testing.T) {
	log := prooftest.Write(t, "one", "two")
	log.Append(event.NewPosted("", subject.General, "without a key")) // 3
	log.Append(event.NewPosted("", subject.General, "without a key")) // 4: another one, of another id
	log.Again(1, "")                                                  // 5
	log.Again(1, "not one")                                           // 6
	log.Again(3, "")                                                  // 7
	log.Again(6, "")                                                  // 8: readers were shown 1 alone
	lines, page := write(t, log, "room:general", log.Sign())
	for _, check := range []func() (uint64, error){
		func() (uint64, error) { r, err := checkLines(t, lines); return r.Summary.Repeats, err },
		func() (uint64, error) { r, err := checkPage(t, page); return r.Summary.Repeats, err },
	} {
		if n, err := check(); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	var marks []string
	for _, e := range parse(t, page) {
		if e.name == "p" && e.class == "warn" {
			marks = append(marks, e.text)
		}
	}
	want := "Repeats offset 1: the same message, stored again.|Has the key of offset 1: readers were shown only that one.|" +
		"Repeats offset 3: the same message, stored again.|Has the key of offset 1: readers were shown only that one."
	if got := strings.Join(marks, "|"); got != want || !bytes.Contains(page, []byte("repeats of an earlier one: 4<")) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
