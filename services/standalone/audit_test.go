package standalone_test

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"

	_ "modernc.org/sqlite"
)

// audit compares what people sent and heard with the log. Nobody may be sending
// any more; what is still on its way to them is waited for.
func audit(t *testing.T, events []event.Event, people ...*person) {
	t.Helper()
	auditAcks(t, events, people)
	for _, p := range people {
		eventually(t, p.name+" has heard all", func() bool { return len(p.unheard(events)) == 0 })
		p.auditHeard(t, events)
		p.auditBeginning(t)
	}
}

// auditAcks finds each acked message in the log, once and where its ack said.
func auditAcks(t *testing.T, events []event.Event, people []*person) {
	t.Helper()
	stored := map[string]int{}
	for _, e := range events {
		if e.Message() {
			stored[e.Content]++
		}
	}
	for content, n := range stored {
		if n != 1 {
			t.Errorf("%q is in the log %d times", content, n)
		}
	}
	for _, p := range people {
		for _, s := range p.sent {
			if s.ack.Offset == 0 || s.ack.Offset > uint64(len(events)) {
				t.Errorf("%q was acked at %d, beyond the log", s.content, s.ack.Offset)
			} else if e := events[s.ack.Offset-1]; e.Content != s.content || e.ID != s.ack.ID || e.Sender != p.id {
				t.Errorf("%q was acked at %d, where the log holds %q", s.content, s.ack.Offset, e.Content)
			}
		}
	}
}

// concerns reports whether somebody is to be sent an event of the log.
func (p *person) concerns(e *event.Event) bool {
	if !e.Message() {
		return false
	}
	if e.Conversation.Kind == subject.DM {
		return p.id != "" && (e.Sender == p.id || e.Recipient == p.id)
	}
	return slices.Contains(p.rooms, e.Conversation.Name) || p.id == "" && e.Conversation == subject.General
}

// unheard is what somebody should have heard and has not. What they sent
// themselves to another user, they have been told by its ack.
func (p *person) unheard(events []event.Event) (missing []uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	told := map[uint64]bool{}
	for _, h := range p.heard {
		if h.Post != nil {
			told[h.Post.Offset] = true
		}
	}
	for _, s := range p.sent {
		if events[s.ack.Offset-1].Conversation.Kind == subject.DM {
			told[s.ack.Offset] = true
		}
	}
	for i := range events {
		if p.concerns(&events[i]) && !told[events[i].Offset] {
			missing = append(missing, events[i].Offset)
		}
	}
	return missing
}

// auditHeard checks that somebody was sent nothing else, nothing twice, in the
// log's order, and what the log holds.
func (p *person) auditHeard(t *testing.T, events []event.Event) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	own := map[uint64]sent{}
	for _, s := range p.sent {
		own[s.ack.Offset] = s
	}
	last := uint64(0)
	for _, h := range p.heard {
		if h.Post == nil {
			continue
		}
		e := &events[h.Post.Offset-1]
		switch {
		case e.Offset <= last:
			t.Errorf("%s heard %d after %d", p.name, e.Offset, last)
		case !p.concerns(e):
			t.Errorf("%s heard %q, which is not for them", p.name, e.Content)
		case e.Conversation.Kind == subject.DM && own[e.Offset].socket == h.socket && !own[e.Offset].ack.Duplicate:
			t.Errorf("%s heard %q on the very socket it was sent on", p.name, e.Content)
		case !shows(h.Post, e, p.id != "" && e.Sender == p.id || h.Post.ClientOffset != "" && own[e.Offset].content != ""):
			t.Errorf("%s heard %s, the log holds %+v", p.name, h.Args, e)
		}
		last = e.Offset
	}
}

// auditBeginning checks how each connection of a user began: with the session,
// and with the list of users before what adds to it.
func (p *person) auditBeginning(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	bySocket := map[string][]string{}
	for _, h := range p.heard {
		if !strings.HasSuffix(h.Name, "typing") {
			bySocket[h.socket] = append(bySocket[h.socket], h.Name)
		}
	}
	for _, names := range bySocket {
		if p.id != "" && names[0] != "session" || p.id != "" && len(names) > 1 && names[1] != "users" {
			t.Errorf("a connection of %s began with %q", p.name, names[:min(len(names), 5)])
		}
		if n := len(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name != "recovery" })); n > 1 {
			t.Errorf("a connection of %s was told %d times that it has caught up", p.name, n)
		}
	}
}

// shows reports whether a message as it was heard says what the log holds, with
// its key if it is one's own. A guest knows its own by the ack.
func shows(m *gatewaytest.Post, e *event.Event, own bool) bool {
	want := gatewaytest.Post{
		Event: "room message", Room: e.Conversation.Name, Content: e.Content, From: e.Sender, To: e.Recipient,
		Username: e.SenderName, Offset: e.Offset, ID: e.ID, At: e.At.Format("2006-01-02T15:04:05.000Z"),
	}
	switch {
	case e.Conversation.Kind == subject.DM:
		want.Event, want.Room = "private message", ""
	case e.Conversation == subject.General:
		want.Event = "chat message"
	}
	if own {
		want.ClientOffset = e.Key
	}
	return *m == want
}

// auditReadModel compares what the read model holds with the log.
func auditReadModel(t *testing.T, events []event.Event, tables map[string][]string) {
	t.Helper()
	want := map[string][]string{}
	last := map[string]uint64{}
	for _, e := range events {
		if !e.Message() {
			want["users"] = append(want["users"], fmt.Sprint(e.Sender, "|", e.SenderName, "|", e.Offset, "|", e.At.UnixNano()))
			continue
		}
		key := "<nil>"
		if e.Key != "" {
			key = e.Key
		}
		want["messages"] = append(want["messages"], fmt.Sprint(e.Conversation, "|", e.Offset, "|", e.ID, "|", e.At.UnixNano(), "|",
			e.Sender, "|", e.SenderName, "|", e.Recipient, "|", e.Scope, "|", key, "|", e.Content, "|", e.Digest))
		if e.Conversation.Kind == subject.DM {
			last[e.Sender+"|"+e.Conversation.String()] = e.Offset
			last[e.Recipient+"|"+e.Conversation.String()] = e.Offset
		}
	}
	for who, offset := range last {
		want["direct"] = append(want["direct"], fmt.Sprint(who, "|", offset))
	}
	for _, name := range []string{"users", "messages", "direct", "dead_letter"} {
		slices.Sort(want[name])
		if !slices.Equal(tables[name], want[name]) {
			t.Errorf("the read model's table %s is not what the log says:\n%s\nwant\n%s", name, tables[name], want[name])
		}
	}
}

// dump is all rows of a read model, sorted, by table.
func dump(t *testing.T, database string) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+database+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := map[string][]string{}
	for _, row := range rows(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'`) {
		tables[row] = rows(t, db, `SELECT * FROM "`+row+`"`)
	}
	if len(tables) == 0 {
		t.Fatalf("%s has no tables", database)
	}
	return tables
}

// rows is what a query finds, sorted, the columns joined by "|".
func rows(t *testing.T, db *sql.DB, query string) (found []string) {
	t.Helper()
	result, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	columns, err := result.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for result.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := result.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = fmt.Sprint(v)
		}
		found = append(found, strings.Join(texts, "|"))
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

// deleteDatabase deletes the read model of a persister that does not run.
func deleteDatabase(t *testing.T, database string) {
	t.Helper()
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(database + end); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// sameTables compares two dumps.
func sameTables(t *testing.T, before, after map[string][]string) {
	t.Helper()
	names := slices.Sorted(maps.Keys(before))
	if !slices.Equal(names, slices.Sorted(maps.Keys(after))) {
		t.Errorf("tables %v, were %v", slices.Sorted(maps.Keys(after)), names)
	}
	for _, name := range names {
		if !slices.Equal(before[name], after[name]) {
			t.Errorf("table %s has %d rows and is not what it was with %d", name, len(after[name]), len(before[name]))
		}
	}
}
