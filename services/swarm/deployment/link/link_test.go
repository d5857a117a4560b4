package link_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// target answers each connection as serve does, until the test ends.
func target(t *testing.T, serve func(*net.TCPConn)) *link.Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := link.New("a-b", "127.0.0.1:0", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				serve(c.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		listener.Close()
		all.Wait()
	})
	return l
}

func echo(c *net.TCPConn) { _, _ = io.Copy(c, c) }

func dial(t *testing.T, l *link.Link) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", l.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// say sends a line and returns how long its echo took.
func say(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	began := time.Now()
	if _, err := fmt.Fprintln(c, "hello"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(c).ReadString('\n'); line != "hello\n" {
		t.Fatalf("echo %q, %v", line, err)
	}
	return time.Since(began)
}

func TestAnEndIsPassedOnInOrder(t *testing.T) {
	l := target(t, func(c *net.TCPConn) {
		all, _ := io.ReadAll(c)
		_, _ = c.Write(bytes.ToUpper(all))
	})
	c := dial(t, l)
	if _, err := io.WriteString(c, "to the end"); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "TO THE END" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestCutResetsAndRefusesUntilHealed(t *testing.T) {
	l := target(t, echo)
	c := dial(t, l)
	say(t, c)
	l.Cut()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection that was cut ended with %v", err)
	}
	if c, err := net.Dial("tcp", l.Address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connected to a link that is cut: %v, %v", c, err)
	}
	if err := l.Heal(); err != nil {
		t.Fatal(err)
	}
	say(t, dial(t, l))
}

func TestATargetThatIsNotThereResetsTheCaller(t *testing.T) {
	l, err := link.New("a-b", "127.0.0.1:0", "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Address()) // may learn of it already
	if err == nil {
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
}

func TestDelayHoldsUpConnectionsThatAreAndThatCome(t *testing.T) {
	l := target(t, echo)
	before := dial(t, l)
	say(t, before)
	begun(t, l.Delay(60*time.Millisecond, 10*time.Millisecond))
	for _, c := range []net.Conn{before, dial(t, l)} {
		if took := say(t, c); took < 100*time.Millisecond {
			t.Errorf("there and back in %v", took)
		}
	}
	if err := l.Heal(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); say(t, before) > 50*time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatal("healed, and it is late as before")
		}
	}
}

func TestDroppedAnswersAreNotHeardOfAndWhatWasSaidArrives(t *testing.T) {
	heard := make(chan string, 1)
	l := target(t, func(c *net.TCPConn) {
		lines := bufio.NewReader(c)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, line)
			if line != "hello\n" {
				heard <- line
			}
		}
	})
	c := dial(t, l)
	say(t, c)
	begun(t, l.DropAnswers())
	if _, err := io.WriteString(c, "store this\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "store this\n" {
		t.Errorf("the target heard %q", got)
	}
	if err := l.Heal(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%d bytes of the answer, %v", n, err)
	}
	say(t, dial(t, l))
}

func TestAReaderThatStandsStillHoldsUpNoFault(t *testing.T) {
	flood := make([]byte, 64<<10)
	var flooded atomic.Int64
	l := target(t, func(c *net.TCPConn) {
		if b := make([]byte, 1); readByte(c, b) && b[0] == 'e' {
			echo(c)
			return
		}
		for {
			if _, err := c.Write(flood); err != nil {
				return
			}
			flooded.Add(1)
		}
	})
	stuck, other := dial(t, l), dial(t, l)
	for c, first := range map[net.Conn]string{stuck: "f", other: "e"} {
		if _, err := io.WriteString(c, first); err != nil {
			t.Fatal(err)
		}
	}
	say(t, other)
	for before := int64(0); before == 0 || before != flooded.Load(); { // until nothing more fits between
		before = flooded.Load()
		<-time.After(100 * time.Millisecond)
	}
	began := time.Now()
	begun(t, l.Delay(20*time.Millisecond, 0))
	if err := l.Heal(); err != nil {
		t.Fatal(err)
	}
	begun(t, l.Slow(100))
	if err := l.Heal(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("two faults took %v", took)
	}
	if _, err := io.Copy(io.Discard, stuck); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection of whom did not read ended with %v", err)
	}
	say(t, other)
}

func begun(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func readByte(c net.Conn, b []byte) bool {
	_, err := io.ReadFull(c, b)
	return err == nil
}

// TestBytesThatArriveAreTheBytesThatWereSent changes faults all the time while two sides talk. A connection may end, but
// never with bytes missing before its end.
func TestBytesThatArriveAreTheBytesThatWereSent(t *testing.T) {
	l := target(t, echo)
	sent := make([]byte, 4<<20)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(sent)
	c := dial(t, l)
	var writing sync.WaitGroup
	writing.Go(func() {
		_, _ = c.Write(sent)
		_ = c.CloseWrite()
	})
	stop := make(chan struct{})
	var faults sync.WaitGroup
	faults.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			if i%2 == 0 {
				begun(t, l.Delay(10*time.Millisecond, 5*time.Millisecond))
			} else {
				begun(t, l.Slow(20_000))
			}
			if err := l.Heal(); err != nil {
				t.Error(err)
			}
		}
	})
	got, err := io.ReadAll(c)
	close(stop)
	faults.Wait()
	writing.Wait()
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes of %d, %v", len(got), len(sent), err)
	}
}

func TestConnectionsThatEndAreForgotten(t *testing.T) {
	l := target(t, echo)
	for range 20 {
		c := dial(t, l)
		say(t, c)
		c.Close()
	}
	for deadline := time.Now().Add(30 * time.Second); l.Connections() > 0; <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are kept", l.Connections())
		}
	}
}
