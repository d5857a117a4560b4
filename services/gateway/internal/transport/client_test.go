package transport_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// wsClient is a WebSocket client on the bare connection, so that tests decide
// about every byte and when it is sent.
type wsClient struct {
	net.Conn
	r  *bufio.Reader
	id string // of the Socket.IO socket
}

const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xA
	final      = 0x80
)

// dialWebSocket connects and has the response's header read. With a session id
// it is a probe for an upgrade.
func dialWebSocket(addr, sid string) (*wsClient, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	query := "EIO=4&transport=websocket"
	if sid != "" {
		query += "&sid=" + sid
	}
	c := &wsClient{Conn: conn, r: bufio.NewReaderSize(conn, 1024)}
	if err := c.shake(addr, query); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *wsClient) shake(addr, query string) error {
	_, err := fmt.Fprintf(c, "GET /socket.io/?%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", query, addr)
	if err != nil {
		return err
	}
	status, err := c.r.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.Contains(status, " 101 ") {
		return errors.New(strings.TrimSpace(status))
	}
	for line := ""; line != "\r\n"; {
		if line, err = c.r.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

// frame builds a masked frame; the mask is zero.
func frame(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}

func (c *wsClient) send(text string) error {
	_, err := c.Write(frame(final|opText, text))
	return err
}

func (c *wsClient) readFrame() (opcode byte, payload string, err error) {
	var header [2]byte
	if _, err := io.ReadFull(c.r, header[:]); err != nil {
		return 0, "", err
	}
	length := uint64(header[1] & 0x7F)
	if extra := map[uint64]int{126: 2, 127: 8}[length]; extra > 0 {
		var b [8]byte
		if _, err := io.ReadFull(c.r, b[8-extra:]); err != nil {
			return 0, "", err
		}
		length = binary.BigEndian.Uint64(b[:])
	}
	data := make([]byte, length)
	_, err = io.ReadFull(c.r, data)
	return header[0] & 0x0F, string(data), err
}

// text reads the next text message, answering pings of the engine.
func (c *wsClient) text() (string, error) {
	for {
		opcode, payload, err := c.readFrame()
		switch {
		case err != nil:
			return "", err
		case opcode == opClose:
			return "", closedError{payload}
		case opcode == opText && payload == "2":
			if err := c.send("3"); err != nil {
				return "", err
			}
		case opcode == opText:
			return payload, nil
		}
	}
}

// closedError is the server's close frame.
type closedError struct{ payload string }

func (e closedError) Error() string { return "closed by the server" }

func (e closedError) code() int {
	if len(e.payload) < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16([]byte(e.payload)))
}

// expect reads the next message and checks how it begins.
func (c *wsClient) expect(prefix string) (string, error) {
	text, err := c.text()
	if err == nil && !strings.HasPrefix(text, prefix) {
		err = fmt.Errorf("got %q, want %s...", text, prefix)
	}
	return text, err
}

// reset closes the connection as a crash would: with an RST.
func (c *wsClient) reset() {
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// connectWebSocket connects a socket to "/" without waiting for the handshake.
func connectWebSocket(addr string) (*wsClient, error) {
	c, err := dialWebSocket(addr, "")
	if err != nil {
		return nil, err
	}
	err = c.send("40")
	if err == nil {
		_, err = c.expect(`0{"`)
	}
	if err == nil {
		var answer string
		answer, err = c.expect(`40{"sid"`)
		c.id = socketID(answer)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// socketID is the id in the answer to CONNECT.
func socketID(answer string) string {
	_, rest, _ := strings.Cut(answer, `"sid":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

func mustConnect(t testing.TB, addr string) *wsClient {
	t.Helper()
	c, err := connectWebSocket(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// pollClient is a polling client: every method is one request.
type pollClient struct {
	http *http.Client
	url  string
	sid  string   // of the Engine.IO session
	id   string   // of the Socket.IO socket
	rest []string // what came with CONNECT's answer
}

func newPollClient(addr string) *pollClient {
	return &pollClient{
		http: &http.Client{Transport: &http.Transport{}, Timeout: patience},
		url:  "http://" + addr + "/socket.io/?EIO=4&transport=polling",
	}
}

// open does the handshake.
func (c *pollClient) open() error {
	packets, err := c.poll()
	if err != nil {
		return err
	}
	var open struct{ Sid string }
	if err := json.Unmarshal([]byte(packets[0][1:]), &open); err != nil {
		return err
	}
	c.sid = open.Sid
	c.url += "&sid=" + open.Sid
	return nil
}

// poll waits for packets.
func (c *pollClient) poll() ([]string, error) {
	status, body, err := c.do(http.MethodGet, nil)
	if err == nil && status != http.StatusOK {
		err = statusError(status)
	}
	return strings.Split(body, "\x1e"), err
}

// post sends packets.
func (c *pollClient) post(packets ...string) error {
	status, _, err := c.do(http.MethodPost, strings.NewReader(strings.Join(packets, "\x1e")))
	if err == nil && status != http.StatusOK {
		err = statusError(status)
	}
	return err
}

func (c *pollClient) do(method string, body io.Reader) (status int, answer string, err error) {
	r, err := http.NewRequest(method, c.url, body)
	if err != nil {
		return 0, "", err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	return response.StatusCode, string(b), err
}

func (c *pollClient) close() { c.http.CloseIdleConnections() }

type statusError int

func (s statusError) Error() string { return fmt.Sprintf("HTTP status %d", int(s)) }

// connectPolling connects a socket to "/".
func connectPolling(addr string) (*pollClient, error) {
	c := newPollClient(addr)
	err := c.open()
	if err == nil {
		err = c.post("40")
	}
	if err == nil {
		var packets []string
		if packets, err = c.poll(); err == nil && !strings.HasPrefix(packets[0], `40{"sid"`) {
			err = fmt.Errorf("got %q, want 40{...", packets)
		}
		c.id, c.rest = socketID(packets[0]), packets[1:]
	}
	if err != nil {
		c.close()
	}
	return c, err
}

func mustPoll(t testing.TB, addr string) *pollClient {
	t.Helper()
	c, err := connectPolling(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

// held sends a poll, and returns when the server holds it.
func (c *pollClient) held(s *server) (answer <-chan string) {
	s.t.Helper()
	answers := make(chan string, 1)
	go func() {
		packets, err := c.poll()
		answers <- fmt.Sprint(packets, err)
	}()
	link := s.link(c.id)
	eventually(s.t, "the poll is held", func() bool { return transport.PollWaits(link) })
	return answers
}
