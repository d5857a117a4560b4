package faults

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
)

// How far clocks may jump.
const (
	serviceReach = 26 * time.Hour
	serverReach  = 30 * time.Minute
)

// linkKinds are those that happen to links.
var linkKinds = []Kind{Cut, Delay, Drop, Slow}

// toAll ends the name of the target that is all links of a process to nats-servers: "gateway-1-nats". With a single server
// it is the name of the one link.
const toAll = "-nats"

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
		t := Target{Name: p.Name, Touches: []string{p.Name}, Quorum: d.Cluster() && p.Role == deployment.Server}
		for _, k := range []Kind{Kill, Stop, Restart} {
			targets[k] = append(targets[k], t)
		}
		t.Quorum, t.Reach = false, serviceReach
		if p.Role == deployment.Server {
			t.Reach = serverReach
		}
		targets[Clock] = append(targets[Clock], t)
	}
	if pg := d.Postgres(); pg != nil {
		for _, k := range []Kind{Kill, Restart} {
			targets[k] = append(targets[k], Target{Name: pg.Name, Touches: []string{pg.Name}})
		}
	}
	if err := d.Clocks(); err != nil {
		delete(targets, Clock)
		absent = append(absent, Absence{Clock, err})
	}
	for _, w := range d.Ways() {
		between := strings.HasPrefix(w.From, "nats-")
		for _, k := range linkKinds {
			targets[k] = append(targets[k], Target{Name: w.Name(), Touches: []string{w.Name()}, Quorum: between && (k == Cut || k == Drop)})
		}
	}
	if d.Cluster() { // a service is also kept from all servers at once
		for _, p := range d.Processes() {
			if p.Role == deployment.Server {
				continue
			}
			t := Target{Name: p.Name + toAll}
			for _, w := range ways(d, t.Name) {
				t.Touches = append(t.Touches, w.Name())
			}
			for _, k := range linkKinds {
				targets[k] = append(targets[k], t)
			}
		}
	}
	disks, err := d.Disks()
	if err != nil {
		absent = append(absent, Absence{Disk, err})
	}
	for _, disk := range disks {
		server := d.Process(disk.Users[0]).Role == deployment.Server
		targets[Disk] = append(targets[Disk], Target{Name: disk.Name, Touches: disk.Users, Quorum: d.Cluster() && server})
	}
	if d.Cluster() {
		for _, name := range leaderships {
			targets[Leader] = append(targets[Leader], Target{Name: name, Quorum: true})
		}
	} else {
		absent = append(absent, Absence{Leader, errors.New("a single nats-server leads itself")})
	}
	targets[Roll] = aimRolls(d)
	targets[Failover] = []Target{aimFailover(d)}
	return targets, absent
}

// rollTimes are how long the processes of a role take to be restarted and ready, each.
var rollTimes = map[deployment.Role]time.Duration{
	deployment.Gateway: 2 * time.Second, deployment.Persister: 1500 * time.Millisecond, deployment.Server: 4 * time.Second,
}

// aimRolls are the roles of which there are several processes.
func aimRolls(d *deployment.Deployment) (rolls []Target) {
	for _, group := range slices.Sorted(maps.Keys(rolled)) {
		t := Target{Name: group, Quorum: group == allServers}
		for _, p := range d.Processes() {
			if p.Role == rolled[group] {
				t.Touches = append(t.Touches, p.Name)
				t.Length += rollTimes[p.Role]
			}
		}
		if len(t.Touches) > 1 {
			rolls = append(rolls, t)
		}
	}
	return rolls
}

// aimFailover touches all that the persisters need, because what else is broken meanwhile must not count as theirs.
func aimFailover(d *deployment.Deployment) Target {
	t := Target{Name: allPersisters, Quorum: d.Cluster(), Length: 6 * time.Second}
	if pg := d.Postgres(); pg != nil {
		t.Touches = append(t.Touches, pg.Name)
	}
	for _, p := range d.Processes() {
		if p.Role == deployment.Persister {
			t.Touches = append(t.Touches, p.Name)
			for _, w := range d.Ways() {
				if w.From == p.Name {
					t.Touches = append(t.Touches, w.Name())
				}
			}
		} else if p.Role == deployment.Server && !d.Cluster() {
			t.Touches = append(t.Touches, p.Name)
		}
	}
	return t
}
