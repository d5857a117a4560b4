package transcript

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
)

// Repeat says that a line has the scope and key of an earlier one, and is no message of its own: whoever can write to the log can store one
// again, and readers are shown the first alone.
type Repeat struct {
	Offset uint64 // of the first
	Same   bool   // the same message; else another one under its key
}

// seen is the lines so far. It takes 40 bytes in a map, and with the map's room less than 100, for each: hashes are cut to 128
// bits.
type seen map[[16]byte]first

type first struct {
	digest [16]byte
	offset uint64
}

// add adds an event, or says which one it repeats. A damaged one claims nothing. The digest covers the key: without one, it is the digest
// that the event is known by.
func (s seen) add(e *record.Record) *Repeat {
	if e.Damaged != "" {
		return nil
	}
	digest := [16]byte(e.Digest[:])
	known := digest
	if e.ClientOffset != "" {
		text := binary.BigEndian.AppendUint64(nil, uint64(len(e.Scope)))
		sum := sha256.Sum256(append(append(text, e.Scope...), e.ClientOffset...))
		known = [16]byte(sum[:])
	}
	if earlier, ok := s[known]; ok {
		return &Repeat{Offset: earlier.offset, Same: earlier.digest == digest}
	}
	s[known] = first{digest, e.Offset}
	return nil
}
