package verify_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/services/auditor/verify"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// told is what a finding says of where.
type told struct {
	rule   verify.Rule
	offset uint64
}

// tampering does one thing at random to a world of n events and says what must be found. rows are the offsets of messages
// without a successor of the same key.
type tampering func(w *world, r *rand.Rand, n uint64, messages []uint64) []told

var tamperings = map[string]tampering{
	"an event is lost": func(w *world, r *rand.Rand, _ uint64, messages []uint64) []told {
		offset := messages[r.IntN(len(messages))]
		w.lose(offset)
		return []told{{verify.Checkpoint, offset}, {verify.Dense, offset}, {verify.ReadModel, offset}}
	},
	"a row is deleted": func(w *world, r *rand.Rand, _ uint64, messages []uint64) []told {
		offset := messages[r.IntN(len(messages))]
		w.change(`DELETE FROM messages WHERE "offset" = ?`, offset)
		return []told{{verify.ReadModel, offset}}
	},
	"a column is altered": func(w *world, r *rand.Rand, _ uint64, messages []uint64) []told {
		offset := messages[r.IntN(len(messages))]
		column := []string{"id", "sender_name", "scope", "content", "digest"}[r.IntN(5)]
		w.change(fmt.Sprintf(`UPDATE messages SET %s = %[1]s || 'x' WHERE "offset" = ?`, column), offset)
		return []told{{verify.ReadModel, offset}}
	},
	"a row is added": func(w *world, r *rand.Rand, n uint64, messages []uint64) []told {
		offset := 1 + r.Uint64N(n+10)
		w.change(`INSERT INTO messages SELECT 'room:new', ?, id, at, sender, sender_name, recipient, scope, NULL, content, digest FROM messages WHERE "offset" = ?`,
			offset, messages[r.IntN(len(messages))])
		return []told{{verify.ReadModel, offset}}
	},
	"a hash in AUDIT is altered": func(w *world, r *rand.Rand, n uint64, _ []uint64) []told {
		leaf := r.Uint64N(n)
		leaves := w.leaves(0)
		w.resignWith(leaves, func(from, through uint64, hashes []byte) {
			if from <= leaf && leaf < through {
				hashes[32*(stored(leaf)-stored(from))] ^= 1
			}
		})
		return []told{{verify.Checkpoint, leaf + 1}}
	},
	"what was signed was another event": func(w *world, r *rand.Rand, n uint64, _ []uint64) []told {
		leaf := r.Uint64N(n)
		leaves := w.leaves(0)
		leaves[leaf][5] ^= 1
		w.resign(leaves)
		return []told{{verify.Checkpoint, leaf + 1}}
	},
	"a forged event is stored": func(w *world, _ *rand.Rand, n uint64, _ []uint64) []told {
		e := logtest.Message(w.t, "general", "sealed")
		m := e.Encode()
		m.Data = []byte("forged")
		w.publish(m)
		w.project()
		w.sign(10)
		return []told{{verify.Intact, n + 1}}
	},
	"a key is stored twice": func(w *world, _ *rand.Rand, n uint64, _ []uint64) []told {
		e := logtest.Keyed(w.t, "general", "x", "the key")
		for range 2 {
			m := e.Encode()
			m.Header.Set(nats.MsgIdHdr, nats.NewInbox())
			w.publish(m)
		}
		w.project()
		w.sign(10)
		return []told{{verify.Key, n + 2}}
	},
}

func TestWhateverIsDoneExactlyThatIsFound(t *testing.T) {
	for name, tamper := range tamperings {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				r := rand.New(rand.NewPCG(seed, 7))
				n := 40 + r.Uint64N(40)
				w := whole(t, seed, int(n))
				var messages []uint64
				w.read(0, n, func(record replay.Record) {
					if e, err := record.Event(); err == nil && e.Message() && e.Recipient == "" { // of a direct one more follows
						messages = append(messages, e.Offset)
					}
				})
				want := tamper(w, r, n, messages)
				report := w.verify()
				var got []told
				for _, f := range report.Findings {
					got = append(got, told{f.Rule, f.Offset})
				}
				slices.SortFunc(got, func(a, b told) int { return slices.Compare([]byte(a.rule), []byte(b.rule)) })
				if !slices.Equal(got, want) || report.Result != verify.Findings {
					t.Errorf("seed %d: want %v, have\n%s", seed, want, shown(t, report))
				}
			}
		})
	}
}
