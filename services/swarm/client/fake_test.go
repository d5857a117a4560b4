package client_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// fake is a server that notes what it is sent, and answers what a test wants it to.
type fake struct {
	*httptest.Server
	handshake string                        // of all sessions, without the braces and the sid
	answer    func(s *session, text string) // to each packet of Socket.IO and each pong; nil: welcome
	refuse    int                           // HTTP status for all, if not 0
	noUpgrade bool                          // offers it and does not do it

	mu       sync.Mutex
	noted    []string
	sessions map[string]*session
}

// session is one of its clients.
type session struct {
	fake    *fake
	sid     string
	out     chan string   // to the client
	joined  chan struct{} // closed when CONNECT has come
	probing chan struct{} // closed while an upgrade is asked for
	over    chan struct{} // closed when the client has said goodbye, or its WebSocket is gone
	once    [2]sync.Once
}

const quietly = `"pingInterval":25000,"pingTimeout":20000`

func newFake(t testing.TB, answer func(s *session, text string)) *fake {
	f := &fake{handshake: quietly, answer: answer, sessions: make(map[string]*session)}
	f.Server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

// welcome answers CONNECT.
func welcome(s *session, text string) {
	if strings.HasPrefix(text, "40") {
		s.send(`40{"sid":"socket-` + s.sid + `"}`)
	}
}

func (s *session) send(packets ...string) {
	for _, p := range packets {
		select {
		case s.out <- p:
		case <-s.over:
		}
	}
}

func (s *session) end() { s.once[0].Do(func() { close(s.over) }) }

func (f *fake) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noted = append(f.noted, fmt.Sprintf(format, args...))
}

func (f *fake) notes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.noted...)
}

func (f *fake) session(sid string) *session {
	f.mu.Lock()
	defer f.mu.Unlock()
	if sid == "" {
		sid = fmt.Sprint("s", len(f.sessions))
		f.sessions[sid] = &session{fake: f, sid: sid, out: make(chan string, 1000),
			joined: make(chan struct{}), probing: make(chan struct{}), over: make(chan struct{})}
	}
	return f.sessions[sid]
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	sid, transport := query.Get("sid"), query.Get("transport")
	if f.noUpgrade && transport == "websocket" {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	if f.refuse != 0 {
		http.Error(w, `{"code":3}`, f.refuse)
		return
	}
	s := f.session(sid)
	if s != nil && transport == "websocket" && sid != "" {
		<-s.joined // so that the order of the notes is always the same
	}
	if sid == "" || transport == "websocket" {
		f.note("%s opens %s EIO=%s with a session: %v", transport, r.URL.Path, query.Get("EIO"), sid != "")
	}
	switch {
	case s == nil:
		http.Error(w, `{"code":1}`, http.StatusBadRequest)
	case transport == "websocket":
		s.overWebSocket(w, r, sid != "")
	case sid == "":
		_, _ = io.WriteString(w, s.open(`"websocket"`))
	case r.Method == http.MethodPost:
		body, _ := io.ReadAll(r.Body)
		for p := range strings.SplitSeq(string(body), "\x1e") {
			s.take("polling "+r.Header.Get("Content-Type"), p)
		}
		_, _ = io.WriteString(w, "ok")
	default:
		_, _ = io.WriteString(w, s.poll(r))
	}
}

func (s *session) open(upgrades string) string {
	return fmt.Sprintf(`0{"sid":%q,"upgrades":[%s],"maxPayload":100000,%s}`, s.sid, upgrades, s.fake.handshake)
}

// poll waits for packets; while an upgrade is asked for, it does not.
func (s *session) poll(r *http.Request) string {
	select {
	case first := <-s.out:
		body := bytes.NewBufferString(first)
		for len(s.out) > 0 {
			body.WriteString("\x1e" + <-s.out)
		}
		return body.String()
	case <-s.probing:
		return "6"
	case <-s.over:
		return "1"
	case <-r.Context().Done():
		return ""
	}
}

func (s *session) take(how, text string) {
	s.fake.note("%s %s", how, text)
	switch {
	case text == "1":
		s.end()
	case text[0] == '4' || text == "3":
		if strings.HasPrefix(text, "40") {
			s.once[1].Do(func() { close(s.joined) })
		}
		if s.fake.answer == nil {
			welcome(s, text)
		} else {
			s.fake.answer(s, text)
		}
	}
}

func (s *session) overWebSocket(w http.ResponseWriter, r *http.Request, probe bool) {
	conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	if probe {
		_, p, _ := conn.ReadMessage()
		s.fake.note("websocket %s", p)
		_ = conn.WriteMessage(websocket.TextMessage, []byte("3probe"))
		close(s.probing)
		_, p, _ = conn.ReadMessage()
		s.fake.note("websocket %s", p)
	} else {
		s.send(s.open(""))
	}
	var writing sync.WaitGroup
	writing.Go(func() { s.pump(conn) })
	for {
		form, p, err := conn.ReadMessage()
		if err != nil {
			var code int
			if closed, ok := err.(*websocket.CloseError); ok {
				code = closed.Code
			}
			s.fake.note("websocket closed %d", code)
			break
		}
		if form == websocket.BinaryMessage {
			s.fake.note("websocket binary %x", p)
			continue
		}
		s.take("websocket", string(p))
	}
	s.end()
	writing.Wait()
}

func (s *session) pump(conn *websocket.Conn) {
	for {
		select {
		case p := <-s.out:
			_ = conn.SetWriteDeadline(time.Now().Add(patience))
			if conn.WriteMessage(websocket.TextMessage, []byte(p)) != nil {
				return
			}
		case <-s.over:
			return
		}
	}
}
