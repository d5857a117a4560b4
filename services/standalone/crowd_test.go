package standalone_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/config"
)

// A crowd is the clients of BenchmarkStorm, in a process of their own and as
// cheap as clients can be: they look at the beginning of what comes and skip the
// rest.

// Names in a crowd's environment.
const (
	crowdSessions = "STANDALONE_TEST_SESSIONS" // file of session ids, one a line
	crowdFirst    = "STANDALONE_TEST_FIRST"    // where all connect first, until that is gone; may be empty
	crowdThen     = "STANDALONE_TEST_THEN"     // where all connect then, and are measured
)

// measured is what a crowd says of one of its clients: milliseconds from its dial.
type measured struct {
	Dialled        time.Time
	Session        float64
	Users          float64
	Recovery       float64
	UsersBytes     int
	PeopleComeGone int // "user connected" and "user disconnected" before "recovery"
}

// runCrowd connects all, twice if there is a first place, and says "there" when
// all are at the first, and what was measured when all are at the second. Then it
// stays until it is killed.
func runCrowd(ctx context.Context, _ config.Config, _ *slog.Logger) error {
	file, err := os.ReadFile(os.Getenv(crowdSessions))
	if err != nil {
		return err
	}
	sessions := strings.Fields(string(file))
	first, then := os.Getenv(crowdFirst), os.Getenv(crowdThen)
	if first != "" {
		var all []*crowdClient
		if _, all, err = connectAll(sessions, first); err != nil {
			return err
		}
		fmt.Println("there")
		for _, c := range all {
			_, _ = io.Copy(io.Discard, c.conn) // until that gateway is killed
		}
	}
	results, all, err := connectAll(sessions, then)
	if err != nil {
		return err
	}
	for _, c := range all {
		go func() { _ = c.until("") }() // reads on
	}
	said, err := json.Marshal(results)
	if err != nil {
		return err
	}
	fmt.Println(string(said))
	<-ctx.Done()
	return nil
}

// connectAll connects each session at once, and waits for all recoveries.
func connectAll(sessions []string, address string) ([]measured, []*crowdClient, error) {
	results, clients, errs := make([]measured, len(sessions)), make([]*crowdClient, len(sessions)), make([]error, len(sessions))
	var all sync.WaitGroup
	for i, session := range sessions {
		all.Go(func() { clients[i], errs[i] = arrive(address, session, &results[i]) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, nil, fmt.Errorf("client %d: %w", i, err)
		}
	}
	return results, clients, nil
}

// arrive connects one session.
func arrive(address, session string, m *measured) (*crowdClient, error) {
	m.Dialled = time.Now()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	c := &crowdClient{conn: conn, r: bufio.NewReaderSize(conn, 32<<10)}
	since := func() float64 { return float64(time.Since(m.Dialled).Microseconds()) / 1000 }
	err = c.upgrade(address)
	for _, step := range []struct {
		say, hear string
		at        *float64
	}{
		{hear: "0{"},
		{say: fmt.Sprintf(`40{"sessionID":%q,"serverOffset":"latest"}`, session), hear: `40{"sid"`},
		{hear: `42["session"`, at: &m.Session},
		{hear: `42["users"`, at: &m.Users},
		{hear: `42["recovery"`, at: &m.Recovery},
	} {
		if err == nil && step.say != "" {
			err = c.send(step.say)
		}
		if err == nil {
			err = c.until(step.hear)
		}
		if err != nil {
			conn.Close()
			return nil, fmt.Errorf("waiting for %s: %w", step.hear, err)
		}
		if step.at != nil {
			*step.at = since()
			m.UsersBytes = max(m.UsersBytes, c.size) // by far the largest
		}
	}
	m.PeopleComeGone = c.people
	return c, nil
}

// crowdClient is one WebSocket.
type crowdClient struct {
	conn   net.Conn
	r      *bufio.Reader
	size   int // of the last frame's payload
	people int
}

func (c *crowdClient) upgrade(address string) error {
	_, err := io.WriteString(c.conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: "+address+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		line, err := c.r.ReadString('\n')
		switch {
		case err != nil:
			return err
		case first && !strings.Contains(line, " 101 "):
			return fmt.Errorf("upgrade: %s", line)
		case line == "\r\n":
			return nil
		}
	}
}

// send sends a short text, masked with zeros.
func (c *crowdClient) send(text string) error {
	frame := []byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}
	if len(text) > 125 {
		frame = binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text)))
		frame = append(frame, 0, 0, 0, 0)
	}
	_, err := c.conn.Write(append(frame, text...))
	return err
}

// until skips packets up to the first that begins in a way, or, with "", all.
func (c *crowdClient) until(begins string) error {
	for {
		start, err := c.packet()
		if err != nil {
			return err
		}
		switch {
		case begins != "" && bytes.HasPrefix(start, []byte(begins)):
			return nil
		case bytes.Equal(start, []byte("2")):
			if err := c.send("3"); err != nil {
				return err
			}
		case bytes.HasPrefix(start, []byte(`42["user `)):
			c.people++
		}
	}
}

// packet reads one frame, of which it returns the beginning.
func (c *crowdClient) packet() ([]byte, error) {
	var header [2]byte
	if _, err := io.ReadFull(c.r, header[:]); err != nil {
		return nil, err
	}
	size := uint64(header[1])
	if extended := map[uint64]int{126: 2, 127: 8}[size]; extended > 0 {
		var length [8]byte
		if _, err := io.ReadFull(c.r, length[8-extended:]); err != nil {
			return nil, err
		}
		size = binary.BigEndian.Uint64(length[:])
	}
	if header[0] != 0x81 { // a whole text: nothing else is sent
		return nil, fmt.Errorf("a frame that begins with %#x", header[0])
	}
	start := make([]byte, min(size, 16))
	if _, err := io.ReadFull(c.r, start); err != nil {
		return nil, err
	}
	c.size = int(size)
	_, err := c.r.Discard(int(size) - len(start))
	return start, err
}
