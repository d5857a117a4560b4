package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
)

// do makes a fault happen, and returns when it is to be healed. Only of a failover it tells how long it took.
func do(ctx context.Context, d *deployment.Deployment, s Step) (took time.Duration, err error) {
	switch s.Kind {
	case Roll:
		return 0, roll(ctx, d, s.Target)
	case Failover:
		return failover(ctx, d)
	}
	if err := begin(ctx, d, s); err != nil {
		return 0, err
	}
	sleep(ctx, s.Length)
	return 0, nil
}

// begin makes a fault happen that lasts until it is ended.
func begin(ctx context.Context, d *deployment.Deployment, s Step) error {
	switch s.Kind {
	case Cut, Delay, Drop, Slow:
		return onLinks(d, s.Target, func(w deployment.Way) error { return beginOn(w, s) })
	case Disk:
		disk, err := disk(d, s.Target)
		if err != nil {
			return err
		}
		return disk.Fill()
	case Leader:
		return stepDown(ctx, d, s.Target)
	}
	if pg := d.Postgres(); pg != nil && s.Target == pg.Name {
		if s.Kind == Restart {
			return nil // at the end
		}
		pg.Kill()
		return nil
	}
	p, err := process(d, s.Target)
	if err != nil {
		return err
	}
	switch s.Kind {
	case Kill:
		p.Kill()
	case Restart:
		p.Stop()
	case Stop:
		return p.Pause()
	case Clock:
		return p.Step(s.Offset)
	default:
		return fmt.Errorf("there is no fault %q", s.Kind)
	}
	return nil
}

func beginOn(w deployment.Way, s Step) error {
	switch s.Kind {
	case Delay:
		return w.Delay(s.Latency, s.Jitter)
	case Drop:
		return w.DropAnswers()
	case Slow:
		return w.Slow(s.Rate)
	}
	w.Cut()
	return nil
}

// end heals a fault. It does not depend on anything that may have ended: what has been hurt is healed.
func end(d *deployment.Deployment, s Step) error {
	switch s.Kind {
	case Cut, Delay, Drop, Slow:
		return onLinks(d, s.Target, func(w deployment.Way) error { return w.Heal() })
	case Disk:
		return endDisk(d, s.Target)
	case Leader:
		return nil // it stays what it has become
	case Roll, Failover:
		return startAll(d, s.touches)
	}
	if pg := d.Postgres(); pg != nil && s.Target == pg.Name {
		return endPostgres(pg)
	}
	p, err := process(d, s.Target)
	if err != nil {
		return err
	}
	switch s.Kind {
	case Stop:
		return p.Resume()
	case Clock:
		return p.Step(0)
	}
	return p.Start()
}

// endPostgres has it answer again, after a restart or a kill.
func endPostgres(pg *deployment.Postgres) error {
	ctx, cancel := context.WithTimeout(context.Background(), healTimeout)
	defer cancel()
	return pg.Restart(ctx)
}

// startAll starts what does not run of some processes; other names are none.
func startAll(d *deployment.Deployment, names []string) error {
	var errs []error
	for _, name := range names {
		if p := d.Process(name); p != nil {
			errs = append(errs, p.Start())
		}
	}
	return errors.Join(errs...)
}

// onLinks does something to all links of a target, at the same time.
func onLinks(d *deployment.Deployment, name string, do func(deployment.Way) error) error {
	all := ways(d, name)
	if len(all) == 0 {
		return fmt.Errorf("the deployment has no link %s", name)
	}
	errs := make([]error, len(all))
	var done sync.WaitGroup
	for i, w := range all {
		done.Go(func() { errs[i] = do(w) })
	}
	done.Wait()
	return errors.Join(errs...)
}

// endDisk makes room and restarts a nats-server: what it could not write once it refuses from then on, and in a cluster it
// may have switched JetStream off.
func endDisk(d *deployment.Deployment, name string) error {
	disk, err := disk(d, name)
	if err == nil {
		err = disk.Free()
	}
	if err != nil {
		return err
	}
	for _, user := range disk.Users {
		if p := d.Process(user); p.Role == deployment.Server {
			p.Stop()
			if err := p.Start(); err != nil {
				return err
			}
		}
	}
	return nil
}

// healAll makes sure that nothing is left of any fault.
func healAll(d *deployment.Deployment) error {
	var errs []error
	disks, _ := d.Disks() // without disks, none is full
	for _, disk := range disks {
		errs = append(errs, disk.Free())
	}
	for _, w := range d.Ways() {
		errs = append(errs, w.Heal())
	}
	if pg := d.Postgres(); pg != nil {
		ctx, cancel := context.WithTimeout(context.Background(), healTimeout)
		defer cancel()
		errs = append(errs, pg.Start(ctx))
	}
	for _, p := range d.Processes() {
		errs = append(errs, p.Step(0), p.Resume(), p.Start())
	}
	return errors.Join(errs...)
}

// process, ways and disk find what Aim has named.
func process(d *deployment.Deployment, name string) (*deployment.Process, error) {
	if p := d.Process(name); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("the deployment has no process %s", name)
}

func ways(d *deployment.Deployment, name string) []deployment.Way {
	return slices.DeleteFunc(d.Ways(), func(w deployment.Way) bool {
		return w.Name() != name && (w.From+toAll != name || !strings.HasPrefix(w.To, "nats-"))
	})
}

func disk(d *deployment.Deployment, name string) (*deployment.Disk, error) {
	disks, err := d.Disks()
	for _, disk := range disks {
		if disk.Name == name {
			return disk, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("the deployment has no %s", name), err)
}
