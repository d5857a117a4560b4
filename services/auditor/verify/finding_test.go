package verify

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestFindingsAreBoundedAndThoseOfTheLowestOffsetsKept(t *testing.T) {
	const n = 5 * MaxFindings
	f := &findings{rule: Dense}
	for _, offset := range rand.New(rand.NewPCG(1, 1)).Perm(n) {
		f.add(Finding{Offset: uint64(offset)})
	}
	r := &Report{}
	r.conclude([]*findings{f, {rule: Key}})
	if r.Found != n || r.Unlisted[Dense] != n-MaxFindings || len(r.Findings) != MaxFindings || r.Result != Findings || len(r.Unlisted) != 1 {
		t.Errorf("%d found, %d kept, %v", r.Found, len(r.Findings), r.Unlisted)
	}
	for i, found := range r.Findings {
		if found.Offset != uint64(i) || found.Rule != Dense {
			t.Fatalf("finding %d is %+v", i, found)
		}
	}
}

func TestFindingsOfOneOffsetStayInOrder(t *testing.T) {
	f := &findings{}
	for _, what := range []string{"a", "b", "c"} {
		f.add(Finding{Offset: 7, Through: 7, What: what})
		f.add(Finding{Offset: 3, What: what})
	}
	var order string
	for _, found := range f.kept {
		order += found.What
		if found.Through != 0 {
			t.Errorf("%+v concerns one offset", found)
		}
	}
	if order != "abcabc" || !slices.IsSortedFunc(f.kept, func(a, b Finding) int { return int(a.Offset) - int(b.Offset) }) {
		t.Errorf("%q %+v", order, f.kept)
	}
}

func TestFindingsWinOverWhatCouldNotBeChecked(t *testing.T) {
	for _, test := range []struct {
		findings  int
		unchecked []Unchecked
		want      Result
	}{
		{0, nil, Clean}, {1, nil, Findings}, {0, []Unchecked{{}}, CouldNot}, {1, []Unchecked{{}}, Findings},
	} {
		f := &findings{}
		for range test.findings {
			f.add(Finding{})
		}
		r := &Report{Unchecked: test.unchecked}
		if r.conclude([]*findings{f}); r.Result != test.want || r.Findings == nil {
			t.Errorf("%+v: %s", test, r.Result)
		}
	}
}
