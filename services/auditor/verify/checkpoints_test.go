package verify_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/auditor/verify"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// checkpointsOnly verifies the checkpoints alone, with files of them.
func (w *world) checkpointsOnly(files ...string) *verify.Report {
	o := w.options()
	o.Parts = []verify.Part{verify.OfCheckpoints}
	for i, file := range files {
		o.Kept = append(o.Kept, verify.Kept{Name: fmt.Sprintf("file%d", i), Reader: strings.NewReader(file)})
	}
	return verify.Run(w.t.Context(), o)
}

// exported is a file of all checkpoints, as a notary writes it.
func (w *world) exported() string {
	var b strings.Builder
	for e, err := range notary.OpenAudit(w.js).Entries(w.t.Context()) {
		w.must(err)
		b.WriteString(e.Signed + "\n")
	}
	return b.String()
}

// remake replaces the log by another one with the same first events.
func (w *world) remake(through uint64) {
	w.t.Helper()
	var messages []*nats.Msg
	w.read(0, through, func(r replay.Record) {
		for name := range r.Header {
			if strings.HasPrefix(name, "Nats-") { // how it was stored
				delete(r.Header, name)
			}
		}
		messages = append(messages, &nats.Msg{Subject: r.Subject, Header: r.Header, Data: r.Content})
	})
	w.must(w.js.DeleteStream(w.t.Context(), eventlog.StreamName))
	w.begin()
	for _, m := range messages {
		w.publish(m)
	}
}

func TestACheckpointByAnotherKeyIsFound(t *testing.T) {
	w := whole(t, 1, 30)
	w.say(5)
	w.signBy(newKey(t, "mallory"), 10)
	w.say(5)
	w.sign(10)
	wantFindings(t, w.checkpointsOnly(), `checkpoint 35: AUDIT 4, the checkpoint at 35, is signed by mallory\+[0-9a-f]{8}, and not by tidemark\+[0-9a-f]{8} `)

	o := w.options() // several keys, because a notary's may be changed
	o.Keys = append(o.Keys, newKey(t, "mallory").Verifier)
	if r := verify.Run(t.Context(), o); r.Found != 1 {
		t.Errorf("a key of the same name: %s", shown(t, r))
	}
}

func TestWithoutAKeyWhoSignedIsNotKnown(t *testing.T) {
	w := whole(t, 1, 30)
	o := w.options()
	o.Keys, o.NoKey = nil, errors.New("no key")
	if r := verify.Run(t.Context(), o); r.Result != verify.CouldNot || r.Checkpoints.Judged != 3 || !strings.Contains(shown(t, r), "no key") {
		t.Errorf("%s", shown(t, r))
	}
}

func TestAChangedPastIsFoundByItsLeaves(t *testing.T) {
	w := newWorld(t, 1)
	w.say(25)
	leaves := w.leaves(0)
	leaves[6], leaves[17] = leaves[7], notary.NoLeaf() // as the log was when it was signed
	w.resign(leaves)
	w.say(10)
	w.sign(10)
	wantFindings(t, w.checkpointsOnly(), `checkpoint 7: .*the checkpoint at 10 was signed`, `checkpoint 18: .*the checkpoint at 20 was signed`)
	wantFindings(t, w.checkpointsOnly(w.exported()), `checkpoint 1\.\.10: file0: checkpoint 1, .*nor are 3 further ones`, `checkpoint 7: `, `checkpoint 18: `)
}

// resign replaces AUDIT by entries of other leaves, as if the log had been other.
func (w *world) resign(leaves []tlog.Hash) {
	w.t.Helper()
	w.resignWith(leaves, func(uint64, uint64, []byte) {})
}

// resignWith is resign with what alter makes of the hashes of each entry.
func (w *world) resignWith(leaves []tlog.Hash, alter func(from, through uint64, hashes []byte)) {
	w.t.Helper()
	w.must(w.js.DeleteStream(w.t.Context(), notary.StreamName))
	w.must(notary.Provision(w.t.Context(), w.js, 1, discard))
	w.last, w.tree = notary.Entry{}, notary.Tree{}
	for len(leaves) > 0 {
		n := min(10, len(leaves))
		e := w.entry(w.key, leaves[:n])
		alter(e.From, e.Size, e.Hashes)
		w.append(e)
		leaves = leaves[n:]
	}
}

// stored is the index of a leaf among all hashes.
func stored(leaf uint64) int64 { return tlog.StoredHashIndex(0, int64(leaf)) }

func TestHashesThatAreNotThoseOfTheLogAreFound(t *testing.T) {
	w := newWorld(t, 1)
	w.say(30)
	leaves := w.leaves(0)
	for from := range 3 {
		e := w.entry(w.key, leaves[10*from:10*from+10])
		if from == 1 {
			e.Hashes[len(e.Hashes)-1] ^= 1 // of leaf 19, or a node above it
		}
		w.append(e)
	}
	wantFindings(t, w.checkpointsOnly(), `checkpoint 20: .*the hashes that AUDIT keeps for proofs are others`)
}

func TestARootThatNothingMakesIsFoundOnce(t *testing.T) {
	w := newWorld(t, 1)
	w.say(60)
	leaves := w.leaves(0)
	for from := range 6 {
		e := w.entry(w.key, leaves[10*from:10*from+10])
		if from == 2 || from == 3 { // signed of another tree
			c, err := e.Checkpoint()
			w.must(err)
			c.Root[0] ^= 1
			signed, err := notary.Sign(c, w.key)
			w.must(err)
			e.Signed = string(signed)
		}
		w.append(e)
	}
	wantFindings(t, w.checkpointsOnly(), `checkpoint 21\.\.30: .*cannot be told; nor does it make the roots of the 1 checkpoints`)
}

func TestALogThatEndsBeforeACheckpointIsFound(t *testing.T) {
	w := newWorld(t, 1)
	w.say(25)
	leaves := w.leaves(0)
	w.resign(append(leaves, leaves[:8]...)) // 33
	wantFindings(t, w.checkpointsOnly(), `checkpoint 26\.\.33: the log ends at offset 25, and the checkpoint at 33 was signed`)
	exported := w.exported()
	w.must(w.js.DeleteStream(t.Context(), notary.StreamName))
	wantFindings(t, w.checkpointsOnly(exported), `checkpoint 1\.\.33: file0: .*AUDIT goes to offset 0 only`, `checkpoint 26\.\.33: file0: checkpoint 4 is of the log up to offset 33`)
}

func TestAnotherLogIsFoundUntilItIsSigned(t *testing.T) {
	w := whole(t, 1, 25)
	w.remake(20)
	wantFindings(t, w.checkpointsOnly(), `checkpoint 25: stream AUDIT: the newest checkpoint, .* is of a log of epoch`)
	exported := w.exported()
	w.tree = notary.Tree{}
	w.sign(10)
	r := w.checkpointsOnly()
	wantFindings(t, r)
	if e := r.Checkpoints.Earlier; len(e) != 1 || e[0].Checkpoints != 3 || e[0].Offset != 25 || !strings.Contains(shown(t, r), "3 checkpoints of another log") {
		t.Errorf("%+v\n%s", e, shown(t, r))
	}
	wantFindings(t, w.checkpointsOnly(exported), `checkpoint 25: file0: the newest checkpoint, .* is of a log of epoch`)
	wantFindings(t, w.checkpointsOnly(w.exported()))
}

func TestWhatIsNoEntryIsFoundAndTheNextTreeJudged(t *testing.T) {
	w := whole(t, 1, 25)
	_, err := w.js.Publish(t.Context(), "audit.checkpoint", []byte("\x1bno entry"))
	w.must(err)
	wantFindings(t, w.checkpointsOnly(), `checkpoint 26: .*message 4 of stream AUDIT`)
	w.last.Sequence++
	w.tree = notary.Tree{} // a notary begins another tree
	w.say(10)
	w.sign(20)
	r := w.checkpointsOnly()
	wantFindings(t, r, `checkpoint 26: .*message 4 of stream AUDIT`)
	if r.Checkpoints.Judged != 5 || r.Checkpoints.NotCovered != 0 {
		t.Errorf("%+v", r.Checkpoints)
	}
	leaves := w.leaves(0)
	leaves[3] = notary.NoLeaf()
	w.tree = notary.Tree{}
	w.append(w.entry(w.key, leaves)) // a third tree, of what the log does not hold: the two before it fit
	wantFindings(t, w.checkpointsOnly(), `checkpoint 4: `, `checkpoint 26: .*message 4`)
}

func TestAForgedLastMessageDoesNotHideTheNewestTree(t *testing.T) {
	w := newWorld(t, 2)
	w.say(30)
	w.sign(10)
	w.tree = notary.Tree{}
	w.sign(10) // another tree of the same log
	w.say(20)
	leaves := w.leaves(30)
	leaves[4] = notary.NoLeaf() // as the log was when it was signed
	w.append(w.entry(w.key, leaves))
	newest := w.last
	w.last.Began = 1
	w.append(w.last)
	want := []string{`checkpoint 35: .*the checkpoint at 50 was signed`, `checkpoint 51: .*entry 8 goes on from size 30 of tree 1`}
	wantFindings(t, w.checkpointsOnly(), want...)
	w.last.Began = newest.Began // a notary that goes on with the newest tree all the same
	w.say(10)
	w.sign(10)
	wantFindings(t, w.checkpointsOnly(), append(want, `checkpoint 51: .*entry 9 goes on`)...)
}

func TestAnEntryThatIsLostIsFoundAndTheOthersAreJudged(t *testing.T) {
	w := newWorld(t, 1)
	w.must(w.js.DeleteStream(t.Context(), notary.StreamName))
	_, err := w.js.CreateStream(t.Context(), deletable)
	w.must(err)
	w.say(40)
	w.sign(10)
	stream, err := w.js.Stream(t.Context(), notary.StreamName)
	w.must(err)
	w.must(stream.DeleteMsg(t.Context(), 2))
	r := w.checkpointsOnly()
	wantFindings(t, r, `checkpoint 11: .*message 2 of stream AUDIT: there is none`)
	if r.Checkpoints.Judged != 3 {
		t.Errorf("%+v", r.Checkpoints)
	}
}

func TestCheckpointsKeptElsewhereBindWithoutTheStream(t *testing.T) {
	w := whole(t, 1, 40)
	exported := w.exported()
	r := w.checkpointsOnly(exported, exported)
	wantFindings(t, r)
	if r.Checkpoints.Kept != 8 {
		t.Errorf("%+v", r.Checkpoints)
	}
	w.must(w.js.DeleteStream(t.Context(), notary.StreamName))
	const gone = `checkpoint 1\.\.40: file0: there is a checkpoint of the log up to offset 40, and stream AUDIT goes to offset 0 only`
	wantFindings(t, w.checkpointsOnly(exported), gone)
	w.lose(21)
	wantFindings(t, w.checkpointsOnly(exported), gone, `checkpoint 21\.\.30: file0: checkpoint 3`)
	wantFindings(t, w.checkpointsOnly(strings.Replace(exported, "tidemark\n", "tidemarc\n", 1)),
		gone, `checkpoint 10: file0: checkpoint 1 is altered or forged: the signature of tidemark\+[0-9a-f]{8} does not fit`, `checkpoint 21\.\.30: `)
	for _, file := range []string{"", "\n\n"} {
		if r := w.checkpointsOnly(file); r.Result != verify.CouldNot || !strings.Contains(shown(t, r), "file0 holds no checkpoint") {
			t.Errorf("%s", shown(t, r))
		}
	}
	if r := w.checkpointsOnly("nonsense\n" + exported); r.Result != verify.Findings || len(r.Unchecked) != 1 || r.Checkpoints.Kept != 4 {
		t.Errorf("%s", shown(t, r))
	}
}

func TestACheckpointThatWasCutOffInAFileCannotBeCheckedAndTheOthersAre(t *testing.T) {
	w := whole(t, 1, 40)
	exported, note := w.exported(), w.last.Signed
	for _, cut := range []int{5, 12, len(note) - 120, len(note) - 20} {
		r := w.checkpointsOnly(note[:cut] + "\n" + exported)
		if r.Result != verify.CouldNot || r.Found > 0 || r.Checkpoints.Kept != 4 || !strings.Contains(shown(t, r), "file0: 1 of 5 checkpoints cannot be read") {
			t.Errorf("cut at %d: %s", cut, shown(t, r))
		}
	}
}

func TestAStreamOfCheckpointsThatIsOlderThanAFileIsFound(t *testing.T) {
	w := whole(t, 1, 40)
	exported := w.exported()
	w.resign(w.leaves(0)[:20])
	wantFindings(t, w.checkpointsOnly(exported), `checkpoint 21\.\.40: file0: .*stream AUDIT goes to offset 20 only`)
}

func TestAPartIsJudgedFromTheCheckpointBeforeIt(t *testing.T) {
	w := whole(t, 1, 60)
	w.lose(5)
	w.lose(34)
	for _, test := range []struct {
		from, to uint64
		want     []string
	}{
		{1, 60, []string{`checkpoint 5: `, `checkpoint 34: `}},
		{6, 0, []string{`checkpoint 5: `, `checkpoint 34: `}}, // no checkpoint before it
		{15, 0, []string{`checkpoint 34: `}},
		{35, 40, []string{`checkpoint 34: `}}, // the tree goes on from 30
		{35, 39, nil},                         // no checkpoint in it
		{41, 0, nil},
		{60, 60, nil},
	} {
		o := w.options()
		o.Parts, o.From, o.To = []verify.Part{verify.OfCheckpoints}, test.from, test.to
		wantFindings(t, verify.Run(t.Context(), o), test.want...)
	}
}

func TestAPartIsJudgedFromTheBeginningWhereNothingElseIsSigned(t *testing.T) {
	w := whole(t, 1, 30)
	exported := w.exported()
	w.must(w.js.DeleteStream(t.Context(), notary.StreamName))
	o := w.options()
	o.Parts, o.From = []verify.Part{verify.OfCheckpoints}, 25
	o.Kept = []verify.Kept{{Name: "file", Reader: strings.NewReader(exported)}}
	r := verify.Run(t.Context(), o)
	wantFindings(t, r, `checkpoint 1\.\.30: file: .*AUDIT goes to offset 0 only`)
	if r.Checkpoints.Kept != 3 || r.Log.Events != 6 || !strings.Contains(shown(t, r), "from its beginning") {
		t.Errorf("%s", shown(t, r))
	}
}
