package oracle_test

import (
	"slices"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
)

func recovered(_ *world, s spot) bool { return s.entry().Kind == history.Recovered }

// lie alters a recovery.
func lie(fits func(*world, spot) bool, alter func(s spot, r *history.Recovery)) func(*world) *oracle.Finding {
	return at(both(recovered, fits), func(w *world, s spot) *oracle.Finding {
		r := *s.entry().Recovery
		alter(s, &r)
		s.entry().Recovery = &r
		return s.finding(oracle.Recovery, 0)
	})
}

func anyRecovery(*world, spot) bool { return true }

// claims are faults in what clients are told of how far they are.
var claims = []mutation{
	{"a watermark beyond the log", at(recovered, func(w *world, s spot) *oracle.Finding {
		s.add(history.Entry{At: w.tick(), Kind: history.Watermark, Offset: w.log.Head + 1})
		return s.finding(oracle.Watermark, w.log.Head+1)
	})},
	{"a recovery beyond the log", at(recovered, func(w *world, s spot) *oracle.Finding {
		r := *s.entry().Recovery
		r.Head = w.log.Head + 1
		s.entry().Recovery = &r
		return s.finding(oracle.Watermark, r.Head)
	})},
	{"a join beyond the log", at(
		func(w *world, s spot) bool { return s.entry().Kind == history.Joined },
		func(w *world, s spot) *oracle.Finding {
			s.entry().Offset = w.log.Head + 1
			return s.finding(oracle.Watermark, w.log.Head+1)
		})},
	{"a watermark before what it covers", at(
		func(w *world, s spot) bool { return owed(w, s) && s.i > 0 },
		func(w *world, s spot) *oracle.Finding {
			offset := s.entry().Message.Offset
			s.Entries = slices.Insert(s.Entries, s.i, history.Entry{At: s.entry().At, Kind: history.Watermark, Offset: offset})
			return s.finding(oracle.Watermark, offset)
		})},
	{"a watermark in place of what it covers", at(owed, func(w *world, s spot) *oracle.Finding {
		offset := s.entry().Message.Offset
		*s.entry() = history.Entry{At: s.entry().At, Kind: history.Watermark, Offset: offset}
		return s.finding(oracle.Watermark, offset)
	})},
	{"a watermark before the log was there", at(recovered, func(w *world, s spot) *oracle.Finding {
		for _, m := range slices.Backward(w.log.Messages) {
			for _, a := range w.run.Actors {
				for _, x := range a.Sends {
					if x.Content == m.Content && x.Tries[0].At > s.entry().At && w.copies(m.Content) == 1 {
						s.Entries = slices.Insert(s.Entries, s.i+1, history.Entry{At: s.entry().At, Kind: history.Watermark, Offset: m.Offset})
						return s.finding(oracle.Watermark, m.Offset)
					}
				}
			}
		}
		return nil
	})},
	{"a recovery told twice", at(recovered, func(w *world, s spot) *oracle.Finding {
		s.Entries = slices.Insert(s.Entries, s.i, *s.entry())
		return s.finding(oracle.Recovery, 0)
	})},
	{"a recovery never told", at(
		func(w *world, s spot) bool { return recovered(w, s) && s.Closed == 0 },
		func(w *world, s spot) *oracle.Finding {
			f := s.finding(oracle.Recovery, 0)
			s.remove()
			return f
		})},
	{"a recovery in the middle of the replay", at(
		func(w *world, s spot) bool { return recovered(w, s) && s.i > 0 && owed(w, spot{s.wire, s.i - 1}) },
		func(w *world, s spot) *oracle.Finding {
			s.Entries[s.i-1], s.Entries[s.i] = s.Entries[s.i], s.Entries[s.i-1]
			return s.finding(oracle.Watermark, s.entry().Message.Offset)
		})},
	{"live messages before the recovery", at(
		func(w *world, s spot) bool {
			return recovered(w, s) && s.i+1 < len(s.Entries) && received(w, spot{s.wire, s.i + 1})
		},
		func(w *world, s spot) *oracle.Finding {
			s.Entries[s.i+1], s.Entries[s.i] = s.Entries[s.i], s.Entries[s.i+1]
			return s.finding(oracle.Recovery, s.Entries[s.i+1].Recovery.Head)
		})},
	{"a recovery that miscounts", lie(anyRecovery, func(_ spot, r *history.Recovery) { r.Count++ })},
	{"a recovery of another epoch", lie(anyRecovery, func(_ spot, r *history.Recovery) { r.Epoch = "x" })},
	{"another epoch told to all", func(w *world) *oracle.Finding {
		told := w.spots(func(s spot) bool { return recovered(w, s) })
		for _, s := range told {
			r := *s.entry().Recovery
			r.Epoch = "x"
			s.entry().Recovery = &r
		}
		return told[0].finding(oracle.Recovery, 0)
	}},
	{"a recovery from elsewhere", lie(
		func(w *world, s spot) bool { return s.From != nil && s.lost == "" },
		func(_ spot, r *history.Recovery) { r.From-- })},
	{"a loss that is none", lie(
		func(w *world, s spot) bool { return s.lost == "" },
		func(_ spot, r *history.Recovery) { r.Recovered, r.Reason = false, "trimmed" })},
	{"a loss without a reason", lie(
		func(w *world, s spot) bool { return s.lost == "" },
		func(_ spot, r *history.Recovery) { r.Recovered = false })},
	{"an epoch that did not change", lie(
		func(w *world, s spot) bool { return s.lost == "" },
		func(_ spot, r *history.Recovery) { r.Recovered, r.From, r.Reason = false, 0, "epoch_changed" })},
	{"an offset that is not ahead", lie(
		func(w *world, s spot) bool { return s.lost == "" && s.From != nil },
		func(_ spot, r *history.Recovery) { r.Recovered, r.From, r.Reason = false, 0, "ahead_of_log" })},
	{"an offset of another epoch that is believed", lie(
		func(w *world, s spot) bool { return s.lost == "epoch_changed" },
		func(s spot, r *history.Recovery) { r.Recovered, r.From, r.Reason = true, *s.From, "" })},
	{"an offset ahead that is believed", lie(
		func(w *world, s spot) bool { return s.lost == "ahead_of_log" },
		func(s spot, r *history.Recovery) { r.Recovered, r.From, r.Reason = true, *s.From, "" })},
	{"a new beginning that is none", lie(
		func(w *world, s spot) bool { return s.lost != "" },
		func(_ spot, r *history.Recovery) { r.From = 3 })},
	{"a beginning that is too late", at(
		func(w *world, s spot) bool {
			return owed(w, s) && later(w, s) && s.From != nil && s.lost == "" && s.i == 0
		},
		func(w *world, s spot) *oracle.Finding {
			// What the client said counts, whatever it is told.
			f := s.finding(oracle.Complete, s.entry().Message.Offset)
			for i := range s.Entries {
				if s.Entries[i].Kind == history.Recovered {
					r := *s.Entries[i].Recovery
					r.From = s.entry().Message.Offset
					s.Entries[i].Recovery = &r
				}
			}
			s.remove()
			return f
		})},
}
