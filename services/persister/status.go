package persister

import (
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/persister/signing"
	"github.com/tidemark-chat/tidemark/streams/lag"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// role is what a persister is doing.
type role string

const (
	starting   role = "starting"   // has not reached the log yet
	waiting    role = "waiting"    // ready, and nobody is pinned: nothing to do
	active     role = "active"     // pinned: projects
	standby    role = "standby"    // another one is pinned
	recovering role = "recovering" // something went wrong; trying again
	stopping   role = "stopping"
)

// status is what a persister says about itself. Safe for concurrent use.
type status struct {
	mu         sync.Mutex
	role       role
	mine       bool  // it is the one that projects, or was when it was told to stop
	problem    error // of the role starting or recovering
	head       uint64
	checkpoint readmodel.Position
	known      bool // head and checkpoint have been read
	lag        lag.Lag
	link       *link
	pace       pace
}

// report is a status at one moment.
type report struct {
	Ready      bool   `json:"ready"`
	Role       role   `json:"role"`
	Checkpoint uint64 `json:"checkpoint"`
	Lag        uint64 `json:"lag"`
	Problem    string `json:"problem,omitempty"`
}

// connected gives the link whose state decides about readiness too.
func (s *status) connected(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link = l
}

func (s *status) set(r role, problem error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.role, s.problem = r, problem
	if r != stopping {
		s.mine = r == active || r == waiting
	}
	s.weigh(false)
}

// sawHead notes the log's last offset, which can only have grown since.
func (s *status) sawHead(head uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head, s.known = max(s.head, head), true
	s.lag.Saw(s.checkpoint.Offset, s.head, time.Now())
	s.pace.heard = time.Now()
	s.weigh(false)
}

func (s *status) sawCheckpoint(p readmodel.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	moved := s.checkpoint.Offset != p.Offset
	s.checkpoint = p
	s.weigh(moved)
}

// projected is what the notary goes by.
func (s *status) projected() signing.Projected {
	s.mu.Lock()
	defer s.mu.Unlock()
	return signing.Projected{Offset: s.checkpoint.Offset, Epoch: s.checkpoint.Epoch, Mine: s.mine}
}

// behind is for how long the projection has not had all that the log held.
func (s *status) behind() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lag.Behind(s.checkpoint.Offset, time.Now())
}

func (s *status) report() report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := report{Role: s.role, Checkpoint: s.checkpoint.Offset}
	if s.role == "" {
		r.Role = starting
	}
	if s.head > s.checkpoint.Offset {
		r.Lag = s.head - s.checkpoint.Offset
	}
	up, still := s.link.up(), s.still()
	switch {
	case s.problem != nil:
		r.Problem = s.problem.Error()
	case s.known && !up:
		r.Problem = "disconnected from the log"
	case still != nil:
		r.Problem = still.Error()
	}
	r.Ready = s.known && up && still == nil && (s.role == waiting || s.role == active || s.role == standby)
	return r
}
