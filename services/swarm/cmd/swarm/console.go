package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
)

// lines are said by several goroutines, each whole.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

func (l *lines) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.to, format+"\n", args...) // nobody may be there to read it
}

// console is how a cluster is played with.
type console struct {
	d   *deployment.Deployment
	out *lines
}

func (c console) welcome(entry, dir string) {
	c.out.say("\nTidemark is at http://%s: %s", entry, c.d)
	c.out.say("%s\n%s", c.status(), strings.Join([]string{
		"",
		"logs and stores     " + dir,
		"the log itself      " + c.d.NATS(),
		"a health check      curl http://127.0.0.1:3000/readyz (also :3001, persisters :3011 and :3012)",
		"kill one            kill -9 PID, or here: kill gateway-1 (start gateway-1 starts it again; status, stop NAME)",
		"all of it           Ctrl-C stops it in order. Nothing is supervised: what ends stays away until you start it.",
	}, "\n"))
}

// status is a table of the processes.
func (c console) status() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\nprocess\tpid\tat\tlog")
	for _, p := range c.d.Processes() {
		pid := "away"
		if n := p.PID(); n != 0 {
			pid = fmt.Sprint(n)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", p.Name, pid, p.Address(), filepath.Base(p.Log()))
	}
	if pg := c.d.Postgres(); pg != nil {
		fmt.Fprintf(table, "%s\t\t%s\t%s\n", pg.Name, pg.Address(), filepath.Join(pg.Name, "log"))
	}
	_ = table.Flush() // into memory
	return strings.TrimRight(text.String(), "\n")
}

// read carries out commands, a line each, until there are no more.
func (c console) read(ctx context.Context, from io.Reader) {
	for input := bufio.NewScanner(from); input.Scan() && ctx.Err() == nil; {
		if words := strings.Fields(input.Text()); len(words) > 0 {
			c.out.say("%s", c.do(ctx, words))
		}
	}
}

// do carries out a command and returns what to say.
func (c console) do(ctx context.Context, words []string) string {
	if len(words) == 1 && words[0] == "status" {
		return c.status()
	}
	if len(words) != 2 {
		return "commands are: status, kill NAME, stop NAME, start NAME"
	}
	if pg := c.d.Postgres(); pg != nil && words[1] == pg.Name {
		return c.doPostgres(ctx, pg, words[0])
	}
	p := c.d.Process(words[1])
	if p == nil {
		return fmt.Sprintf("there is no %s; status shows what there is", words[1])
	}
	switch words[0] {
	case "kill":
		p.Kill()
	case "stop":
		p.Stop()
	case "start":
		if err := p.Start(); err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%s is process %d", p.Name, p.PID())
	default:
		return fmt.Sprintf("there is no command %s", words[0])
	}
	return fmt.Sprintf("%s is away. To start it again: start %s", p.Name, p.Name)
}

func (c console) doPostgres(ctx context.Context, pg *deployment.Postgres, command string) string {
	switch command {
	case "kill":
		pg.Kill()
		return pg.Name + " is away. To start it again: start " + pg.Name
	case "start":
		if err := pg.Start(ctx); err != nil {
			return err.Error()
		}
		return pg.Name + " answers"
	}
	return pg.Name + " can be killed and started"
}
