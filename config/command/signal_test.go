//go:build unix

package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/tidemark-chat/tidemark/config"
)

// childMode makes this test binary a service: "polite" stops when it is told to, "deaf" does not, "reloading" is polite
// and says what settings it is given.
const childMode = "COMMAND_TEST_CHILD"

func TestMain(m *testing.M) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, config.EnvPrefix) {
			_ = os.Unsetenv(name) // the developer's own settings
		}
	}
	mode := os.Getenv(childMode)
	if mode == "" {
		os.Exit(m.Run())
	}
	os.Exit(Main(Service{Name: "child", Sections: []string{"gateway"}, Run: func(ctx context.Context, cfg config.Config, _ *slog.Logger) error {
		fmt.Println("running")
		if mode == "reloading" {
			go tell(cfg.Reloads())
		}
		<-ctx.Done()
		fmt.Println("stopping")
		if mode == "deaf" {
			select {}
		}
		return ctx.Err()
	}}))
}

func TestSignalsOfTheSystem(t *testing.T) {
	for _, test := range []struct {
		mode    string
		signals []os.Signal
		code    int
	}{
		{"polite", []os.Signal{os.Interrupt}, clean},
		{"polite", []os.Signal{syscall.SIGTERM}, clean},
		{"deaf", []os.Signal{os.Interrupt, syscall.SIGTERM}, failure},
	} {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childMode+"="+test.mode)
		stdout, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		for _, s := range test.signals { // one after each line: running, stopping
			if !lines.Scan() {
				t.Fatal("the child ended")
			}
			if err := child.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
		for lines.Scan() {
		}
		err = child.Wait()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if got := child.ProcessState.ExitCode(); got != test.code {
			t.Errorf("%s, %v: exit %d, want %d", test.mode, test.signals, got, test.code)
		}
	}
}
