package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what happens.
type Kind string

// The kinds.
const (
	Kill    Kind = "kill"
	Stop    Kind = "stop"
	Restart Kind = "restart"
	Cut     Kind = "cut"
	Delay   Kind = "delay"
	Drop    Kind = "drop"
	Slow    Kind = "slow"
	Disk    Kind = "disk"
	Clock   Kind = "clock"
	Leader  Kind = "leader"

	Roll     Kind = "roll"
	Failover Kind = "failover"
)

// Kinds are all, in the order in which they are documented.
func Kinds() []Kind {
	return []Kind{Kill, Stop, Restart, Cut, Delay, Drop, Slow, Disk, Clock, Leader, Roll, Failover}
}

// staged are the kinds that every plan has, each once for each of its targets, and in a long one about once a minute.
// They end when what they wait for has come.
var staged = []Kind{Roll, Failover}

func (k Kind) staged() bool { return slices.Contains(staged, k) }

// ParseKinds reads a list separated by commas.
func ParseKinds(list string) ([]Kind, error) {
	var kinds []Kind
	for name := range strings.SplitSeq(list, ",") {
		k := Kind(strings.TrimSpace(name))
		if !slices.Contains(Kinds(), k) {
			return nil, fmt.Errorf("there is no fault %q, only %v", name, Kinds())
		}
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds, nil
}

// Target is what a fault happens to.
type Target struct {
	Name    string        // "gateway-1", "nats-1-nats-2", "disk-database"
	Touches []string      // names of the processes or links that it happens to
	Quorum  bool          // whether a cluster may come to lack a server, or two to lack each other
	Reach   time.Duration // of a clock: how far it may jump
	Length  time.Duration // of a roll or failover: about how long it takes
}

// Targets are what each kind can happen to.
type Targets map[Kind][]Target

// Step is a fault that is planned. Of the amounts only those of its kind are set.
type Step struct {
	Kind   Kind
	Target string
	Begin  time.Duration // since the plan began
	Length time.Duration // until it is healed; of a roll or failover about, for it ends when it is done

	Latency, Jitter time.Duration // of a delay
	Rate            int64         // of a slow link, in KB/s
	Offset          time.Duration // of a clock

	touches []string
	quorum  bool
}

// End is when it is healed.
func (s Step) End() time.Duration { return s.Begin + s.Length }

// String is the step for people: "delay gateway-1-nats by 80ms±20ms for 2.1s".
func (s Step) String() string {
	amount := ""
	switch s.Kind {
	case Delay:
		amount = fmt.Sprintf(" by %v±%v", s.Latency, s.Jitter)
	case Slow:
		amount = fmt.Sprintf(" to %d KB/s", s.Rate)
	case Clock:
		amount = fmt.Sprintf(" by %v", s.Offset)
	case Leader, Restart, Roll, Failover:
		return fmt.Sprintf("%s %s", s.Kind, s.Target)
	}
	return fmt.Sprintf("%s %s%s for %v", s.Kind, s.Target, amount, s.Length)
}
