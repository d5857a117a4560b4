package postgres_test

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/modeltest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestWhatIsCommittedIsOnDiskAndNothingLastsForEver(t *testing.T) {
	s := open(t, database(t))
	for name, want := range map[string]string{
		"synchronous_commit": "on", "statement_timeout": "20s", "idle_in_transaction_session_timeout": "5s", "lock_timeout": "10s",
	} {
		if got := postgres.WriterSetting(t, s, name); got != want {
			t.Errorf("writer: %s is %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{"statement_timeout": "10s", "default_transaction_read_only": "on"} {
		if got := postgres.ReaderSetting(t, s, name); got != want {
			t.Errorf("reader: %s is %s, want %s", name, got, want)
		}
	}
}

// Who may write to the log can give names and keys of any length.
func TestTextsThatAreLongerThanAnIndexEntryAreKept(t *testing.T) {
	s := open(t, database(t))
	bytes := make([]byte, 12_000)
	for i := range bytes {
		bytes[i] = byte(rand.Uint32()) // nothing to compress
	}
	long := base64.StdEncoding.EncodeToString(bytes)
	e := modeltest.Keyed(1, modeltest.Room(long), "x", long)
	refused := modeltest.Project(t, s, e, modeltest.Keyed(2, modeltest.Room(long), "again", long),
		modeltest.Registered(3, long, long), modeltest.Direct(4, long, "other", "x"))
	if len(refused) != 1 || refused[0].Offset != 2 {
		t.Errorf("%d refused", len(refused))
	}
	lookup, err := s.Lookup(t.Context(), query.LookupRequest{Scope: e.Scope, Key: e.Key})
	if err != nil || lookup.Event == nil || *lookup.Event != e {
		t.Errorf("lookup: %v", err)
	}
	after, err := s.After(t.Context(), query.AfterRequest{Conversations: []subject.Conversation{e.Conversation, subject.Inbox(long)}})
	if err != nil || len(after.Events) != 2 {
		t.Errorf("%d events, %v", len(after.Events), err)
	}
}

func TestQuestionsUseTheIndexesWhateverThePlannerExpects(t *testing.T) {
	url := database(t)
	s := open(t, url)
	fill := func(first, n uint64, c subject.Conversation) {
		p, err := s.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b := readmodel.Batch{Previous: p}
		for o := first; o < first+n; o++ {
			one := modeltest.Batch(p, modeltest.Event(o, c, "x"))
			b.Messages, b.Next = append(b.Messages, one.Messages...), one.Next
		}
		if _, err := s.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	fill(1, 3000, modeltest.Room("loud")) // of which there seem to be enough to find 50 on the way through the log
	for _, analyze := range []string{"", "ANALYZE messages"} {
		if analyze != "" {
			execute(t, url, analyze)
		}
		for text, plan := range postgres.Plans(t, s) {
			plan = strings.ReplaceAll(plan, "Seq Scan on checkpoint", "") // it has one row
			if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "messages_offset") {
				t.Errorf("%s\nplan: %s", text, plan)
			}
		}
	}
}
