package notary_test

import (
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

func BenchmarkLeaf(b *testing.B) {
	e := posted(b, 1, "hi")
	b.ReportAllocs()
	for b.Loop() {
		notary.Leaf(&e)
	}
}

func BenchmarkTreeAppend(b *testing.B) {
	leaf := notary.NoLeaf()
	var tree notary.Tree
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tree.Append(leaf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEntries reads entries of 1,000 leaves; the figure is of one.
func BenchmarkEntries(b *testing.B) {
	d := open(b)
	d.write(slices.Repeat([]int{1000}, 50)...)
	b.ReportAllocs()
	read := 0
	for b.Loop() {
		if read == 0 {
			for _, err := range d.audit.Entries(ctx) {
				if err != nil {
					b.Fatal(err)
				}
				read++
			}
		}
		read--
	}
}

// BenchmarkProve proves one event of 50,000, of which nothing has been read before.
func BenchmarkProve(b *testing.B) {
	d := open(b)
	d.write(slices.Repeat([]int{1000}, 50)...)
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		if _, err := tlog.ProveRecord(50_000, n, d.audit.Hashes(ctx, d.last)); err != nil {
			b.Fatal(err)
		}
		n = (n + 12_345) % 50_000
	}
}

// BenchmarkProveAgain is BenchmarkProve where the entries are in memory.
func BenchmarkProveAgain(b *testing.B) {
	d := open(b)
	d.write(slices.Repeat([]int{1000}, 50)...)
	hashes := d.audit.Hashes(ctx, d.last)
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		if _, err := tlog.ProveRecord(50_000, n, hashes); err != nil {
			b.Fatal(err)
		}
		n = (n + 12_345) % 50_000
	}
}
