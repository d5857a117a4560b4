package notary

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// What is read ahead of who walks the entries.
const (
	aheadMessages = 256
	aheadBytes    = 4 << 20 // about; one message more at most
	aheadTimeout  = 10 * time.Second
)

// Entries are all entries there are when it is called, in order. What is in the stream and is no entry, or does not follow
// from the one before, is a Corrupt error with its sequence in Entry, and so is each sequence at which there is nothing; the
// next one follows. Any other error is the last. No error says who signed an entry, or that its hashes are true.
func (a *Audit) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		r, err := a.open(ctx)
		if err != nil {
			if !errors.Is(err, ErrNone) {
				yield(Entry{}, err)
			}
			return
		}
		ahead := ahead{reader: r}
		var before *Entry // nil where the one before is not known
		for sequence := uint64(1); sequence <= r.last; sequence++ {
			e, err := ahead.get(ctx, sequence)
			known := err == nil
			if known && before != nil {
				err = fault.New(opRead, fault.Corrupt, e.follows(before))
			}
			if !yield(e, err) || err != nil && !fault.Is(err, fault.Corrupt) {
				return
			}
			if before = nil; known {
				before = &e
			}
		}
	}
}

// ahead reads entries in ascending order, many at once. An answer of many may be cut short and does not say so: whatever is not
// in it is asked for by itself.
type ahead struct {
	*reader
	messages map[uint64]message
	through  uint64 // what is not in messages up to here need not be read ahead again
}

func (a *ahead) get(ctx context.Context, sequence uint64) (Entry, error) {
	if sequence > a.through {
		a.read(ctx, sequence)
	}
	if m, ok := a.messages[sequence]; ok {
		delete(a.messages, sequence)
		return m.entry()
	}
	return a.reader.get(ctx, sequence)
}

// read reads what it can from a sequence on. Its errors are met again by who asks for one message.
func (a *ahead) read(ctx context.Context, sequence uint64) {
	a.messages = make(map[uint64]message)
	a.through = sequence
	ctx, cancel := context.WithTimeout(ctx, aheadTimeout)
	defer cancel()
	answers, err := jetstreamext.GetBatch(ctx, a.js, StreamName, aheadMessages,
		jetstreamext.GetBatchSeq(sequence), jetstreamext.GetBatchMaxBytes(aheadBytes))
	if err != nil {
		return
	}
	for answer, err := range answers {
		if err != nil {
			return
		}
		if m, ok := messageOf(answer.Header, answer.Data); ok {
			a.messages[m.sequence] = m
			a.through = max(a.through, m.sequence)
		}
	}
}
