package verify

import (
	"cmp"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"
)

// root is what a checkpoint says that the tree of a size has.
type root struct {
	size   uint64
	hash   tlog.Hash
	origin uint64 // index among the origins
	number uint64 // of the checkpoint, at its origin, from 1
}

var roots = codec[root]{
	encode: func(r root) []byte {
		b := binary.BigEndian.AppendUint64(make([]byte, 0, 24+tlog.HashSize), r.size)
		b = binary.BigEndian.AppendUint64(b, r.origin)
		b = binary.BigEndian.AppendUint64(b, r.number)
		return append(b, r.hash[:]...)
	},
	decode: func(b []byte) root {
		return root{binary.BigEndian.Uint64(b), tlog.Hash(b[24:]), binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])}
	},
	compare: func(a, b root) int {
		return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.origin, b.origin), cmp.Compare(a.number, b.number))
	},
}
