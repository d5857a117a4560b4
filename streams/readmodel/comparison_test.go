package readmodel

import (
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// userRows are rows of the table users: "3 a" is user a at offset 3.
func userRows(list string) (rows []TableRow) {
	for _, item := range strings.Split(list, ",") {
		var offset uint64
		var id string
		if n, _ := fmt.Sscan(item, &offset, &id); n != 2 {
			continue
		}
		row := TableRow{Offset: offset, Values: []sql.NullString{text(id), text("name"), number(offset), text("7")}}
		if strings.HasPrefix(id, "*") {
			row.Values[0], row.Mistyped = text(id[1:]), []string{"id"}
		}
		rows = append(rows, row)
	}
	return rows
}

func each(rows []TableRow) iter.Seq2[TableRow, error] {
	return func(yield func(TableRow, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// say is differences in short: "alters 2 [id]".
func say(t *testing.T, found iter.Seq2[Difference, error]) string {
	t.Helper()
	var said []string
	for d, err := range found {
		if err != nil {
			t.Fatal(err)
		}
		s := fmt.Sprint(d.Kind, " ", d.Offset)
		if d.Kind == Alters {
			s += fmt.Sprint(" ", d.Columns)
		}
		if (d.Kind == Adds) != (d.Want.Values == nil) || (d.Kind == Lacks) != (d.Have.Values == nil) {
			t.Errorf("%+v", d)
		}
		said = append(said, s)
	}
	return strings.Join(said, ", ")
}

func TestCompareNamesEachDifference(t *testing.T) {
	for _, test := range []struct{ name, want, have, found string }{
		{"nothing", "", "", ""},
		{"the same", "1 a, 3 b", "1 a, 3 b", ""},
		{"all are lacked", "1 a, 3 b", "", "lacks 1, lacks 3"},
		{"all are added", "", "0 z, 1 a, 3 b", "adds 0, adds 1, adds 3"},
		{"one lacked, first, in the middle, last", "1 a, 2 b, 3 c, 4 d, 5 e", "2 b, 4 d", "lacks 1, lacks 3, lacks 5"},
		{"one added, first, in the middle, last", "2 b, 4 d", "1 a, 2 b, 3 c, 4 d, 5 e", "adds 1, adds 3, adds 5"},
		{"altered", "1 a, 2 b", "1 a, 2 x", "alters 2 [id]"},
		{"of another type, though it looks the same", "1 a", "1 *a", "alters 1 [id]"},
		{"moved", "1 a, 2 b", "2 b, 9 a", "lacks 1, adds 9"},
		{"twice", "1 a, 2 b", "1 a, 1 a, 2 b", "adds 1"},
		{"one at its place, another before it", "1 a", "1 x, 1 a", "adds 1"},
		{"one altered, another beside it", "1 a", "1 x, 1 y", "alters 1 [id], adds 1"},
		{"two wanted at one offset", "1 a, 1 b, 2 c", "1 b, 1 a, 2 c", ""},
		{"one of two at one offset", "1 a, 1 b", "1 b", "lacks 1"},
		{"two of two altered", "1 a, 1 b", "1 x, 1 y", "alters 1 [id], alters 1 [id]"},
		{"out of order", "1 a, 2 b, 3 c", "2 b, 1 a, 3 c", "lacks 1, adds 1"},
		{"many beside one", "1 a", strings.Repeat("1 x,", 2*maxSpare) + "1 a",
			strings.TrimSuffix(strings.Repeat("adds 1, ", 2*maxSpare), ", ")},
	} {
		if found := say(t, Compare(Users, each(userRows(test.want)), each(userRows(test.have)))); found != test.found {
			t.Errorf("%s: %s; want %s", test.name, found, test.found)
		}
	}
}

func TestTheRowThatResemblesMostIsTheAlteredOne(t *testing.T) {
	want, far, near := userRows("1 a")[0], userRows("1 b")[0], userRows("1 b")[0]
	far.Values[1], far.Values[3] = text("other"), sql.NullString{}
	var found []Difference
	for d, err := range Compare(Users, each([]TableRow{want}), each([]TableRow{far, near})) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, d)
	}
	if len(found) != 2 || found[0].Kind != Alters || found[0].Have.Values[1] != near.Values[1] || found[1].Kind != Adds {
		t.Errorf("%+v", found)
	}
}

func TestCompareFindsWhatAPlainDiffFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func() (rows []TableRow) {
		for o := uint64(1); o <= 40; o++ {
			if random.IntN(3) > 0 {
				rows = append(rows, userRows(fmt.Sprint(o, " ", string(rune('a'+random.IntN(2)))))...)
			}
		}
		return rows
	}
	for range 200 {
		want, have := pick(), pick()
		var plain []string
		for o := uint64(1); o <= 40; o++ {
			at := func(r TableRow) bool { return r.Offset == o }
			w, h := slices.IndexFunc(want, at), slices.IndexFunc(have, at)
			switch {
			case w >= 0 && h < 0:
				plain = append(plain, fmt.Sprint("lacks ", o))
			case w < 0 && h >= 0:
				plain = append(plain, fmt.Sprint("adds ", o))
			case w >= 0 && want[w].Values[0] != have[h].Values[0]:
				plain = append(plain, fmt.Sprint("alters ", o, " [id]"))
			}
		}
		if found := say(t, Compare(Users, each(want), each(have))); found != strings.Join(plain, ", ") {
			t.Fatalf("%s; want %s", found, strings.Join(plain, ", "))
		}
	}
}

func TestAComparisonSaysWhatItHasFoundThroughAnOffset(t *testing.T) {
	var said []string
	c := NewComparison(Users, each(userRows("1 a, 2 x, 4 d, 9 z")), func(d Difference) error {
		said = append(said, fmt.Sprint(d.Kind, " ", d.Offset))
		return nil
	})
	defer c.Close()
	step := func(want string, err error) {
		t.Helper()
		if got := strings.Join(said, ", "); got != want || err != nil {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
		said = nil
	}
	rows := userRows("1 a, 2 b, 3 c, 6 f")
	step("", c.Want(rows[0]))
	step("", c.Want(rows[1]))
	step("alters 2", c.Through(2))
	step("", c.Want(rows[2]))
	step("lacks 3, adds 4", c.Through(5))
	if err := c.Want(userRows("5 e")[0]); err == nil {
		t.Error("a row is wanted where there was to be none")
	}
	step("", c.Want(rows[3]))
	step("lacks 6, adds 9", c.Through(math.MaxUint64))
	step("", c.Through(math.MaxUint64))
}

func TestAnErrorEndsAComparison(t *testing.T) {
	errBroken := errors.New("broken")
	broken := func(yield func(TableRow, error) bool) {
		_ = yield(userRows("1 a")[0], nil) && yield(TableRow{}, errBroken)
	}
	for name, found := range map[string]iter.Seq2[Difference, error]{
		"want": Compare(Users, broken, each(nil)),
		"have": Compare(Users, each(userRows("1 a, 2 b, 3 c")), broken),
	} {
		errs := 0
		for _, err := range found {
			if err != nil {
				errs++
				if !errors.Is(err, errBroken) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if errs != 1 {
			t.Errorf("%s: %d errors", name, errs)
		}
	}
	c := NewComparison(Users, broken, func(Difference) error { return nil })
	defer c.Close()
	for range 2 { // it does not go away: what follows would not be true
		if err := c.Through(9); !errors.Is(err, errBroken) {
			t.Error(err)
		}
	}
}

func TestAReaderOfDifferencesCanStop(t *testing.T) {
	n := 0
	for range Compare(Users, each(userRows("1 a, 2 b, 3 c")), each(nil)) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Error(n)
	}
}
