package notary_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// naive is the Merkle tree hash as RFC 6962 defines it, word for word.
func naive(leaves []tlog.Hash) tlog.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	left, right := naive(leaves[:k]), naive(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// numbers are n leaves that differ.
func numbers(n int) []tlog.Hash {
	leaves := make([]tlog.Hash, n)
	for i := range leaves {
		leaves[i] = sha256.Sum256(binary.BigEndian.AppendUint64([]byte{0}, uint64(i)))
	}
	return leaves
}

// memory are stored hashes.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(m)) {
			return nil, fmt.Errorf("hash %d of %d", index, len(m))
		}
		hashes[i] = m[index]
	}
	return hashes, nil
}

func add(t testing.TB, tree *notary.Tree, leaves ...tlog.Hash) (hashes memory) {
	t.Helper()
	for _, leaf := range leaves {
		fresh, err := tree.Append(leaf)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, fresh...)
	}
	return hashes
}

func rootOf(t testing.TB, tree *notary.Tree) tlog.Hash {
	t.Helper()
	root, err := tree.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// The leaves and roots are the test vectors of Certificate Transparency's reference implementation.
func TestRootsOfKnownTrees(t *testing.T) {
	var tree notary.Tree
	for i, v := range []struct{ leaf, root string }{
		{"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
		{"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
		{"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
		{"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
		{"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
		{"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
		{"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
		{"606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
	} {
		leaf, err := hex.DecodeString(v.leaf)
		if err != nil {
			t.Fatal(err)
		}
		add(t, &tree, tlog.RecordHash(leaf))
		root := rootOf(t, &tree)
		if got := hex.EncodeToString(root[:]); got != v.root {
			t.Errorf("root of %d leaves is %s, want %s", i+1, got, v.root)
		}
	}
}

func TestTheRootOfEverySizeIsThatOfTheDefinition(t *testing.T) {
	leaves := numbers(300)
	var tree notary.Tree
	for n := range leaves {
		if got := rootOf(t, &tree); got != naive(leaves[:n]) || tree.Size() != uint64(n) {
			t.Fatalf("root of %d leaves is %v", n, got)
		}
		add(t, &tree, leaves[n])
	}
	for range 10 {
		n := rand.IntN(50_000)
		leaves, tree := numbers(n), notary.Tree{}
		add(t, &tree, leaves...)
		if got := rootOf(t, &tree); got != naive(leaves) {
			t.Errorf("root of %d leaves is %v", n, got)
		}
	}
}

func TestNewHashesAreThoseThatTlogStores(t *testing.T) {
	leaves := numbers(300)
	var tree notary.Tree
	var all memory
	for n, leaf := range leaves {
		want, err := tlog.StoredHashesForRecordHash(int64(n), leaf, all)
		if err != nil {
			t.Fatal(err)
		}
		got := add(t, &tree, leaf)
		if fmt.Sprint(got) != fmt.Sprint(memory(want)) {
			t.Fatalf("leaf %d stores %v, want %v", n, got, want)
		}
		all = append(all, want...)
	}
	var stored []byte
	for _, hash := range all {
		stored = append(stored, hash[:]...)
	}
	tree = notary.Tree{}
	first, err1 := tree.Grow(leaves[:123])
	second, err2 := tree.Grow(leaves[123:])
	if err1 != nil || err2 != nil || !bytes.Equal(append(first, second...), stored) {
		t.Errorf("Grow stores %d and %d bytes, not those %d (%v, %v)", len(first), len(second), len(stored), err1, err2)
	}
}

func TestATreeOfAnySizeCanBeGoneOnWith(t *testing.T) {
	leaves := numbers(300)
	var whole notary.Tree
	all := add(t, &whole, leaves...)
	for n := range leaves {
		tree, err := notary.Resume(uint64(n), all[:tlog.StoredHashCount(int64(n))])
		if err != nil {
			t.Fatal(err)
		}
		if got := rootOf(t, tree); got != naive(leaves[:n]) || tree.Size() != uint64(n) {
			t.Fatalf("resumed at %d, the root is %v", n, got)
		}
		hashes := add(t, tree, leaves[n:]...)
		if got := rootOf(t, tree); got != rootOf(t, &whole) || len(hashes) != len(all)-int(tlog.StoredHashCount(int64(n))) {
			t.Fatalf("resumed at %d and gone on with, the root is %v", n, got)
		}
	}
}

func TestResumeFailsWithoutTheHashes(t *testing.T) {
	var tree notary.Tree
	all := add(t, &tree, numbers(21)...)
	few := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) { return make([]tlog.Hash, len(indexes)-1), nil })
	for name, r := range map[string]tlog.HashReader{"lost": all[:len(all)-1], "short": few} {
		if _, err := notary.Resume(21, r); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := notary.Resume(1<<63, all); err == nil {
		t.Error("too large: no error")
	}
}

func TestATreeGivesOnlyTheHashesOfItsEdge(t *testing.T) {
	leaves := numbers(64)
	for n := 1; n <= len(leaves); n++ {
		var whole notary.Tree
		all := add(t, &whole, leaves[:n]...)
		resumed, err := notary.Resume(uint64(n), all)
		if err != nil {
			t.Fatal(err)
		}
		for _, tree := range []*notary.Tree{&whole, resumed} {
			given := 0
			for index := range all {
				hashes, err := tree.ReadHashes([]int64{int64(index)})
				if err != nil {
					continue
				}
				if given++; hashes[0] != all[index] {
					t.Fatalf("hash %d of the tree of %d is wrong", index, n)
				}
			}
			if given == 0 || given > 7 {
				t.Errorf("a tree of %d gives %d hashes", n, given)
			}
			for _, index := range []int64{-1, int64(len(all)), 1 << 40} {
				if _, err := tree.ReadHashes([]int64{index}); err == nil {
					t.Errorf("a tree of %d gives hash %d", n, index)
				}
			}
		}
	}
}
