package faults

import (
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
)

// How far clocks may jump.
const (
	serviceReach = 26 * time.Hour
	serverReach  = 30 * time.Minute
)

// Absence is a kind that cannot happen to a deployment, and why.
type Absence struct {
	Kind Kind
	Why  error
}

// String is the absence for people.
func (a Absence) String() string { return fmt.Sprintf("%s cannot happen here: %v", a.Kind, a.Why) }

// Aim finds what can happen to a deployment, and which kinds cannot.
func Aim(d *deployment.Deployment) (Targets, []Absence) {
	targets := make(Targets)
	var absent []Absence
	for _, p := range d.Processes() {
		t := Target{Name: p.Name, Processes: []string{p.Name}, Quorum: d.Cluster() && p.Role == deployment.Server}
		for _, k := range []Kind{Kill, Stop, Restart} {
			targets[k] = append(targets[k], t)
		}
		t.Quorum, t.Reach = false, serviceReach
		if p.Role == deployment.Server {
			t.Reach = serverReach
		}
		targets[Clock] = append(targets[Clock], t)
	}
	if err := d.Clocks(); err != nil {
		delete(targets, Clock)
		absent = append(absent, Absence{Clock, err})
	}
	for _, w := range d.Ways() {
		p := d.Process(w.From)
		between := p != nil && p.Role == deployment.Server
		for _, k := range []Kind{Cut, Delay, Drop, Slow} {
			targets[k] = append(targets[k], Target{Name: w.Name(), Quorum: between && (k == Cut || k == Drop)})
		}
	}
	disks, err := d.Disks()
	if err != nil {
		absent = append(absent, Absence{Disk, err})
	}
	for _, disk := range disks {
		server := d.Process(disk.Users[0]).Role == deployment.Server
		targets[Disk] = append(targets[Disk], Target{Name: disk.Name, Processes: disk.Users, Quorum: d.Cluster() && server})
	}
	if d.Cluster() {
		for _, name := range leaderships {
			targets[Leader] = append(targets[Leader], Target{Name: name, Quorum: true})
		}
	} else {
		absent = append(absent, Absence{Leader, errors.New("a single nats-server leads itself")})
	}
	return targets, absent
}
