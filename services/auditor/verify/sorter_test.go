package verify

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func random(n int) []claim {
	r := rand.New(rand.NewPCG(1, 1))
	all := make([]claim, n)
	for i := range all {
		all[i] = claim{r.Uint64N(20), r.Uint64N(20), uint64(i + 1)}
	}
	return all
}

func TestASorterSortsMoreThanItHoldsAndLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, n := range []int{0, 1, 99, 100, 101, 5000} {
		s := newSorter(t.Context(), claims, 100)
		all := random(n)
		for _, c := range all {
			s.add(c)
		}
		var got []claim
		for c, err := range s.all() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c)
		}
		s.close()
		slices.SortFunc(all, claims.compare)
		if !slices.Equal(got, all) {
			t.Errorf("%d: not sorted", n)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestASorterThatIsStoppedEndsAndLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, read := range []int{0, 1, 500} {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSorter(ctx, claims, 100)
		for _, c := range random(2000) {
			s.add(c)
		}
		if read == 0 {
			cancel()
		}
		for c := range s.all() {
			if read--; read <= 0 || c.offset == 0 {
				break
			}
		}
		s.close()
		cancel()
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestASorterWithoutADiskSaysSo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", filepath.Join(file, "none"))
	s := newSorter(t.Context(), claims, 100)
	defer s.close()
	for _, c := range random(100_000) { // more than any buffer takes: it must not block
		s.add(c)
	}
	var failed error
	for _, err := range s.all() {
		failed = err
	}
	if failed == nil {
		t.Error("no error")
	}
}
