package proof_test

import (
	"log/slog"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
	"github.com/tidemark-chat/tidemark/services/auditor/proof/prooftest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

// keep stores a log's tree in a real stream of checkpoints, whose entries add so many leaves each.
func keep(t *testing.T, log *prooftest.Log, sizes []int) (*notary.Audit, []notary.Entry) {
	t.Helper()
	js := logtest.Start(t).Connect()
	if err := notary.Provision(t.Context(), js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	audit := notary.OpenAudit(js)
	signer, _ := prooftest.Keys(t)
	var leaves []tlog.Hash
	for i := range log.Events {
		e, err := log.Events[i].Event()
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, notary.Leaf(&e))
	}
	var tree notary.Tree
	entries := make([]notary.Entry, 0, len(sizes))
	var last notary.Entry
	for _, n := range sizes {
		e, err := notary.MakeEntry(last, &tree, leaves[:n], prooftest.Epoch, time.Unix(int64(1e9+len(entries)), 0), signer)
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.Append(t.Context(), last.Sequence, &e); err != nil {
			t.Fatal(err)
		}
		entries, last, leaves = append(entries, e), e, leaves[n:]
	}
	return audit, entries
}

func signedOf(t *testing.T, e notary.Entry) proof.Signed {
	t.Helper()
	c, err := e.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	return proof.Signed{Note: e.Signed, Checkpoint: c}
}

func TestProofsAreMadeFromTheStreamHoweverItsEntriesWereCut(t *testing.T) {
	_, verifier := prooftest.Keys(t)
	for name, sizes := range map[string][]int{
		"one by one": {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, "at once": {40}, "growing": {1, 2, 3, 4, 5, 6, 7}, "falling": {16, 8, 4, 2, 1}, "odd": {3, 5, 1, 7, 11, 2},
	} {
		total := 0
		for _, n := range sizes {
			total += n
		}
		log := prooftest.Write(t, prooftest.Many(total)...)
		audit, entries := keep(t, log, sizes)
		for i, entry := range entries {
			newer, hashes := signedOf(t, entry), audit.Hashes(t.Context(), entry)
			for _, event := range log.Events[:entry.Size] {
				p, err := proof.Include(event, newer.Note, newer.Checkpoint, hashes)
				if err != nil {
					t.Fatalf("%s: %d of %d: %v", name, event.Offset, entry.Size, err)
				}
				if _, err := p.Check(verifier); err != nil {
					t.Fatalf("%s: %d of %d: %v", name, event.Offset, entry.Size, err)
				}
			}
			for _, before := range entries[:i+1] {
				p, err := proof.Extend(signedOf(t, before), newer, hashes)
				if err != nil {
					t.Fatalf("%s: %d to %d: %v", name, before.Size, entry.Size, err)
				}
				if _, _, err := p.Check(verifier); err != nil {
					t.Fatalf("%s: %d to %d: %v", name, before.Size, entry.Size, err)
				}
			}
		}
	}
}
