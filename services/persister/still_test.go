package persister

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

// after lets time pass, in which the log is looked at every second.
func (s *status) after(d time.Duration) {
	for range d / time.Second {
		<-time.After(time.Second)
		s.sawHead(0)
	}
}

func (s *status) stands(t *testing.T, want string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.still()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("as %s: %v, want %q", s.role, err, want)
	}
}

func at(offset uint64) readmodel.Position { return readmodel.Position{Offset: offset} }

func TestWhoShouldProjectAndDoesNotStandsStill(t *testing.T) {
	for name, test := range map[string]struct {
		role role
		want string
	}{
		"active": {active, "stood at 3"}, "nobody is": {waiting, "no persister has been given events"}, "standby": {standby, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &status{}
				s.sawCheckpoint(at(3))
				s.sawHead(3)
				s.set(test.role, nil)
				s.after(time.Hour) // and nothing to do
				s.stands(t, "")
				s.sawHead(4)
				s.after(stillAfter)
				s.stands(t, "")
				s.after(time.Second)
				s.stands(t, test.want)
				s.sawCheckpoint(at(4))
				s.stands(t, "")
			})
		})
	}
}

func TestWhoGetsOnDoesNotStandStillHoweverFarBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &status{}
		s.set(active, nil)
		s.sawHead(1000)
		for offset := range uint64(10) {
			s.after(stillAfter)
			s.stands(t, "")
			s.sawCheckpoint(at(offset + 1))
		}
		s.after(stillAfter + time.Second)
		s.stands(t, "stood at 10")
	})
}

func TestToStartAgainAndAgainIsNotToGetOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &status{}
		s.sawHead(10)
		for range 4 {
			s.set(active, nil)
			s.after(stillAfter / 5)
			s.set(recovering, nil)
			s.after(stillAfter / 5)
			s.set(waiting, nil)
		}
		s.set(active, nil)
		s.stands(t, "stood at 0")
		s.set(standby, nil)
		s.stands(t, "")
		s.set(active, nil) // another one was at it meanwhile
		s.stands(t, "")
	})
}

func TestWhoHearsNothingOfTheLogStandsStillStandbyOrNot(t *testing.T) {
	for _, r := range []role{active, waiting, standby} {
		synctest.Test(t, func(t *testing.T) {
			s := &status{}
			s.stands(t, "")
			s.set(r, nil)
			s.sawHead(0)
			<-time.After(stillAfter)
			s.stands(t, "")
			<-time.After(time.Second)
			s.stands(t, "nothing has been heard of the log for 31s")
		})
	}
}

// A consumer that delivers nothing to anybody, in a process that is well otherwise.
func TestAStatusThatStandsStillIsNotReadyAndSaysWhy(t *testing.T) {
	p := &Persister{status: &status{}}
	s := p.status
	server := logtest.Start(t)
	s.connected(&link{nc: server.Connect().Conn(), queries: server.Connect().Conn()})
	s.set(waiting, nil)
	s.sawHead(5)
	if r := s.report(); !r.Ready || r.Problem != "" {
		t.Errorf("at first: %+v", r)
	}
	s.mu.Lock()
	s.pace.since = time.Now().Add(-stillAfter - time.Second)
	s.mu.Unlock()
	if r := s.report(); r.Ready || !strings.Contains(r.Problem, "look at the consumer persister") || r.Lag != 5 {
		t.Errorf("then: %+v", r)
	}
}
