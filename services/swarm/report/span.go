package report

import "slices"

// span is a fault from its beginning to its end.
type span struct {
	From, To float64 // equal: a moment
	Fault    Fault   // its beginning
}

// faultSpans joins each beginning with the next end of the same kind and target, in the order of their beginnings. One
// that never ended lasts until the run's end; an end of nothing is a moment.
func (r *Report) faultSpans() []span {
	type which struct{ kind, target string }
	var spans []span
	open := make(map[which][]int)
	for _, f := range r.Faults {
		id := which{f.Kind, f.Target}
		waiting := open[id]
		if f.Phase == Ends && len(waiting) > 0 {
			spans[waiting[0]].To = max(f.At, spans[waiting[0]].From)
			open[id] = waiting[1:]
			continue
		}
		if f.Phase == Begins {
			open[id] = append(waiting, len(spans))
		}
		spans = append(spans, span{From: f.At, To: f.At, Fault: f})
	}
	for _, waiting := range open {
		for _, i := range waiting {
			spans[i].To = max(r.end(), spans[i].From)
		}
	}
	slices.SortStableFunc(spans, func(a, b span) int {
		if a.From < b.From {
			return -1
		} else if a.From > b.From {
			return 1
		}
		return 0
	})
	return spans
}

// end is when the run ended, by whatever lasted longest.
func (r *Report) end() float64 {
	end := r.Took
	if n := len(r.Series); n > 0 {
		end = max(end, r.Series[n-1].AtSeconds)
	}
	for _, f := range r.Faults {
		end = max(end, f.At)
	}
	return end
}
