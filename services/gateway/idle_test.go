package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// idleMost is what a guest may cost who is connected and silent, of memory in use.
// A process that has collected its garbage holds up to twice as much.
const idleMost = 24 << 10

func TestAnIdleConnectionIsSmall(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config(logtest.Start(t).URL()))
	if c := costOfIdle(t, g.Address, 500); c.heap+c.stacks > idleMost || c.goroutines > 2.2 {
		t.Errorf("%.0f bytes of heap, %.0f of stacks, %.1f goroutines", c.heap, c.stacks, c.goroutines)
	}
}

// BenchmarkIdleConnection is what each of 2,000 such guests costs.
func BenchmarkIdleConnection(b *testing.B) {
	g := gatewaytest.Start(b, gatewaytest.Config(logtest.Start(b).URL()))
	for b.Loop() {
		c := costOfIdle(b, g.Address, 2000)
		b.ReportMetric(c.heap, "heap-B/conn")
		b.ReportMetric(c.stacks, "stack-B/conn")
		b.ReportMetric(c.goroutines, "goroutines/conn")
	}
}

// cost is what is in use, after all that can be collected was.
type cost struct{ heap, stacks, goroutines float64 }

func measure() cost {
	runtime.GC()
	runtime.GC()
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return cost{float64(s[0].Value.Uint64()), float64(s[1].Value.Uint64()), float64(runtime.NumGoroutine())}
}

// costOfIdle has guests connect, measures what each costs and lets them leave.
func costOfIdle(t testing.TB, address string, n int) cost {
	t.Helper()
	alone := uint64(runtime.NumGoroutine())
	crowd(t, address, n/10)() // what the first ones cost is not all theirs
	settle(alone, func() uint64 { return uint64(runtime.NumGoroutine()) })
	before := measure()
	leave := crowd(t, address, n)
	defer leave()
	after, each := measure(), float64(n)
	return cost{(after.heap - before.heap) / each, (after.stacks - before.stacks) / each, (after.goroutines - before.goroutines) / each}
}

// crowdOrder tells a process that it is a crowd: where to go, and how many.
const crowdOrder = "TIDEMARK_TEST_CROWD"

// crowd has guests connect, from another process so that only the gateway's side
// of them is here, and waits until they have recovered.
func crowd(t testing.TB, address string, n int) (leave func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", crowdOrder, address, n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	leave = sync.OnceFunc(func() {
		in.Close()
		_ = cmd.Wait()
	})
	t.Cleanup(leave)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "here\n" {
		t.Fatalf("the crowd says %q, %v", line, err)
	}
	return leave
}

// beCrowd is the other process. It lives until the first one leaves it.
func beCrowd(order string) error {
	var address string
	var n int
	if _, err := fmt.Sscan(order, &address, &n); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Timeout)
	defer cancel()
	for range n {
		c, err := gatewaytest.Dial(ctx, address, nil)
		if err == nil {
			_, err = c.NextRecovery(ctx)
		}
		if err != nil {
			return err
		}
	}
	fmt.Println("here")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
