package deployment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Role is what a process is.
type Role string

// The roles. They are also what their binaries are called.
const (
	Server    Role = "nats-server"
	Persister Role = "persister"
	Gateway   Role = "gateway"
)

const (
	// patience is how long an orderly stop may take: a gateway's may take 10 s.
	patience = 15 * time.Second
	// respite is how long a process that ended by itself stays away.
	respite = 500 * time.Millisecond
)

// Process is one process of a deployment. Its methods may be called from any goroutine; who kills it and who starts it
// agree among themselves.
type Process struct {
	Name string // "gateway-2"
	Role Role

	path      string
	args, env []string
	address   string // host:port of its HTTP server
	health    string // URL that answers 200 when it is ready
	clock     string // path of the file by which its clock is stepped
	launcher  *launcher
	said      *transcript
	log       *slog.Logger
	ended     func(*Process, error) // nil: it is started again

	attending sync.WaitGroup
	over      chan struct{} // closed when it is not to be started again

	mu   sync.Mutex // guards what follows
	life *life      // nil while it does not run, or is being ended
}

// life is from one start to the end that follows.
type life struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // after ended
}

// Start starts it if it does not run. It does not wait until it is ready.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life != nil || p.isOver() {
		return nil
	}
	l := &life{cmd: exec.Command(p.path, p.args...), ended: make(chan struct{})}
	l.cmd.Env, l.cmd.Stdout, l.cmd.Stderr, l.cmd.WaitDelay = p.env, p.said, p.said, time.Second
	if err := p.launcher.start(l.cmd); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.life = l
	p.attending.Go(func() { p.attend(l) })
	return nil
}

// Kill ends it as a crash would, and returns when it has ended.
func (p *Process) Kill() {
	if l := p.take(); l != nil {
		_ = l.cmd.Process.Kill() // it may have ended just now
		<-l.ended
	}
}

// Stop ends it in an orderly way. That it does not stop in time, or stops with an error, is a complaint.
func (p *Process) Stop() {
	l := p.take()
	if l == nil {
		return
	}
	_ = l.cmd.Process.Signal(syscall.SIGTERM) // it may have ended just now
	_ = l.cmd.Process.Signal(resumeSignal)    // one that stands still takes no signal
	select {
	case <-l.ended:
		if l.err != nil {
			p.said.complain("an orderly stop: %v", l.err)
		}
	case <-time.After(patience):
		p.said.complain("did not stop within %v", patience)
		_ = l.cmd.Process.Kill()
		<-l.ended
	}
}

// Pause makes it stand still; its connections stay. Resume lets it go on.
func (p *Process) Pause() error { return p.signal(pauseSignal) }

// Resume lets it go on, if it stands still.
func (p *Process) Resume() error { return p.signal(resumeSignal) }

func (p *Process) signal(s os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life == nil {
		return nil
	}
	if err := p.life.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%v to %s: %w", s, p.Name, err)
	}
	return nil
}

// Address is where its HTTP server listens: host:port.
func (p *Process) Address() string { return p.address }

// Log is the file in which its output is.
func (p *Process) Log() string { return p.said.file.Name() }

// PID is its process id now, 0 if it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life == nil {
		return 0
	}
	return p.life.cmd.Process.Pid
}

// Step sets how far its wall clock is from the machine's, if its binary was built with tools/clockstep.
func (p *Process) Step(offset time.Duration) error {
	next := p.clock + ".next" // renamed, so that no half of it is read
	err := os.WriteFile(next, []byte(strconv.FormatInt(int64(offset), 10)), 0o600)
	if err == nil {
		err = os.Rename(next, p.clock)
	}
	if err != nil {
		return fmt.Errorf("step the clock of %s: %w", p.Name, err)
	}
	return nil
}

// Offset is how far its wall clock seems to be from the machine's, as the date tells that it gives with an answer: to
// about a second.
func (p *Process) Offset(ctx context.Context) (time.Duration, error) {
	response, err := ask(ctx, p.health)
	if err != nil {
		return 0, err
	}
	date, err := http.ParseTime(response.date)
	if err != nil {
		return 0, fmt.Errorf("date of %s: %w", p.Name, err)
	}
	return time.Until(date.Add(500 * time.Millisecond)), nil
}

// Ready says why it is not ready, or nil.
func (p *Process) Ready(ctx context.Context) error {
	if p.PID() == 0 {
		return errors.New("does not run")
	}
	response, err := ask(ctx, p.health)
	if err == nil && response.status != http.StatusOK {
		err = errors.New(response.text)
	}
	return err
}

// take makes whoever calls it the one who ends the process.
func (p *Process) take() *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.life
	p.life = nil
	return l
}

// attend waits for the end, and starts the process again if nobody has asked for that end.
func (p *Process) attend(l *life) {
	l.err = l.cmd.Wait()
	p.mu.Lock()
	alone := p.life == l
	if alone {
		p.life = nil
	}
	p.mu.Unlock()
	close(l.ended)
	if !alone {
		return
	}
	p.said.complain("ended by itself: %v", l.err)
	if p.ended != nil {
		p.ended(p, l.err)
		return
	}
	p.log.Warn("a process ended by itself and is started again", "process", p.Name, "error", l.err)
	select {
	case <-time.After(respite):
	case <-p.over:
		return
	}
	if err := p.Start(); err != nil {
		p.said.complain("%v", err)
	}
}

func (p *Process) isOver() bool {
	select {
	case <-p.over:
		return true
	default:
		return false
	}
}

// close ends it for good.
func (p *Process) close() {
	close(p.over)
	p.Stop()
	p.attending.Wait()
	_ = p.said.file.Close() // what was written is what there is
}

// answer is that of a process about itself.
type answer struct {
	status     int
	date, text string
}

var asking = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}

func ask(ctx context.Context, url string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, err
	}
	response, err := asking.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxLine))
	return answer{response.StatusCode, response.Header.Get("Date"), strings.TrimSpace(string(text))}, err
}
