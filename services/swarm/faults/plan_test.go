package faults_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/faults"
)

// targets are those of a deployment with so many servers.
func targets(servers int) faults.Targets {
	t := make(faults.Targets)
	processes := []string{"persister-1", "persister-2", "gateway-1", "gateway-2"}
	links := []faults.Target{{Name: "clients-gateway-1"}, {Name: "clients-gateway-2"}}
	for i := range servers {
		nats := fmt.Sprintf("nats-%d", i+1)
		for _, p := range processes[:4] {
			links = append(links, faults.Target{Name: p + "-" + nats})
		}
		for j := range i {
			links = append(links, faults.Target{Name: fmt.Sprintf("nats-%d-%s", j+1, nats), Quorum: true})
		}
		processes = append(processes, nats)
	}
	for _, p := range processes {
		quorum := servers > 1 && p[:4] == "nats"
		for _, k := range []faults.Kind{faults.Kill, faults.Stop, faults.Restart} {
			t[k] = append(t[k], faults.Target{Name: p, Touches: []string{p}, Quorum: quorum})
		}
		t[faults.Clock] = append(t[faults.Clock], faults.Target{Name: p, Touches: []string{p}, Reach: time.Hour})
		if p[:4] == "nats" {
			t[faults.Disk] = append(t[faults.Disk], faults.Target{Name: "disk-" + p, Touches: []string{p}, Quorum: quorum})
		}
	}
	t[faults.Disk] = append(t[faults.Disk], faults.Target{Name: "disk-database", Touches: processes[:2]})
	for _, k := range []faults.Kind{faults.Cut, faults.Delay, faults.Drop, faults.Slow} {
		t[k] = links
	}
	if servers > 1 {
		t[faults.Leader] = []faults.Target{{Name: "stream", Quorum: true}, {Name: "consumer", Quorum: true}, {Name: "meta", Quorum: true}}
		t[faults.Roll] = []faults.Target{{Name: "nats-servers", Touches: processes[4:], Quorum: true, Length: 12 * time.Second}}
	}
	t[faults.Roll] = append(t[faults.Roll],
		faults.Target{Name: "gateways", Touches: processes[2:4], Length: 4 * time.Second},
		faults.Target{Name: "persisters", Touches: processes[:2], Length: 3 * time.Second})
	t[faults.Failover] = []faults.Target{{Name: "persisters", Touches: processes[:2], Quorum: servers > 1, Length: 6 * time.Second}}
	return t
}

func find(t *testing.T, all faults.Targets, s faults.Step) faults.Target {
	t.Helper()
	for _, target := range all[s.Kind] {
		if target.Name == s.Target {
			return target
		}
	}
	t.Fatalf("%v: there is no such target", s)
	return faults.Target{}
}

const seeds = 500

func TestAPlanIsTheSameForTheSameSeedAndAnotherForAnother(t *testing.T) {
	all := targets(3)
	reversed := faults.Kinds()
	slices.Reverse(reversed)
	seen := make(map[string]uint64)
	for seed := range uint64(seeds) {
		a := faults.Plan(seed, time.Minute, all, faults.Kinds())
		if b := faults.Plan(seed, time.Minute, all, reversed); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d:\n%v\n%v", seed, a, b)
		}
		if before, ok := seen[fmt.Sprint(a)]; ok {
			t.Fatalf("seeds %d and %d have the same plan", before, seed)
		}
		seen[fmt.Sprint(a)] = seed
	}
}

func TestEveryKindHappensInAMinute(t *testing.T) {
	for _, servers := range []int{1, 3} {
		all, fewest := targets(servers), 1000
		for seed := range uint64(seeds) {
			plan := faults.Plan(seed, time.Minute, all, faults.Kinds())
			fewest = min(fewest, len(plan))
			for k := range all {
				if !slices.ContainsFunc(plan, func(s faults.Step) bool { return s.Kind == k }) {
					t.Errorf("%d servers, seed %d: no %s in\n%v", servers, seed, k, plan)
				}
			}
		}
		if fewest < 10 {
			t.Errorf("%d servers: %d faults in a minute", servers, fewest)
		}
	}
}

func TestEveryTargetOfEveryKindHasItsTurn(t *testing.T) {
	all := targets(3)
	missing := make(map[string]bool)
	for k, some := range all {
		for _, target := range some {
			missing[string(k)+" "+target.Name] = true
		}
	}
	for _, s := range faults.Plan(1, 20*time.Minute, all, faults.Kinds()) {
		delete(missing, string(s.Kind)+" "+s.Target)
	}
	if len(missing) > 0 {
		t.Errorf("in 20 minutes not: %v", missing)
	}
}

// TestFaultsLeaveEachOtherAlone checks each pair of steps that are under way at the same time.
func TestFaultsLeaveEachOtherAlone(t *testing.T) {
	overlaps := 0
	for _, servers := range []int{1, 3} {
		all := targets(servers)
		for seed := range uint64(seeds) {
			plan := faults.Plan(seed, time.Minute, all, faults.Kinds())
			for i, a := range plan {
				under := 0
				for j, b := range plan {
					if i == j || b.Begin > a.Begin || b.End() < a.Begin || b.Begin == a.Begin && j > i {
						continue
					}
					under++
					ta, tb := find(t, all, a), find(t, all, b)
					shared := slices.ContainsFunc(ta.Touches, func(p string) bool { return slices.Contains(tb.Touches, p) })
					if a.Target == b.Target || shared || ta.Quorum && tb.Quorum {
						t.Errorf("seed %d: at the same time\n%v at %v\n%v at %v", seed, b, b.Begin, a, a.Begin)
					}
				}
				if under > 1 {
					t.Errorf("seed %d: %d others under way when this begins: %v at %v", seed, under, a, a.Begin)
				}
				overlaps += under
			}
		}
	}
	if overlaps < seeds {
		t.Errorf("in %d plans of a minute %d faults overlap", 2*seeds, overlaps)
	}
}

func TestAStepIsWithinItsBounds(t *testing.T) {
	type bound struct{ low, high time.Duration }
	bounds := map[faults.Kind]bound{
		faults.Kill: {0, 3 * time.Second}, faults.Stop: {200 * time.Millisecond, 6 * time.Second}, faults.Restart: {0, time.Second},
		faults.Cut: {0, 3 * time.Second}, faults.Delay: {time.Second, 5 * time.Second}, faults.Drop: {time.Second, 3 * time.Second},
		faults.Slow: {time.Second, 5 * time.Second}, faults.Disk: {time.Second, 4 * time.Second}, faults.Clock: {time.Second, 6 * time.Second},
	}
	for _, length := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
		all := targets(3)
		for seed := range uint64(seeds) {
			before := time.Duration(0)
			for _, s := range faults.Plan(seed, length, all, faults.Kinds()) {
				b := bounds[s.Kind]
				if target := find(t, all, s); target.Length > 0 {
					b = bound{target.Length, target.Length}
				}
				cut := length < time.Minute // the length may be, then
				if s.Begin < before || s.Begin >= length*85/100 || s.End() > length || s.Length > b.high || s.Length < b.low && !cut {
					t.Errorf("%v of %v: %v at %v", length, seed, s, s.Begin)
				}
				amounts := 0
				for _, set := range []bool{s.Latency != 0, s.Rate != 0, s.Offset != 0} {
					if set {
						amounts++
					}
				}
				switch {
				case s.Kind == faults.Delay && s.Latency >= 20*time.Millisecond && s.Latency <= 400*time.Millisecond && s.Jitter <= s.Latency/2 && amounts == 1:
				case s.Kind == faults.Slow && s.Rate >= 20 && s.Rate <= 200 && amounts == 1:
				case s.Kind == faults.Clock && s.Offset.Abs() >= time.Second && s.Offset.Abs() <= find(t, all, s).Reach && amounts == 1:
				case amounts == 0:
				default:
					t.Errorf("seed %d: %+v", seed, s)
				}
				before = s.Begin
			}
		}
	}
}

func TestEveryRollAndFailoverIsInEveryPlanOfHalfAMinute(t *testing.T) {
	for _, servers := range []int{1, 3} {
		all := targets(servers)
		for seed := range uint64(seeds) {
			plan := faults.Plan(seed, 30*time.Second, all, faults.Kinds())
			for _, k := range []faults.Kind{faults.Roll, faults.Failover} {
				for _, target := range all[k] {
					if !slices.ContainsFunc(plan, func(s faults.Step) bool { return s.Kind == k && s.Target == target.Name }) {
						t.Errorf("%d servers, seed %d: no %s %s in\n%v", servers, seed, k, target.Name, plan)
					}
				}
			}
		}
	}
}

func TestOnlyWhatIsAskedForAndPossibleHappens(t *testing.T) {
	plan := faults.Plan(1, time.Minute, targets(1), []faults.Kind{faults.Leader, faults.Cut})
	if len(plan) == 0 || slices.ContainsFunc(plan, func(s faults.Step) bool { return s.Kind != faults.Cut }) {
		t.Errorf("got %v", plan)
	}
	if plan := faults.Plan(1, time.Minute, targets(1), []faults.Kind{faults.Leader}); plan != nil {
		t.Errorf("got %v", plan)
	}
}

func TestKindsAreRead(t *testing.T) {
	if got, err := faults.ParseKinds("kill, leader,kill"); err != nil || fmt.Sprint(got) != "[kill leader]" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := faults.ParseKinds("kill,thunder"); err == nil {
		t.Error("thunder is known")
	}
}
