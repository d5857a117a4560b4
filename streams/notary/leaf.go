// Package notary makes the log tamper-evident: an RFC 6962 Merkle tree with one leaf for each offset, and signed statements
// (checkpoints, in the form of C2SP's tlog-checkpoint: signed notes) of its size and root.
//
//	offset    1     2     3     4     5          leaf: SHA-256(0x00 || digest || time)
//	leaf      0     1     2     3     4
//	           ╲   ╱       ╲   ╱      │          checkpoint: "5 events, this root, this epoch", signed
//	            ╲_╱__       ╲_╱       │
//	                 ╲______╱         │
//	                     ╲____________╱
//
// Who has a checkpoint can be shown that an event is in the log it speaks of (inclusion), and that a later checkpoint's log
// begins with it (consistency), by some 30 hashes and without the log.
//
// Checkpoints and the tree's hashes are kept in the stream AUDIT, which denies delete and purge. That binds nobody who can
// replace the stream as a whole: only a checkpoint kept elsewhere does.
package notary

import (
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/event"
)

// Leaf is the leaf of an event that decoded without an error: its digest (32 bytes) and the time the log gave it, in
// nanoseconds since 1970 (8 bytes, big endian). Its place in the tree stands for its offset. Of an event of any schema but the
// first, whose digest not everybody can check, event.Event.Stored follows (32 bytes): else the digest of an event would do for
// another that says that it is of such a schema.
func Leaf(e *event.Event) tlog.Hash {
	var record [1 + sha256.Size + 8 + sha256.Size]byte // led by the 0x00 of RFC 6962: this is tlog.RecordHash without what that allocates
	copy(record[1:], e.Digest[:])
	binary.BigEndian.PutUint64(record[1+sha256.Size:], uint64(e.At.UnixNano()))
	if e.Stored == (event.Digest{}) {
		return sha256.Sum256(record[:1+sha256.Size+8])
	}
	copy(record[1+sha256.Size+8:], e.Stored[:])
	return sha256.Sum256(record[:])
}

// NoLeaf is the leaf of an offset at which the log holds nothing, or nothing intact: that of the empty record.
func NoLeaf() tlog.Hash { return tlog.RecordHash(nil) }
