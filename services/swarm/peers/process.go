package peers

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// process is one of a server's processes. It runs until it is killed.
type process struct {
	name string
	cmd  *exec.Cmd
	said *lastWords
	gone chan struct{} // closed when it has ended, by itself or by kill
}

// start runs a command with further settings in its environment. Settings of Tidemark that are in ours are not passed
// on: all that is measured has the settings that are written here.
func start(name string, settings []string, command string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(command, args...), said: &lastWords{}, gone: make(chan struct{})}
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "TIDEMARK_") {
			p.cmd.Env = append(p.cmd.Env, setting)
		}
	}
	p.cmd.Env = append(p.cmd.Env, settings...)
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is told by what it said
		close(p.gone)
	}()
	return p, nil
}

// kill ends the process and waits until it has ended. Nothing of it is needed any more, so it is not asked.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
}

// ended is the error of a process that has ended by itself, or nil.
func (p *process) ended() error {
	select {
	case <-p.gone:
		return fmt.Errorf("%s has ended: %s; it said: %s", p.name, p.cmd.ProcessState, p.said)
	default:
		return nil
	}
}

const maxWords = 4 << 10

// lastWords keeps the end of what a process says.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if over := len(l.text) - maxWords; over > 0 {
		l.text = append(l.text[:0], l.text[over:]...)
	}
	return len(p), nil
}

func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(string(l.text))
}
