package standalone_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/session"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	stormUsers   = 2000 // registered
	stormClients = 1000 // of them, who come at once
	partners     = 5    // of each user, if there are direct messages
	exchanged    = 20   // with each
)

// BenchmarkStorm has 1,000 of 2,000 users come at once with their sessions to a
// gateway, which is alone in this process: the log, the read model and the
// clients are others.
//
// cold: none of them was there. failover: all were on another gateway, which has
// just been killed, so that they are still shown as online.
func BenchmarkStorm(b *testing.B) {
	for _, messages := range []int{0, exchanged} {
		b.Run(fmt.Sprintf("direct=%dx%d", partners, messages), func(b *testing.B) {
			s := newStorm(b, messages)
			b.Run("cold", func(b *testing.B) { s.run(b, false) })
			b.Run("failover", func(b *testing.B) { s.run(b, true) })
		})
	}
}

// storm is a deployment, of whose gateways only the second is used, with users
// and their sessions.
type storm struct {
	*deployment
	sessions string // file of the crowd's
	viewer   string // session of one more, who looks
}

// run lets the crowd come once for each iteration.
func (s *storm) run(b *testing.B, failover bool) {
	g := gatewaytest.Start(b, gatewaytest.Config(s.logURL))
	s.awaitShown(b, g.Address, 0) // who registered just now is expected for a while
	first := s.gateways[1]
	first.t = b
	var all []measured
	var cost costs
	for b.Loop() {
		b.StopTimer()
		if failover {
			first.start()
		}
		crowd, lines := s.crowd(b, failover, g.Address)
		if failover {
			lines("there")
			s.awaitShown(b, g.Address, stormClients)
		}
		watched := s.watch()
		b.StartTimer()
		if failover {
			first.kill()
		} else {
			crowd.spawn()
		}
		var results []measured
		if err := json.Unmarshal([]byte(lines("[")), &results); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		all = append(all, results...)
		watched.peak()
		crowd.kill()
		s.awaitShown(b, g.Address, 0)
		cost = watched.end() // the last storm's are reported
		b.StartTimer()
	}
	report(b, all)
	cost.report(b)
}

// newStorm has each user exchange so many messages with each partner.
func newStorm(b *testing.B, messages int) *storm {
	b.Helper()
	s := &storm{deployment: prepare(b), sessions: filepath.Join(b.TempDir(), "sessions")}
	s.startLog()
	nc, js, err := eventlog.Connect(s.logURL, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	config := logtest.Config()
	config.MaxBytes = 1 << 30
	if err := eventlog.Provision(b.Context(), js, config, slog.New(slog.DiscardHandler)); err != nil {
		b.Fatal(err)
	}
	users, ids := register(b, js)
	last := converse(b, js, users, messages)
	s.viewer = ids[stormClients]
	if err := os.WriteFile(s.sessions, []byte(strings.Join(ids[:stormClients], "\n")), 0o600); err != nil {
		b.Fatal(err)
	}
	s.persister.start()
	waitProjected(b, s.persister.address, last)
	return s
}

// register makes the users, and sessions of the crowd's and of one more.
func register(b *testing.B, js jetstream.JetStream) (users []session.User, ids []string) {
	b.Helper()
	store := session.Open(js, session.Config{})
	if err := store.Provision(b.Context()); err != nil {
		b.Fatal(err)
	}
	logtest.Fill(b, js, stormUsers, func(i int) event.Event {
		id, err := session.NewID()
		if err != nil {
			b.Fatal(err)
		}
		user := session.User{ID: id, Name: "user number " + strconv.Itoa(i)}
		users = append(users, user)
		e, err := event.NewRegistered(user.ID, user.Name)
		if err != nil {
			b.Fatal(err)
		}
		return e
	})
	for i := range stormClients + 1 {
		id, err := session.NewID()
		if err == nil {
			err = store.Create(b.Context(), id, users[i])
		}
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, id)
	}
	return users, ids
}

// converse lets each user exchange messages with those before and after it and
// the one opposite.
func converse(b *testing.B, js jetstream.JetStream, users []session.User, messages int) (last uint64) {
	b.Helper()
	if messages == 0 {
		return stormUsers
	}
	n := len(users)
	var pairs [][2]session.User
	for i := range users {
		pairs = append(pairs, [2]session.User{users[i], users[(i+1)%n]}, [2]session.User{users[i], users[(i+2)%n]})
		if i < n/2 {
			pairs = append(pairs, [2]session.User{users[i], users[i+n/2]})
		}
	}
	if len(pairs) != n*partners/2 {
		b.Fatalf("%d pairs", len(pairs))
	}
	return logtest.Fill(b, js, len(pairs)*messages, func(i int) event.Event {
		pair := pairs[i%len(pairs)]
		from, to := pair[i/len(pairs)%2], pair[1-i/len(pairs)%2]
		e := logtest.Message(b, "", "good morning, how is everybody today?")
		e.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName(from.ID, to.ID)}
		e.Sender, e.SenderName, e.Recipient = from.ID, from.Name, to.ID
		e.Seal()
		return e
	})
}

// crowd makes a crowd and, if it is to be on the other gateway first, starts it.
// lines waits for the next line it says, which must begin in a way.
func (s *storm) crowd(b *testing.B, failover bool, then string) (crowd *process, lines func(begins string) string) {
	b.Helper()
	settings := []string{crowdSessions + "=" + s.sessions, crowdThen + "=" + then}
	if failover {
		settings = append(settings, crowdFirst+"="+s.gateways[1].address)
	}
	crowd = newProcess(b, "crowd", "", settings...)
	out, in := io.Pipe()
	crowd.stdout = in
	said := bufio.NewReader(out)
	b.Cleanup(func() { out.Close() })
	if failover {
		crowd.spawn()
	}
	return crowd, func(begins string) string {
		b.Helper()
		line, err := said.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, begins) {
			b.Fatalf("the crowd says %.200q, %v", line, err)
		}
		return line
	}
}

// awaitShown waits until a gateway shows so many users as online, beside the one
// who looks.
func (s *storm) awaitShown(b *testing.B, address string, want int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), gatewaytest.Timeout)
	defer cancel()
	c, err := gatewaytest.Dial(ctx, address, map[string]any{"sessionID": s.viewer})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	online := 0
	_, err = c.Until(ctx, func(e gatewaytest.Event) bool {
		switch e.Name {
		case "users":
			var list []gatewaytest.Listed
			_ = json.Unmarshal(e.Args[0], &list) // then nobody is counted
			for _, u := range list {
				if u.Connected {
					online++
				}
			}
		case "user connected":
			online++
		case "user disconnected":
			online--
		}
		return online == want+1
	})
	if err != nil {
		b.Fatalf("%d users are shown as online, want %d: %v", online, want+1, err)
	}
}

// report tells how long the clients waited.
func report(b *testing.B, all []measured) {
	b.Helper()
	percentiles := func(name string, of func(measured) float64) {
		values := make([]float64, len(all))
		for i, m := range all {
			values[i] = of(m)
		}
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], name+"-p50-ms")
		b.ReportMetric(values[len(values)*99/100], name+"-p99-ms")
	}
	percentiles("session", func(m measured) float64 { return m.Session })
	percentiles("users", func(m measured) float64 { return m.Users })
	percentiles("recovery", func(m measured) float64 { return m.Recovery })
	total, people, bytes := 0.0, 0, 0
	for storm := range slices.Chunk(all, stormClients) {
		first, last := storm[0].Dialled, storm[0].Dialled
		for _, m := range storm {
			if m.Dialled.Before(first) {
				first = m.Dialled
			}
			if end := m.Dialled.Add(time.Duration(m.Recovery * float64(time.Millisecond))); end.After(last) {
				last = end
			}
			people += m.PeopleComeGone
			bytes += m.UsersBytes
		}
		total += float64(last.Sub(first).Milliseconds())
	}
	b.ReportMetric(total/float64(len(all)/stormClients), "total-ms")
	b.ReportMetric(float64(bytes)/float64(len(all))/1000, "users-KB")
	b.ReportMetric(float64(people)/float64(len(all)), "comings/client")
}

// costs are a gateway's in a storm, in MB.
type costs struct {
	heapBefore, heapPeak, heapAfter          float64
	processBefore, processPeak, processAfter float64
	goroutinesBefore, goroutinesAfter        int
	gatewayCPU, persisterCPU, logCPU         time.Duration
}

func (c *costs) report(b *testing.B) {
	b.ReportMetric(c.heapBefore, "heap-before-MB")
	b.ReportMetric(c.heapPeak, "heap-peak-MB")
	b.ReportMetric(c.heapAfter, "heap-after-MB")
	b.ReportMetric(c.processBefore, "rss-before-MB")
	b.ReportMetric(c.processPeak, "rss-peak-MB")
	b.ReportMetric(c.processAfter, "rss-after-MB")
	b.ReportMetric(float64(c.goroutinesBefore), "goroutines-before")
	b.ReportMetric(float64(c.gatewayCPU.Milliseconds()), "gateway-cpu-ms")
	b.ReportMetric(float64(c.persisterCPU.Milliseconds()), "persister-cpu-ms")
	b.ReportMetric(float64(c.logCPU.Milliseconds()), "log-cpu-ms")
	b.ReportMetric(float64(c.goroutinesAfter), "goroutines-after")
}

// watched samples what this process uses.
type watched struct {
	costs
	s    *storm
	stop chan struct{}
	all  sync.WaitGroup
}

func (s *storm) watch() *watched {
	w := &watched{s: s, stop: make(chan struct{})}
	w.goroutinesBefore = runtime.NumGoroutine()
	w.heapBefore, w.processBefore = settled()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak begins anew
	w.count(-1)
	w.all.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.heapPeak = max(w.heapPeak, heap())
			case <-w.stop:
				return
			}
		}
	})
	return w
}

// count adds, or with -1 takes away, the time on CPUs so far.
func (w *watched) count(sign time.Duration) {
	w.gatewayCPU += sign * cpu("self")
	w.persisterCPU += sign * cpu(strconv.Itoa(w.s.persister.cmd.Process.Pid))
	w.logCPU += sign * cpu(strconv.Itoa(w.s.log.cmd.Process.Pid))
}

// peak ends the sampling.
func (w *watched) peak() {
	w.count(+1)
	close(w.stop)
	w.all.Wait()
	w.processPeak = memory("VmHWM:")
}

// end says what is left when everybody has gone.
func (w *watched) end() costs {
	for deadline := time.Now().Add(gatewaytest.Timeout); runtime.NumGoroutine() > w.goroutinesBefore && time.Now().Before(deadline); {
		<-time.After(10 * time.Millisecond)
	}
	w.goroutinesAfter = runtime.NumGoroutine()
	w.heapAfter, w.processAfter = settled()
	return w.costs
}

func settled() (heapMB, processMB float64) {
	debug.FreeOSMemory()
	return heap(), memory("VmRSS:")
}

func heap() float64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64()) / 1e6
}

// cpu is how long a process has been on CPUs, to 10 ms; 0 where that is not told.
func cpu(pid string) time.Duration {
	stat, _ := os.ReadFile("/proc/" + pid + "/stat")
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is a line of /proc/self/status in MB, 0 where there is none.
func memory(line string) float64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), line)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kB, _ := strconv.ParseFloat(fields[0], 64)
	return kB * 1024 / 1e6
}
