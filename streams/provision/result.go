package provision

import "log/slog"

// Outcome is what was found, or done.
type Outcome string

const (
	Failed  Outcome = "failed"  // it could not be asked for, made or changed
	Made    Outcome = "made"    // there was none
	Changed Outcome = "changed" // as Changes says
	Fits    Outcome = "as it should be"
	Differs Outcome = "differs"            // as Left says
	Missing Outcome = "missing"            // and was not made
	Unsafe  Outcome = "not safe to run on" // as Unsafe says
)

// Result is what became of one stream, bucket or consumer.
type Result struct {
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Outcome Outcome  `json:"outcome"`
	Changes []string `json:"changes,omitempty"` // made
	Left    []string `json:"left,omitempty"`    // differences that remain
	Unsafe  []string `json:"unsafe,omitempty"`  // differences with which something could be lost
}

// Right reports whether nothing is missing and nothing differs any more.
func (r Result) Right() bool {
	return r.Outcome == Made || r.Outcome == Fits || r.Outcome == Changed && len(r.Left) == 0
}

// Log tells a service's operator what is worth knowing.
func (r Result) Log(log *slog.Logger) {
	log = log.With(r.Kind, r.Name)
	if r.Outcome == Made {
		log.Info("made in nats-server")
	}
	if len(r.Changes) > 0 {
		log.Warn("settings in nats-server changed", "changes", r.Changes)
	}
	if len(r.Left) > 0 {
		log.Warn("settings in nats-server differ from this service's, and are left as they are", "differences", r.Left)
	}
}
