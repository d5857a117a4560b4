package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

var update = flag.Bool("update", false, "write the golden files")

// hostile are events such as no client of ours would send.
func hostile() (records []record.Record) {
	at := time.Date(2026, 11, 21, 17, 31, 5, 42_000_001, time.UTC)
	add := func(e event.Event, damaged string) {
		e.Offset, e.At, e.ID = uint64(len(records)+9), at.Add(time.Duration(len(records))*time.Second), fmt.Sprintf("id-%d", len(records))
		if e.Schema == 0 {
			e.Schema = 1
		}
		if e.Type == "" {
			e.Type = event.Posted
		}
		e.Seal()
		r := record.Of(&e)
		r.Damaged = damaged
		records = append(records, r)
	}
	room := func(name string) subject.Conversation { return subject.Conversation{Kind: subject.Room, Name: name} }
	alice := func(name, content string) event.Event {
		return event.Event{Conversation: room("general"), Sender: "a1", SenderName: name, Content: content}
	}
	direct := event.Event{
		Conversation: subject.Conversation{Kind: subject.DM, Name: subject.PairName("a1", "b1")},
		Sender:       "a1", SenderName: "alice", Recipient: "b1", Scope: "user:a1/dm:x", Key: "key-1", Content: "psst",
	}
	add(alice("alice", "hello, world"), "")
	add(event.Event{Conversation: room("general"), Content: "I have no name"}, "")
	add(alice("(guest)", "nor have I"), "")
	add(alice("alice: hi", "who is this"), "")
	add(alice("Zoë", "żółw 🐢 שלום"), "")
	add(direct, "")
	bob := direct
	bob.Sender, bob.SenderName, bob.Recipient = "b1", "bob -> carol", "a1"
	add(bob, "")
	add(direct, "")
	add(event.Event{
		Type: event.Registered, Conversation: subject.Conversation{Kind: subject.User, Name: "c1"}, Sender: "c1", SenderName: "carol\x1b[31m",
	}, "")
	add(event.Event{Type: "message.edited", Schema: 2, Conversation: room("general"), Sender: "a1", Content: "hello!"}, "")
	add(event.Event{Type: "x] #y z: \n", Conversation: room("a room"), Content: `[message.edited] "x", \n, y`}, "")
	add(alice("alice", "two\r\nlines, a\ttab, a bell\a and nothing: \x00\x7f"), "")
	add(alice("alice", "\x1b]0;title\x07\x1b[2Jcleared, \u009b31mred, \u0085next"), "")
	add(alice("ali\u202eecila", "abc\u202edef\u2066\u200b\ufeff\u2028\u2029\U000e0041"), "")
	add(alice("alice", "no UTF-8: \xff\xc3( \xed\xa0\x80"), "")
	add(alice("alice", "=1+1\",\"x"), "")
	add(alice("alice", strings.Repeat("long ", 50)), "")
	add(alice("alice", "hellp"), "the digest does not fit the event")
	add(event.Event{Type: "?"}, "header Tidemark-Sender: invalid URL escape \"%\u202e\"]")
	return records
}

func write(t testing.TB, format string, guarded bool, records []record.Record) string {
	t.Helper()
	var out bytes.Buffer
	w, err := New(format, &out, guarded)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := w.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFormatsAreAsTheyWere(t *testing.T) {
	for _, format := range Formats {
		for _, guarded := range []bool{false, true} {
			name := map[bool]string{false: "program", true: "terminal"}[guarded] + "." + format
			file := filepath.Join("testdata", name)
			got := write(t, format, guarded, hostile())
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s: got\n%s", name, got)
			}
		}
	}
}

func TestOnATerminalNothingIsControlled(t *testing.T) {
	for _, format := range Formats {
		got := write(t, format, true, hostile())
		for _, r := range got {
			if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u2066' || r == utf8.RuneError || r == 0xe0041) {
				t.Errorf("%s: %q is written raw", format, r)
			}
		}
		header := map[bool]int{true: 1}[format == "csv"]
		if lines := strings.Count(got, "\n") - header; lines != len(hostile()) {
			t.Errorf("%s: %d lines for %d events", format, lines, len(hostile()))
		}
	}
}

func TestProgramsReadBackWhatWasWritten(t *testing.T) {
	records := hostile()
	rows, err := csv.NewReader(strings.NewReader(write(t, "csv", false, records))).ReadAll()
	if err != nil || len(rows) != len(records)+1 || !reflect.DeepEqual(rows[0], columns) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, guarded := range []bool{false, true} {
		lines := json.NewDecoder(strings.NewReader(write(t, "json", guarded, records)))
		for i, want := range records {
			var got record.Record
			if err := lines.Decode(&got); err != nil {
				t.Fatal(err)
			}
			want.Content = string([]rune(want.Content)) // JSON has no other bytes than UTF-8
			if got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if content := strings.ReplaceAll(records[i].Content, "\r\n", "\n"); rows[i+1][8] != content { // as the reader of package csv does
				t.Errorf("%q, want %q", rows[i+1][8], content)
			}
		}
	}
}

func TestColumnsAreTheFieldsOfARecord(t *testing.T) {
	fields := reflect.TypeFor[record.Record]()
	if fields.NumField() != len(columns) {
		t.Fatalf("%d fields", fields.NumField())
	}
	for i, column := range columns {
		if name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ","); name != column {
			t.Errorf("column %d is %s, the field %s", i, column, name)
		}
	}
}

func TestATableWithoutEventsHasColumns(t *testing.T) {
	if got := write(t, "csv", false, nil); got != strings.Join(columns, ",")+"\n" {
		t.Errorf("%q", got)
	}
}

func TestThereIsNoOtherFormat(t *testing.T) {
	if _, err := New("xml", new(bytes.Buffer), false); err == nil {
		t.Error("xml")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	for _, format := range Formats {
		w, err := New(format, full{}, false)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 1_000_000 && err == nil; i++ {
			err = w.Write(&hostile()[0])
		}
		if err == nil {
			t.Errorf("%s: no error", format)
		}
	}
}

func TestNamesThatAreKnownAreBounded(t *testing.T) {
	n := names{}
	for i := range maxNames + 10 {
		n.learn(fmt.Sprint("u", i), "x")
	}
	if len(n) > maxNames {
		t.Errorf("%d names", len(n))
	}
}

func TestNobodyGetsANameFromWhatIsNotChecked(t *testing.T) {
	direct := record.Record{Schema: 1, Type: "message.posted", Conversation: "dm:x", From: "a1", Username: "alice", To: "b1"}
	newer := record.Record{Schema: 2, Type: "message.posted", Conversation: "room:general", From: "b1", Username: "mallory"}
	damaged := newer
	damaged.Schema, damaged.Damaged = 1, "the digest does not fit the event"
	got := write(t, "text", false, []record.Record{newer, damaged, direct})
	if !strings.Contains(got, "[message.posted, schema 2, not checked] #general mallory: ") || !strings.Contains(got, "alice -> b1: ") {
		t.Error(got)
	}
}

func FuzzJSONIsTheStandardLibrarys(f *testing.F) {
	for i, r := range hostile() {
		f.Add(uint64(i), int64(i)*1e15, r.Schema, r.Username, r.Content, r.Damaged)
	}
	f.Add(uint64(1<<63), int64(-1)<<63, -1, "a\u0080\uffff\U0010ffff", "\x01\x1f <&>", "\xed\xbf\xbf")
	f.Fuzz(func(t *testing.T, offset uint64, at int64, schema int, name, content, damaged string) {
		r := record.Record{
			Offset: offset, ID: name, At: time.Unix(0, at).UTC(), Type: content, Conversation: name, From: content, Username: name, To: content,
			Content: content, ClientOffset: name, Scope: content, Schema: schema, Damaged: damaged,
		}
		copy(r.Digest[:], content)
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(r); err != nil {
			t.Fatal(err)
		}
		if got := write(t, "json", false, []record.Record{r}); got != want.String() {
			t.Errorf("got\n%swant\n%s", got, want.String())
		}
		var a, b record.Record
		guarded := write(t, "json", true, []record.Record{r})
		if json.Unmarshal([]byte(guarded), &a) != nil || json.Unmarshal(want.Bytes(), &b) != nil || a != b {
			t.Errorf("guarded it says %s", guarded)
		}
	})
}

func TestAnyJSONCanBeGuarded(t *testing.T) {
	plain := write(t, "json", false, hostile())
	if guarded := string(GuardJSON([]byte(plain))); guarded != write(t, "json", true, hostile()) {
		t.Errorf("%s", guarded)
	}
}

func FuzzWhatIsVisibleCanBeReadBack(f *testing.F) {
	for _, r := range hostile() {
		f.Add(r.Content)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Visible(s)
		for _, r := range got {
			if r < ' ' || r == 0x7f || r == utf8.RuneError && !strings.Contains(s, "\ufffd") {
				t.Errorf("%q is written raw", r)
			}
		}
		quoted := `"` + strings.ReplaceAll(got, `"`, `\"`) + `"`
		var back string
		if _, err := fmt.Sscanf(quoted, "%q", &back); err != nil || back != s {
			t.Errorf("%q became %q: %v", s, back, err)
		}
	})
}

// usual is an event as there are most of.
func usual() record.Record {
	e := event.Event{
		Offset: 123456, At: time.Date(2026, 11, 21, 17, 31, 5, 42_123_456, time.UTC), Schema: 1, Type: event.Posted,
		ID: "019a0000-0000-7000-8000-000000000000", Conversation: subject.General, Sender: "019a0000-0000-7000-8000-000000000001",
		SenderName: "alice", Content: strings.Repeat("hello world ", 8), Key: "AAAAAAAAAAAAAAAAAAAA-17", Scope: "user:a1/room:general",
	}
	e.Seal()
	return record.Of(&e)
}

func BenchmarkWrite(b *testing.B) {
	r := usual()
	for _, format := range Formats {
		b.Run(format, func(b *testing.B) {
			w, _ := New(format, new(nowhere), false)
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Write(&r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("encoding json", func(b *testing.B) {
		encoder := json.NewEncoder(new(nowhere))
		encoder.SetEscapeHTML(false)
		b.ReportAllocs()
		for b.Loop() {
			if err := encoder.Encode(&r); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
