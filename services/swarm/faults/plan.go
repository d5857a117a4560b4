package faults

import (
	"math/rand/v2"
	"slices"
	"time"
)

const (
	// quiet is the part of a plan's time at its end in which no fault begins, and calm the part in which none goes on.
	quiet = 0.15
	calm  = 0.03
	// recovery is what a cluster is left after one of its servers was hurt before the next one is.
	recovery = 2 * time.Second
	// atOnce is how many faults are under way at a time.
	atOnce = 2
	// overlapping is how often a fault begins while another is under way, if it can.
	overlapping = 0.35
)

// Plan is what happens in a time: the same for the same arguments. Kinds take turns in a shuffled order, each with its
// targets in a shuffled order, so that in 60 s every kind that has a target happens. The steps are in the order in which
// they begin.
func Plan(seed uint64, length time.Duration, targets Targets, kinds []Kind) []Step {
	p := &planner{random: rand.New(rand.NewPCG(seed, 0x7469_6465_6d61_726b)), targets: targets, decks: make(map[Kind][]Target)}
	for _, k := range Kinds() { // in this order, whatever that of the arguments
		if slices.Contains(kinds, k) && len(targets[k]) > 0 {
			p.kinds = append(p.kinds, k)
		}
	}
	if len(p.kinds) == 0 {
		return nil
	}
	last, end := part(length, 1-quiet), part(length, 1-calm)
	for next := p.pause(); ; {
		s := p.draw()
		s.Begin = p.free(s, next)
		if s.Begin >= last {
			return p.steps
		}
		s.Length = min(s.Length, end-s.Begin)
		p.steps = append(p.steps, s)
		if next = s.End() + p.pause(); p.random.Float64() < overlapping {
			next = s.Begin + part(s.Length, 0.1+0.6*p.random.Float64())
		}
	}
}

func part(d time.Duration, share float64) time.Duration {
	return time.Duration(float64(d) * share).Round(time.Millisecond)
}

type planner struct {
	random  *rand.Rand
	targets Targets
	kinds   []Kind
	turns   []Kind            // kinds that have their turn in this round
	decks   map[Kind][]Target // targets that have their turn in this round of a kind
	steps   []Step
}

// draw is the next fault, without its time.
func (p *planner) draw() Step {
	if len(p.turns) == 0 {
		p.turns = slices.Clone(p.kinds)
		p.random.Shuffle(len(p.turns), func(i, j int) { p.turns[i], p.turns[j] = p.turns[j], p.turns[i] })
	}
	kind := p.turns[0]
	p.turns = p.turns[1:]
	deck := p.decks[kind]
	if len(deck) == 0 {
		deck = slices.Clone(p.targets[kind])
		p.random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	}
	p.decks[kind] = deck[1:]
	return p.measure(kind, deck[0])
}

// measure chooses how long and how much. All lengths together, with the pauses, fit into the busy part of 60 s.
func (p *planner) measure(kind Kind, t Target) Step {
	s := Step{Kind: kind, Target: t.Name, touches: t.Touches, quorum: t.Quorum}
	switch kind {
	case Kill, Cut:
		s.Length = p.between(0, 3000)
	case Stop:
		s.Length = p.between(200, 6000)
	case Restart:
		s.Length = p.between(0, 1000)
	case Delay:
		s.Length = p.between(1000, 5000)
		s.Latency = p.between(20, 400)
		s.Jitter = part(s.Latency, p.random.Float64()/2)
	case Drop:
		s.Length = p.between(1000, 3000)
	case Slow:
		s.Length, s.Rate = p.between(1000, 5000), 20+p.random.Int64N(181)
	case Disk:
		s.Length = p.between(1000, 4000)
	case Clock:
		s.Length = p.between(1000, 6000)
		s.Offset = max(p.between(0, t.Reach.Milliseconds()), time.Second)
		if p.random.IntN(2) == 0 {
			s.Offset = -s.Offset
		}
	}
	return s
}

// between is a time between two numbers of milliseconds.
func (p *planner) between(low, high int64) time.Duration {
	return time.Duration(low+p.random.Int64N(high-low+1)) * time.Millisecond
}

func (p *planner) pause() time.Duration { return p.between(100, 600) }

// free is the earliest time from which a step goes with those that are planned.
func (p *planner) free(s Step, from time.Duration) time.Duration {
	for {
		s.Begin = from
		var others []time.Duration // when those end that it overlaps
		for _, o := range p.steps {
			switch {
			case o.excludes(s):
				if until := o.End() + recovery; until > from && o.quorum && s.quorum {
					from = until
				} else if o.End() >= from {
					from = o.End() + time.Millisecond
				}
			case o.End() >= s.Begin:
				others = append(others, o.End())
			}
		}
		if from == s.Begin && len(others) >= atOnce {
			from = slices.Min(others) + time.Millisecond
		}
		if from == s.Begin {
			return from
		}
	}
}

// excludes reports whether two faults cannot be at the same time.
func (s Step) excludes(o Step) bool {
	return s.Target == o.Target || s.quorum && o.quorum ||
		slices.ContainsFunc(s.touches, func(name string) bool { return slices.Contains(o.touches, name) })
}
