package directory_test

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/directory"
)

// TestTheNewestUsersAreHeldAndNotManyMore adds users in any order, some again, as
// the feed and the read model do.
func TestTheNewestUsersAreHeldAndNotManyMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 20).Draw(t, "most")
		d := directory.New(most)
		added := make(map[string]directory.User)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				var users []directory.User
				for _, n := range rapid.SliceOfN(rapid.Uint64Range(1, 60), 1, 30).Draw(t, "offsets") {
					u := directory.User{ID: fmt.Sprint("id ", n), Name: fmt.Sprint("name ", n%5), Offset: n}
					users = append(users, u)
					added[u.ID] = u
				}
				d.Add(users...)
			},
			"": func(t *rapid.T) {
				held := d.Sorted()
				if !slices.IsSortedFunc(held, directory.Compare) || len(held) > most+most/8 {
					t.Fatalf("%d of at most %d: %v", len(held), most, held)
				}
				for _, u := range held {
					if name, ok := d.Name(u.ID); u != added[u.ID] || !ok || name != u.Name {
						t.Fatalf("held is %+v, added was %+v, its name is %q", u, added[u.ID], name)
					}
				}
				var newest []directory.User
				for _, u := range added {
					newest = append(newest, u)
				}
				slices.SortFunc(newest, func(a, b directory.User) int { return cmp.Compare(b.Offset, a.Offset) })
				for _, u := range newest[:min(most, len(newest))] {
					if !slices.Contains(held, u) {
						t.Fatalf("%+v is one of the newest %d and not held: %v", u, most, held)
					}
				}
				if _, ok := d.Name("nobody"); ok {
					t.Fatal("nobody has a name")
				}
			},
		})
	})
}

func TestAUserKeepsTheNameOfHisRegistration(t *testing.T) {
	d := directory.New(2)
	d.Add(directory.User{ID: "a", Name: "first", Offset: 1})
	before := d.Sorted()
	d.Add(directory.User{ID: "a", Name: "second", Offset: 2}, directory.User{ID: "b", Name: "b", Offset: 3})
	if name, _ := d.Name("a"); name != "first" || len(d.Sorted()) != 2 {
		t.Errorf("%q, %v", name, d.Sorted())
	}
	if len(before) != 1 || before[0].Name != "first" {
		t.Errorf("a list that was given away has changed: %v", before)
	}
}

func TestADirectoryIsReadWhileItGrows(t *testing.T) {
	d := directory.New(50)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 200 {
				offset := uint64(4*i + worker + 1)
				d.Add(directory.User{ID: fmt.Sprint(offset), Name: "n", Offset: offset})
				if !slices.IsSortedFunc(d.Sorted(), directory.Compare) {
					t.Error("not sorted")
				}
				d.Name("1")
			}
		})
	}
	all.Wait()
	for offset := 751; offset <= 800; offset++ {
		if _, ok := d.Name(fmt.Sprint(offset)); !ok {
			t.Errorf("%d is one of the newest and not held", offset)
		}
	}
}
