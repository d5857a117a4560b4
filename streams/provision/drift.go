package provision

import (
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Drift gathers how a stream differs from what it should be.
type Drift struct {
	mode                  Mode
	unsafe, left, changes []string
	next                  jetstream.StreamConfig // with the changes
}

// Unsafe is a difference with which something could be lost.
func (d *Drift) Unsafe(what string, have, want any) { differ(&d.unsafe, what, have, want) }

// Leave is a difference that is reported only.
func (d *Drift) Leave(what string, have, want any) { differ(&d.left, what, have, want) }

// Note is a difference that does no harm to a service: an operator's command
// reports it, and leaves it.
func (d *Drift) Note(what string, have, want any) {
	if d.mode == Reshape {
		d.Leave(what, have, want)
	}
}

// Change is a difference that any service may set right.
func (d *Drift) Change(what string, have, want any, set func(next *jetstream.StreamConfig)) {
	if differ(&d.changes, what, have, want) {
		set(&d.next)
	}
}

// Reshape is a difference that an operator's command sets right, because all
// services have to do with it; to them it is one to leave.
func (d *Drift) Reshape(what string, have, want any, set func(next *jetstream.StreamConfig)) {
	if d.mode == Reshape {
		d.Change(what, have, want, set)
		return
	}
	d.Leave(what, have, want)
}

// Replicas may become more, by an operator's command.
func (d *Drift) Replicas(have, want jetstream.StreamConfig) {
	if have.Replicas > want.Replicas {
		d.Leave("replicas", have.Replicas, want.Replicas)
		return
	}
	d.Reshape("replicas", have.Replicas, want.Replicas, func(next *jetstream.StreamConfig) { next.Replicas = want.Replicas })
}

func differ(list *[]string, what string, have, want any) bool {
	if have == want {
		return false
	}
	*list = append(*list, fmt.Sprintf("%s is %v, want %v", what, have, want))
	return true
}
