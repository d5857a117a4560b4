package verify

import (
	"fmt"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
)

// hollow is a hole in the log beside the read model.
type hollow struct {
	found         *findings
	from, through uint64
	cut           bool   // the hole may be longer than what of it is seen
	accounted     uint64 // how many of its offsets the read model says something of
	said          uint64 // the last offset that a dead letter speaks of
}

func (r *rowCheck) hole(from, through uint64) error {
	if through = min(through, r.through); from > through {
		return nil
	}
	cut := through == r.through || from == r.after+1 && r.after > 0
	r.hollow = &hollow{found: r.found, from: from, through: through, cut: cut}
	defer func() { r.hollow = nil }()
	if err := r.settle(through); err != nil {
		return err
	}
	r.hollow.end()
	return nil
}

// row is told of each row that the read model has at the offsets of the hole.
func (h *hollow) row(d readmodel.Difference) {
	have, ok := missingRange(d)
	if !ok {
		h.accounted++
		h.found.add(Finding{Offset: d.Offset, What: d.String() + ", and the log holds nothing here"})
		return
	}
	if through := have; through > h.through && !h.cut || d.Offset <= h.said {
		h.found.add(Finding{Offset: d.Offset, Through: through, What: fmt.Sprintf(
			"%s says that the log holds nothing at offsets %d to %d, which is not the hole", readmodel.DeadLetters, d.Offset, through)})
	}
	h.said = max(h.said, have)
	h.accounted += min(have, h.through) - d.Offset + 1
}

// missingRange is the last offset of the range of which a row says that the log does not hold it.
func missingRange(d readmodel.Difference) (through uint64, ok bool) {
	if d.Table != readmodel.DeadLetters {
		return 0, false
	}
	if _, err := fmt.Sscan(d.Have.Values[1].String, &through); err != nil || through < d.Offset {
		return 0, false
	}
	want := readmodel.DeadLetterRow(projection.Missing(d.Offset, through))
	return through, slices.Equal(want.Values, d.Have.Values) && len(d.Have.Mistyped) == 0
}

func (h *hollow) end() {
	if length := h.through - h.from + 1; h.accounted < length && !h.cut {
		h.found.add(Finding{Offset: h.from, Through: h.through, What: fmt.Sprintf(
			"the read model says nothing of %d of the %d offsets that the log does not hold", length-h.accounted, length)})
	}
}
