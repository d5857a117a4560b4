package peers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/procfs"
)

// usage is what a server has cost so far, by the names of its processes.
type usage map[string]cost

// cost is what one process has cost. Proc counts processor time in hundredths of a second.
type cost struct {
	cpu float64 // seconds, user and system
	rss int64   // bytes
	pss int64   // bytes: what it shares with other processes counts in proportion
}

func (s *server) usage() (usage, error) {
	u := usage{}
	for _, p := range s.processes {
		proc, err := procfs.NewProc(p.cmd.Process.Pid)
		if err != nil {
			return nil, errors.Join(err, p.ended())
		}
		stat, err := proc.Stat()
		if err != nil {
			return nil, errors.Join(err, p.ended())
		}
		maps, err := proc.ProcSMapsRollup()
		if err != nil {
			return nil, errors.Join(err, p.ended())
		}
		u[p.name] = cost{cpu: stat.CPUTime(), rss: int64(stat.ResidentMemory()), pss: int64(maps.Pss)}
	}
	return u, nil
}

// since is what was added since an earlier usage.
func (u usage) since(before usage) usage {
	added := usage{}
	for name, now := range u {
		was := before[name]
		added[name] = cost{cpu: now.cpu - was.cpu, rss: now.rss - was.rss, pss: now.pss - was.pss}
	}
	return added
}

func (u usage) cpu() (sum float64) {
	for _, c := range u {
		sum += c.cpu
	}
	return sum
}

func (u usage) rss() (sum int64) {
	for _, c := range u {
		sum += c.rss
	}
	return sum
}

func (u usage) pss() (sum int64) {
	for _, c := range u {
		sum += c.pss
	}
	return sum
}

// When a server counts as quiet.
const (
	quietEvery  = 100 * time.Millisecond
	quietSpells = 3    // in a row
	quietCPU    = 0.01 // seconds in each
	quietAtMost = 10 * time.Second
)

// quiet waits until the server has done with what was asked of it, which is when it needs no processor time.
func (s *server) quiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, quietAtMost, fmt.Errorf("%s is still busy after %v", s.target.Name, quietAtMost))
	defer cancel()
	var before usage
	for spells := 0; spells < quietSpells; {
		now, err := s.usage()
		if err != nil {
			return err
		}
		if before != nil && now.since(before).cpu() <= quietCPU*1.5 {
			spells++
		} else {
			spells = 0
		}
		before = now
		if err := pause(ctx, quietEvery); err != nil {
			return err
		}
	}
	return nil
}

// When memory counts as stable.
const (
	stableEvery  = 10 // times in the time for which it must be
	stableWithin = 0.01
	stableAtMost = 7 // times that time; then it is taken as it is
)

// stable waits until the server's memory has changed by less than a hundredth for a time, and is what it needs then.
// A server that never comes to rest is taken as it is after some such times.
func (s *server) stable(ctx context.Context, during time.Duration) (usage, error) {
	began := time.Now()
	var least, most int64
	since := began
	for {
		u, err := s.usage()
		if err != nil {
			return nil, err
		}
		now := u.rss()
		least, most = min(least, now), max(most, now)
		if least == 0 || float64(most-least) > stableWithin*float64(now) {
			least, most, since = now, now, time.Now()
		}
		if time.Since(since) >= during || time.Since(began) >= stableAtMost*during {
			return u, nil
		}
		if err := pause(ctx, during/stableEvery); err != nil {
			return nil, err
		}
	}
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// measure is how long something took, and what it cost the server.
func (s *server) measure(do func() error) (took time.Duration, used usage, err error) {
	before, err := s.usage()
	if err != nil {
		return 0, nil, err
	}
	began := time.Now()
	if err := do(); err != nil {
		return 0, nil, errors.Join(err, s.ended())
	}
	took = time.Since(began)
	after, err := s.usage()
	if err != nil {
		return 0, nil, err
	}
	return took, after.since(before), nil
}
