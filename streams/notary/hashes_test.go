package notary_test

import (
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// TestWhatTheStreamHasProvesEverything has entries of any sizes, and checks the proof of each offset in each checkpoint's tree
// and of each two checkpoints.
func TestWhatTheStreamHasProvesEverything(t *testing.T) {
	d := open(t)
	rapid.Check(t, func(r *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 7).Draw(r, "sizes")
		d.begin()
		began := d.last.Sequence + 1
		var entries []notary.Entry
		for _, n := range sizes {
			d.write(n)
			entries = append(entries, d.last)
		}
		leaves := numbers(int(d.last.Size))
		for i, e := range entries {
			if e.Began != began {
				r.Fatalf("entry %d is of tree %d", e.Sequence, e.Began)
			}
			hashes := d.audit.Hashes(ctx, entries[rapid.IntRange(i, len(entries)-1).Draw(r, "of")])
			size, root := int64(e.Size), d.root(e)
			for n := range size {
				proof, err := tlog.ProveRecord(size, n, hashes)
				if err != nil {
					r.Fatal(err)
				}
				if err := tlog.CheckRecord(proof, size, root, n, leaves[n]); err != nil {
					r.Fatalf("leaf %d of %d: %v", n, size, err)
				}
				if leaf, err := notary.LeafAt(hashes, uint64(n)+1); err != nil || leaf != leaves[n] {
					r.Fatalf("leaf at offset %d: %v, %v", n+1, leaf, err)
				}
			}
			for _, older := range entries[:i+1] {
				proof, err := tlog.ProveTree(size, int64(older.Size), hashes)
				if err != nil {
					r.Fatal(err)
				}
				if err := tlog.CheckTree(proof, size, root, int64(older.Size), d.root(older)); err != nil {
					r.Fatalf("tree %d of %d: %v", older.Size, size, err)
				}
			}
		}
		if err := d.resume(); err != nil || rootOf(t, d.tree) != naive(leaves) {
			r.Fatalf("not resumed: %v", err)
		}
	})
}

func TestConsistencyOfEveryPairOfSizes(t *testing.T) {
	d := open(t)
	d.write(1, 2, 3, 40, 5, 6, 33)
	hashes := d.audit.Hashes(ctx, d.last)
	leaves := numbers(int(d.last.Size))
	for size := int64(1); size <= int64(len(leaves)); size++ {
		root, err := tlog.TreeHash(size, hashes)
		if err != nil || root != naive(leaves[:size]) {
			t.Fatalf("root of %d: %v", size, err)
		}
		for n := int64(1); n <= size; n++ {
			proof, err := tlog.ProveTree(size, n, hashes)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(proof, size, root, n, naive(leaves[:n])); err != nil {
				t.Fatalf("tree %d of %d: %v", n, size, err)
			}
		}
	}
}

func TestHashesOutsideOfTheTreeAreRefused(t *testing.T) {
	d := open(t)
	d.write(4, 4)
	older := d.last
	d.write(4)
	hashes := d.audit.Hashes(ctx, older)
	if got, err := hashes.ReadHashes([]int64{0, 14, 3}); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
	for _, index := range []int64{-1, 15, 16, 1 << 62} {
		if _, err := hashes.ReadHashes([]int64{0, index}); !fault.Is(err, fault.Permanent) {
			t.Errorf("hash %d: %v", index, err)
		}
	}
	for _, offset := range []uint64{0, 9, 1 << 63} {
		if _, err := notary.LeafAt(hashes, offset); !fault.Is(err, fault.Permanent) {
			t.Errorf("leaf at offset %d: %v", offset, err)
		}
	}
	if _, err := d.audit.Hashes(ctx, notary.Entry{}).ReadHashes([]int64{0}); !fault.Is(err, fault.Permanent) {
		t.Errorf("of no entry: %v", err)
	}
}
