package notary

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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
	messages map[uint64]*jetstream.RawStreamMsg
	through  uint64 // what is not in messages up to here need not be read ahead again
}

func (a *ahead) get(ctx context.Context, sequence uint64) (Entry, error) {
	if sequence > a.through {
		a.read(ctx, sequence)
	}
	if message, ok := a.messages[sequence]; ok {
		delete(a.messages, sequence)
		return entryOf(sequence, message)
	}
	return a.reader.get(ctx, sequence)
}

// read reads what it can from a sequence on. Its errors are met again by who asks for one message.
func (a *ahead) read(ctx context.Context, sequence uint64) {
	a.messages = make(map[uint64]*jetstream.RawStreamMsg)
	a.through = sequence
	ctx, cancel := context.WithTimeout(ctx, aheadTimeout)
	defer cancel()
	messages, err := jetstreamext.GetBatch(ctx, a.js, StreamName, aheadMessages,
		jetstreamext.GetBatchSeq(sequence), jetstreamext.GetBatchMaxBytes(aheadBytes))
	if err != nil {
		return
	}
	for message, err := range messages {
		if err != nil {
			return
		}
		if n := numbered(message); n >= sequence {
			a.messages[n] = message
			a.through = max(a.through, n)
		}
	}
}

// numbered is the sequence that the server says a message has, or 0. A message may have been stored with such a header of its
// own, which stands before the server's and which the client library takes.
func numbered(message *jetstream.RawStreamMsg) uint64 {
	said := message.Header[jetstream.SequenceHeader]
	if len(said) == 0 {
		return 0
	}
	n, err := strconv.ParseUint(said[len(said)-1], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
