package modeltest

import (
	"database/sql"
	"fmt"
	"iter"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// testReader exercises the reader of a store.
func testReader(t *testing.T, newPlace func(t *testing.T) Place) {
	for name, test := range map[string]func(*testing.T, Place){
		"an empty read model":                     testReadEmpty,
		"what was appended is what must be there": testReadRows,
		"ranges of offsets":                       testReadRanges,
		"while it is written":                     testReadWhileWritten,
		"rows that are altered":                   testReadAltered,
		"rows that can be nobody's":               testReadStrays,
		"direct conversations":                    testReadDirect,
		"two rows at one offset":                  testReadTwice,
	} {
		t.Run(name, func(t *testing.T) { test(t, newPlace(t)) })
	}
}

// all is what a sequence of the reader yields.
func all[T any](t *testing.T, rows iter.Seq2[T, error]) (list []T) {
	t.Helper()
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, row)
	}
	return list
}

func tableOffsets(rows []readmodel.TableRow) (list []uint64) {
	for _, row := range rows {
		list = append(list, row.Offset)
	}
	return list
}

func wantNumbers(t *testing.T, what string, got []uint64, want ...uint64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func testReadEmpty(t *testing.T, place Place) {
	place.Open(t)
	r := place.Reader(t)
	if p := must[readmodel.Position](t)(r.Position(t.Context())); p != (readmodel.Position{}) {
		t.Errorf("%+v", p)
	}
	for _, table := range readmodel.Tables {
		if rows := append(all(t, r.Rows(t.Context(), table, 0, math.MaxUint64)), all(t, r.Strays(t.Context(), table))...); len(rows) > 0 {
			t.Errorf("%s: %+v", table, rows)
		}
	}
	if direct := all(t, r.Direct(t.Context())); len(direct) > 0 {
		t.Errorf("%+v", direct)
	}
	for range r.Rows(t.Context(), "secrets", 0, 9) {
		return
	}
	t.Error("the rows of a table that there is not are none instead of an error")
}

// testReadRows holds each store to what this package's rows say, whatever text is in them.
func testReadRows(t *testing.T, place Place) {
	s := place.Open(t)
	const odd = "<b>\x00\u2028 日本 '\"\\\xff"
	plain, keyed := Event(1, Room("a b*>"), ""), Keyed(2, Room("a"), odd, "k'\x00")
	direct, user := Direct(3, "u1", "u2", odd), Registered(4, "u1", "Zoë")
	again, taken := Keyed(5, Room("a"), "again", "k'\x00"), Registered(6, "u1", "other")
	b := Batch(readmodel.Position{}, plain, keyed, direct, user, again, taken)
	b.DeadLetters = []readmodel.DeadLetter{
		{Offset: 7, Through: 19, Reason: "gone"},
		{Offset: 20, Through: 20, Reason: "bare", At: plain.At, Stored: readmodel.Stored{Subject: "chat.x"}},
		{Offset: 21, Through: 21, Reason: odd, At: plain.At, Stored: readmodel.Stored{
			Subject: "chat.y", Header: nats.Header{"B": {"2", "1"}, "A": {""}}, Content: []byte(odd),
		}},
	}
	b.Next.Offset = 21
	refused := must[[]readmodel.DeadLetter](t)(s.Append(t.Context(), b))
	want := map[readmodel.Table][]readmodel.TableRow{
		readmodel.Messages: {readmodel.MessageRow(&plain), readmodel.MessageRow(&keyed), readmodel.MessageRow(&direct)},
		readmodel.Users:    {readmodel.UserRow(&user)},
	}
	for _, d := range append(refused, b.DeadLetters...) {
		want[readmodel.DeadLetters] = append(want[readmodel.DeadLetters], readmodel.DeadLetterRow(d))
	}
	r := place.Reader(t)
	for _, table := range readmodel.Tables {
		if got := all(t, r.Rows(t.Context(), table, 0, math.MaxUint64)); !reflect.DeepEqual(got, want[table]) {
			t.Errorf("%s:\n%+v\nwant\n%+v", table, got, want[table])
		}
		for _, row := range want[table] {
			if len(row.Values) != len(readmodel.Columns(table)) {
				t.Errorf("%s: %d columns", table, len(row.Values))
			}
		}
	}
	if p := must[readmodel.Position](t)(r.Position(t.Context())); p != b.Next {
		t.Errorf("%+v, want %+v", p, b.Next)
	}
	for key, offset := range map[string]uint64{keyed.Key: 2, "other": 0} {
		wantNumbers(t, "key", []uint64{must[uint64](t)(r.KeyAt(t.Context(), keyed.Scope, key))}, offset)
	}
	for id, offset := range map[string]uint64{"u1": 4, "u2": 0} {
		wantNumbers(t, "user", []uint64{must[uint64](t)(r.UserAt(t.Context(), id))}, offset)
	}
}

func testReadRanges(t *testing.T, place Place) {
	s := place.Open(t)
	var events []event.Event
	for o := uint64(1); o <= 100; o++ {
		events = append(events, Event(o*100, Room(fmt.Sprint(o%7)), "x")) // many ranges, and empty ones
	}
	Project(t, s, events...)
	r := place.Reader(t)
	for _, test := range []struct{ after, through, first, last uint64 }{
		{0, math.MaxUint64, 1, 100}, {0, 10_000, 1, 100}, {100, 300, 2, 3}, {99, 100, 1, 1}, {100, 199, 1, 0},
		{9_999, 20_000, 100, 100}, {10_000, math.MaxUint64, 1, 0}, {300, 100, 1, 0}, {math.MaxUint64, math.MaxUint64, 1, 0},
	} {
		var want []uint64
		for o := test.first; o <= test.last; o++ {
			want = append(want, o*100)
		}
		got := tableOffsets(all(t, r.Rows(t.Context(), readmodel.Messages, test.after, test.through)))
		wantNumbers(t, fmt.Sprint(test), got, want...)
	}
	for range r.Rows(t.Context(), readmodel.Messages, 0, 10_000) {
		break // and the next question is answered all the same
	}
	wantNumbers(t, "after a break", tableOffsets(all(t, r.Rows(t.Context(), readmodel.Messages, 0, 100))), 100)
}

func testReadWhileWritten(t *testing.T, place Place) {
	s := place.Open(t)
	Project(t, s, Event(1, Room("a"), "x"), Event(2, Room("b"), "x"), Registered(3, "u", "x"))
	r := place.Reader(t)
	next := uint64(4)
	for _, table := range readmodel.Tables { // in the middle of one reading another, and a writer
		for range r.Rows(t.Context(), table, 0, 3) {
			Project(t, s, Direct(next, "u", "v", "x"))
			next++
			wantNumbers(t, "inside", tableOffsets(all(t, r.Rows(t.Context(), readmodel.Users, 0, 3))), 3)
		}
	}
	p := must[readmodel.Position](t)(r.Position(t.Context()))
	wantNumbers(t, "position", []uint64{p.Offset}, next-1)
	wantNumbers(t, "messages", tableOffsets(all(t, r.Rows(t.Context(), readmodel.Messages, 3, p.Offset))), span(4, p.Offset)...)
}

func testReadAltered(t *testing.T, place Place) {
	s := place.Open(t)
	var want []readmodel.TableRow
	for o := uint64(1); o <= 9; o++ {
		e := Event(o, Room(fmt.Sprint("r", o%2)), "x")
		Project(t, s, e)
		want = append(want, readmodel.MessageRow(&e))
	}
	place.Execute(t, `UPDATE messages SET content = 'other', "key" = 'k' WHERE "offset" = 2`)
	place.Execute(t, `DELETE FROM messages WHERE "offset" = 4`)
	place.Execute(t, `UPDATE messages SET "offset" = 8 WHERE "offset" = 7`)
	place.Execute(t, `INSERT INTO messages VALUES ('room:z', 5, 'id', 0, '', '', '', '', NULL, 'added', 'no digest')`)
	var found []string
	r := place.Reader(t)
	for d := range readmodel.Compare(readmodel.Messages, values(want), r.Rows(t.Context(), readmodel.Messages, 0, 9)) {
		found = append(found, fmt.Sprint(d.Kind, " ", d.Offset, " ", d.Columns))
	}
	if want := []string{"alters 2 [key content]", "lacks 4 []", "adds 5 []", "lacks 7 []", "adds 8 []"}; !slices.Equal(found, want) {
		t.Errorf("%q, want %q", found, want)
	}
}

func values(rows []readmodel.TableRow) iter.Seq2[readmodel.TableRow, error] {
	return func(yield func(readmodel.TableRow, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func testReadStrays(t *testing.T, place Place) {
	s := place.Open(t)
	b := Batch(readmodel.Position{}, Event(1, Room("a"), "x"), Registered(2, "u", "x"), Event(4, Room("a"), "x"))
	b.DeadLetters = []readmodel.DeadLetter{{Offset: 3, Through: 3, Reason: "gone"}}
	must[[]readmodel.DeadLetter](t)(s.Append(t.Context(), b))
	r := place.Reader(t)
	for _, table := range readmodel.Tables {
		wantNumbers(t, string(table), tableOffsets(all(t, r.Strays(t.Context(), table))))
	}
	for i, offset := range []string{"-5", "0", "5", "9223372036854775807"} {
		place.Execute(t, `INSERT INTO messages VALUES ('room:z', `+offset+`, 'id', 0, '', '', '', '', NULL, 'added', 'no digest')`)
		place.Execute(t, fmt.Sprintf(`INSERT INTO users VALUES ('user %d', 'added', %s, 0)`, i, offset))
		place.Execute(t, `INSERT INTO dead_letter VALUES (`+offset+`, 9, 'added', NULL, NULL, NULL, NULL)`)
	}
	for _, table := range readmodel.Tables {
		rows := all(t, r.Strays(t.Context(), table))
		slices.SortFunc(rows, func(a, b readmodel.TableRow) int { return int(min(a.Offset, 99)) - int(min(b.Offset, 99)) })
		wantNumbers(t, string(table), tableOffsets(rows), 0, 0, 5, math.MaxInt64)
		negative := func(row readmodel.TableRow) bool {
			return slices.ContainsFunc(row.Values, func(v sql.NullString) bool { return v.String == "-5" })
		}
		if !slices.ContainsFunc(rows, negative) {
			t.Errorf("%s: %+v", table, rows)
		}
	}
	wantNumbers(t, "rows", tableOffsets(all(t, r.Rows(t.Context(), readmodel.Messages, 0, 4))), 1, 4)
}

func testReadDirect(t *testing.T, place Place) {
	s := place.Open(t)
	again := Direct(7, "a", "b", "refused")
	again.Key = "key-1"
	again.Seal()
	Project(t, s, Direct(1, "a", "b", "x"), Direct(2, "b", "a", "x"), Direct(3, "a", "c", "x"), Direct(4, "a", "a", "x"),
		Event(5, Room("dm;"), "x"), Direct(6, "c", "b", "x"), again)
	r := place.Reader(t)
	if found := all(t, r.Direct(t.Context())); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	ab, aa, bc := Direct(1, "a", "b", "").Conversation.String(), Direct(1, "a", "a", "").Conversation.String(), Direct(1, "b", "c", "").Conversation.String()
	place.Execute(t, `DELETE FROM direct WHERE user_id = 'a' AND conversation = '`+ab+`'`)
	place.Execute(t, `UPDATE direct SET last = 3 WHERE user_id = 'b' AND conversation = '`+bc+`'`)
	place.Execute(t, `INSERT INTO direct VALUES ('z', '`+aa+`', 4)`)
	place.Execute(t, `INSERT INTO direct VALUES ('a', 'room:dm;', 5)`)
	found := make(map[readmodel.DirectDifference]bool)
	for _, d := range all(t, r.Direct(t.Context())) {
		found[d] = true
	}
	if want := map[readmodel.DirectDifference]bool{
		{User: "a", Conversation: ab, Want: 2}: true, {User: "b", Conversation: bc, Want: 6, Have: 3}: true,
		{User: "z", Conversation: aa, Have: 4}: true, {User: "a", Conversation: "room:dm;", Have: 5}: true,
	}; !reflect.DeepEqual(found, want) {
		t.Errorf("%+v, want %+v", found, want)
	}
}

func testReadTwice(t *testing.T, place Place) {
	s := place.Open(t)
	Project(t, s, Event(1, Room("a"), "x"), Event(2, Room("b"), "x"))
	place.Execute(t, `UPDATE messages SET "offset" = 1`)
	r := place.Reader(t)
	wantNumbers(t, "messages", tableOffsets(all(t, r.Rows(t.Context(), readmodel.Messages, 0, 2))), 1, 1)
}
