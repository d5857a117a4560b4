package faults

import (
	"cmp"
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
	// soon is how long a fault may have to wait for its turn before another goes first.
	soon = time.Second
	// overlapping is how often a fault begins while another is under way, if it can.
	overlapping = 0.5
)

// Plan is what happens in a time: the same for the same arguments. Kinds take turns in a shuffled order, each with its
// targets in a shuffled order, so that in 60 s every kind that has a target happens; rolls and failovers have places of
// their own. The steps are in the order in which
// they begin.
func Plan(seed uint64, length time.Duration, targets Targets, kinds []Kind) []Step {
	p := &planner{random: rand.New(rand.NewPCG(seed, 0x7469_6465_6d61_726b)), targets: targets, decks: make(map[Kind][]Target)}
	for _, k := range Kinds() { // in this order, whatever that of the arguments
		if slices.Contains(kinds, k) && len(targets[k]) > 0 && !k.staged() {
			p.kinds = append(p.kinds, k)
		}
	}
	last, end := part(length, 1-quiet), part(length, 1-calm)
	p.stage(length, last, end, kinds)
	for next := p.pause(); len(p.kinds) > 0; {
		s := p.draw(next)
		if s.Begin >= last {
			break
		}
		s.Length = min(s.Length, end-s.Begin)
		p.steps = append(p.steps, s)
		if next = s.End() + p.pause(); p.random.Float64() < overlapping {
			next = s.Begin + part(s.Length, 0.1+0.6*p.random.Float64())
		}
	}
	slices.SortStableFunc(p.steps, func(a, b Step) int { return cmp.Compare(a.Begin, b.Begin) })
	return p.steps
}

// stage plans the staged kinds, one after another and spread over the time, in an order that is shuffled in each round. The
// others find their places beside them.
func (p *planner) stage(length, last, end time.Duration, kinds []Kind) {
	var all []Step
	for _, k := range staged {
		if !slices.Contains(kinds, k) {
			continue
		}
		for _, t := range p.targets[k] {
			all = append(all, p.measure(k, t))
		}
	}
	rounds := max(1, int(length/time.Minute))
	spare := last / time.Duration(rounds)
	for _, s := range all {
		spare -= s.Length
	}
	spare = max(0, spare-recovery) / time.Duration(max(1, len(all)))
	next := time.Duration(0)
	for range rounds {
		p.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, s := range all {
			next += part(spare, p.random.Float64())
			s.Begin = p.free(s, next)
			if next = s.End(); s.Begin < last {
				s.Length = min(s.Length, end-s.Begin)
				p.steps = append(p.steps, s)
			}
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

// draw is the next fault, not before a time: of the kinds and targets that have their turn the first that can begin soon, or
// else the one that can begin first.
func (p *planner) draw(from time.Duration) Step {
	if len(p.turns) == 0 {
		p.turns = slices.Clone(p.kinds)
		p.random.Shuffle(len(p.turns), func(i, j int) { p.turns[i], p.turns[j] = p.turns[j], p.turns[i] })
	}
	var chosen Step
	turn, card := -1, 0
	for i, kind := range p.turns {
		for j, t := range p.deck(kind) {
			if turn >= 0 && chosen.Begin <= from+soon {
				break
			}
			s := p.measure(kind, t)
			if s.Begin = p.free(s, from); turn < 0 || s.Begin < chosen.Begin {
				turn, card, chosen = i, j, s
			}
		}
	}
	p.turns = slices.Delete(p.turns, turn, turn+1)
	p.decks[chosen.Kind] = slices.Delete(p.decks[chosen.Kind], card, card+1)
	return chosen
}

// deck is what is left of this round of a kind's targets, or the next round.
func (p *planner) deck(kind Kind) []Target {
	if len(p.decks[kind]) == 0 {
		deck := slices.Clone(p.targets[kind])
		p.random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		p.decks[kind] = deck
	}
	return p.decks[kind]
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
	case Roll, Failover:
		s.Length = t.Length
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
			case o.Begin > s.End()+recovery:
			case o.excludes(s):
				if until := o.End() + recovery; until > from && o.quorum && s.quorum {
					from = until
				} else if o.End() >= from && o.Begin <= s.End() {
					from = o.End() + time.Millisecond
				}
			case o.End() >= s.Begin && o.Begin <= s.End():
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
