package verify_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/auditor/verify"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

func TestARichLogIsClean(t *testing.T) {
	for seed := range uint64(3) {
		w := whole(t, seed, 700)
		r := w.verify()
		wantFindings(t, r)
		if r.Log.Events != 700 || r.Checkpoints.Judged != 70 || r.Checkpoints.NotCovered != 0 || r.ReadModel.Lag != 0 {
			t.Errorf("%+v %+v %+v", r.Log, r.Checkpoints, r.ReadModel)
		}
		if r.Rules.UnknownTypes == 0 || r.Rules.NewerSchemas != 0 || r.Rules.Keys == 0 || len(r.Rules.Types) > 40 {
			t.Errorf("%+v", r.Rules)
		}
		rows := uint64(0)
		for _, n := range r.ReadModel.Rows {
			rows += n
		}
		if rows+r.Rules.UnknownTypes != 700 {
			t.Errorf("%+v and %+v are not all", r.ReadModel, r.Rules)
		}
		if text := shown(t, r); !strings.HasSuffix(text, "\nclean\n") || strings.ContainsAny(text, "\x1b\u202e\x00") {
			t.Errorf("%q", text)
		}
	}
}

func TestWhatIsBehindIsShownAndNoFinding(t *testing.T) {
	w := whole(t, 1, 50)
	w.say(7)
	r := w.verify()
	wantFindings(t, r)
	if r.ReadModel.Lag != 7 || r.Checkpoints.NotCovered != 7 {
		t.Errorf("%+v %+v", r.ReadModel, r.Checkpoints)
	}
}

func TestAnEmptyLogHasNoCheckpoints(t *testing.T) {
	w := newWorld(t, 1)
	if r := w.verify(); r.Result != verify.CouldNot || len(r.Unchecked) != 1 || r.Unchecked[0].Part != verify.OfCheckpoints || r.Unchecked[0].Only != "log,readmodel" {
		t.Errorf("%s", shown(t, r))
	}
	o := w.options()
	o.Parts = []verify.Part{verify.OfLog, verify.OfReadModel}
	wantFindings(t, verify.Run(t.Context(), o))
}

func TestAnyPartOfACleanLogIsClean(t *testing.T) {
	w := whole(t, 2, 120)
	w.lose(60) // outside of, or at the edge of, the parts
	for _, part := range [][2]uint64{{1, 59}, {61, 120}, {61, 0}, {61, 99}, {100, 100}, {110, 111}, {5, 8}, {0, 3}, {21, 30}} {
		o := w.options()
		o.From, o.To = part[0], part[1]
		r := verify.Run(t.Context(), o)
		wantFindings(t, r)
		if want := part[1] - max(part[0], 1) + 1; part[1] > 0 && r.Log.Events != want {
			t.Errorf("%v: %d events", part, r.Log.Events)
		}
		if len(r.Remarks) == 0 {
			t.Errorf("%v: nothing is said of what that means", part)
		}
	}
	o := w.options()
	o.From = 121
	if r := verify.Run(t.Context(), o); r.Result != verify.CouldNot {
		t.Errorf("%s", shown(t, r))
	}
}

func TestAnInterruptIsToldAndNothingGoesOn(t *testing.T) {
	w := whole(t, 1, 600)
	ctx, cancel := context.WithCancel(t.Context())
	o := w.options()
	o.Reader = &interrupting{Reader: o.Reader, cancel: cancel}
	r := verify.Run(ctx, o)
	if r.Result != verify.CouldNot || !strings.Contains(shown(t, r), "could not check: it was interrupted at offset ") {
		t.Errorf("%s", shown(t, r))
	}
	if r := verify.Run(ctx, w.options()); r.Result != verify.CouldNot || r.Log.Events != 0 {
		t.Errorf("%s", shown(t, r))
	}
}

// interrupting is a database while whose users are read the operator interrupts.
type interrupting struct {
	readmodel.Reader
	cancel func()
}

func (i *interrupting) Rows(ctx context.Context, table readmodel.Table, after, through uint64) iter.Seq2[readmodel.TableRow, error] {
	if table == readmodel.Users {
		i.cancel()
	}
	return i.Reader.Rows(ctx, table, after, through)
}
