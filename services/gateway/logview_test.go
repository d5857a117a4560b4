package gateway_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/web"
)

// logStream is a page at /log that watches.
type logStream struct {
	t        testing.TB
	response *http.Response
	lines    *bufio.Reader
	seen     strings.Builder // all that came
}

// logEvent is what the stream says of an event, or in "skipped".
type logEvent struct {
	name         string
	Offset       uint64
	Type         string
	Conversation string
	Bytes        int
	Digest       string
	Damaged      bool
	Unknown      bool
	Count        uint64
}

// openLogFeed asks for the stream on a connection of its own.
func openLogFeed(t testing.TB, address, lastEventID string) *logStream {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(64 << 10) // so that little waits there for who does not read
	_ = conn.SetDeadline(time.Now().Add(gatewaytest.Timeout))
	fmt.Fprintf(conn, "GET /log/feed HTTP/1.1\r\nHost: a\r\nLast-Event-ID: %s\r\n\r\n", lastEventID)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &logStream{t: t, response: response, lines: bufio.NewReader(response.Body)}
}

// next is the next message of one of some names; false at the end of the stream.
func (s *logStream) next(into any, names ...string) (name string, ok bool) {
	s.t.Helper()
	for {
		line, err := s.lines.ReadString('\n')
		s.seen.WriteString(line)
		if err == io.EOF {
			return "", false
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if n, is := strings.CutPrefix(line, "event: "); is {
			name = strings.TrimSpace(n)
		}
		if data, is := strings.CutPrefix(line, "data: "); is && slices.Contains(names, name) {
			if err := json.Unmarshal([]byte(data), into); err != nil {
				s.t.Fatalf("%s: %v", line, err)
			}
			return name, true
		}
	}
}

// event is the next event, or what was skipped.
func (s *logStream) event() (e logEvent) {
	s.t.Helper()
	name, ok := s.next(&e, "event", "skipped")
	if !ok {
		s.t.Fatal("the stream ended")
	}
	e.name = name
	return e
}

func TestTheLogIsShownOnlyWhereItIsSwitchedOn(t *testing.T) {
	url := logtest.Start(t).URL()
	off := gatewaytest.Start(t, gatewaytest.Config(url))
	for _, path := range []string{"/log", "/log.html", "/log/feed", "/log/"} {
		if status, _ := gatewaytest.Get(off.Address, path); status != http.StatusNotFound {
			t.Errorf("off: %s says %d", path, status)
		}
	}
	cfg := gatewaytest.Config(url)
	cfg.Gateway.LogView = true
	on := gatewaytest.Start(t, cfg)
	for _, page := range []string{"/", "/log"} {
		wantStatus, want := http.StatusOK, "<html"
		if !web.Built() {
			wantStatus, want = http.StatusNotFound, "built without the web client"
		}
		if status, body := gatewaytest.Get(on.Address, page); status != wantStatus || !strings.Contains(body, want) {
			t.Errorf("on: %s says %d %.100q, want %d with %q", page, status, body, wantStatus, want)
		}
	}
	if status, _ := gatewaytest.Get(on.Address, "/log.html"); status != http.StatusNotFound {
		t.Errorf("on: /log.html says %d", status)
	}
	h := openLogFeed(t, on.Address, "").response.Header
	if h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("Content-Security-Policy") == "" || h.Get("Referrer-Policy") == "" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("on: the feed's headers are %v", h)
	}
}

// watched is a gateway that shows its log, which holds n messages.
func watched(t *testing.T, n int) (*logtest.Server, *gatewaytest.Gateway, func(events ...event.Event)) {
	t.Helper()
	s := logtest.Start(t)
	js := s.Provision(logtest.Config())
	if n > 0 {
		logtest.Fill(t, js, n, func(i int) event.Event { return logtest.Message(t, "general", fmt.Sprint("secret ", i+1)) })
	}
	cfg := gatewaytest.Config(s.URL())
	cfg.Gateway.LogView = true
	return s, gatewaytest.Start(t, cfg), func(events ...event.Event) { logtest.Publish(t, js, events...) }
}

func TestWhoWatchesSeesEachEventAndNoContents(t *testing.T) {
	_, g, publish := watched(t, 3)
	page := openLogFeed(t, g.Address, "")
	for o := uint64(1); o <= 3; o++ {
		if e := page.event(); e.Offset != o {
			t.Fatalf("begins with %+v, want offset %d", e, o)
		}
	}
	said := logtest.Keyed(t, "harbour", "secret words", "secret key")
	edited := logtest.Message(t, "harbour", "secret words")
	edited.Type = "message.edited"
	edited.Seal()
	altered := logtest.Message(t, "harbour", "secret words")
	altered.Content = "secret altered"
	user, err := event.NewRegistered("secret-id", "Secret Name")
	if err != nil {
		t.Fatal(err)
	}
	publish(said, edited, altered, user)
	want := []logEvent{
		{Offset: 4, Type: "message.posted", Conversation: "room/harbour", Bytes: 12, Digest: hex.EncodeToString(said.Digest[:])},
		{Offset: 5, Type: "message.edited", Conversation: "room/harbour", Bytes: 12, Digest: hex.EncodeToString(edited.Digest[:]), Unknown: true},
		{Offset: 6, Bytes: 14, Damaged: true},
		{Offset: 7, Type: "user.registered", Conversation: "user", Digest: hex.EncodeToString(user.Digest[:])},
	}
	late := openLogFeed(t, g.Address, "3")
	for _, viewer := range []*logStream{page, late} {
		for _, w := range want {
			w.name = "event"
			if e := viewer.event(); e != w {
				t.Errorf("shows %+v, want %+v", e, w)
			}
		}
		if seen := strings.ToLower(viewer.seen.String()); strings.Contains(seen, "secret") {
			t.Errorf("it tells what is secret: %s", seen)
		}
	}
}

func TestADirectMessageIsShownWithoutItsPeople(t *testing.T) {
	_, g, _ := watched(t, 0)
	page := openLogFeed(t, g.Address, "")
	ana := gatewaytest.Join(t, g.Address, gatewaytest.Auth{"username": "Ana Secret"})
	if ack, err := ana.Send(testContext(t), "private message", map[string]any{"content": "secret words", "to": ana.UserID}); err != nil || !ack.OK {
		t.Fatal(ack, err)
	}
	if e := page.event(); e.Conversation != "user" {
		t.Errorf("the registration is shown as %+v", e)
	}
	if e := page.event(); !strings.HasPrefix(e.Conversation, "direct/") || e.Bytes != 12 {
		t.Errorf("the message is shown as %+v", e)
	}
	if seen := page.seen.String(); strings.Contains(strings.ToLower(seen), "secret") || strings.Contains(seen, ana.UserID) {
		t.Errorf("it tells who writes: %s", seen)
	}
}

func TestAViewerGoesOnWhereItWas(t *testing.T) {
	_, g, _ := watched(t, 300)
	if e := openLogFeed(t, g.Address, "").event(); e.Offset != 101 {
		t.Errorf("a new one begins with %+v", e)
	}
	if e := openLogFeed(t, g.Address, "298").event(); e.Offset != 299 {
		t.Errorf("one that comes back goes on with %+v", e)
	}
}

// TestAViewerThatDoesNotReadHoldsNobodyUp has more events come than fit into the
// sockets' buffers between the gateway and somebody who does not read.
func TestAViewerThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	const batches, batch = 10, 300
	s, g, _ := watched(t, 0)
	openLogFeed(t, g.Address, "") // of which nobody reads more
	bulky, js := bulky(t), s.Connect()
	c := gatewaytest.Connect(t, g.Address, map[string]any{"serverOffset": "latest"})
	for i := range batches {
		logtest.Fill(t, js, batch, func(int) event.Event { return bulky })
		if ack, err := c.Send(testContext(t), "chat message", "still here", fmt.Sprint(c.SocketID, "-", i)); err != nil || !ack.OK {
			t.Fatalf("while somebody does not read: %+v, %v", ack, err)
		}
		if m, err := c.NextMessage(testContext(t)); err != nil || m.Offset != uint64((i+1)*(batch+1)) {
			t.Fatalf("while somebody does not read: %+v, %v", m, err)
		}
	}
}

// bulky is an event that takes about 6 KB in the stream: each "<" six bytes.
func bulky(t testing.TB) event.Event {
	long := strings.Repeat("<", 500)
	e := logtest.Message(t, long, "x")
	e.Type = event.Type(long)
	e.Seal()
	return e
}

func TestOnlySoManyMayWatch(t *testing.T) {
	_, g, _ := watched(t, 0)
	for i := range 20 {
		s := openLogFeed(t, g.Address, "")
		if i < 16 && s.response.StatusCode != http.StatusOK {
			t.Fatalf("number %d gets %d", i+1, s.response.StatusCode)
		}
		if s.response.StatusCode == http.StatusOK { // after 16, on a machine so slow that places are old by then
			continue
		}
		if text, _ := io.ReadAll(s.response.Body); s.response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "too many") {
			t.Errorf("one more gets %d %q", s.response.StatusCode, text)
		}
	}
	if _, page := gatewaytest.Get(g.Address, "/metrics"); !strings.Contains(page, "tidemark_gateway_log_viewers 16") {
		t.Error("the metrics do not count them")
	}
}

func TestPagesOfOtherOriginsAreNotShownTheLog(t *testing.T) {
	_, g, _ := watched(t, 0)
	for site, want := range map[string]int{
		"cross-site": http.StatusForbidden, "same-site": http.StatusForbidden,
		"same-origin": http.StatusOK, "none": http.StatusOK, "": http.StatusOK,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r, err := http.NewRequestWithContext(testContext(t), method, "http://"+g.Address+"/log/feed", nil)
			if err != nil {
				t.Fatal(err)
			}
			if site != "" {
				r.Header.Set("Sec-Fetch-Site", site)
			}
			response, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("%s from %q gets %d, want %d", method, site, response.StatusCode, want)
			}
		}
	}
}

func TestWhoWatchesDoesNotHoldUpTheStop(t *testing.T) {
	s, g, _ := watched(t, 0)
	page := openLogFeed(t, g.Address, "")
	openLogFeed(t, g.Address, "") // which nobody reads
	bulky := bulky(t)
	logtest.Fill(t, s.Connect(), 1500, func(int) event.Event { return bulky })
	page.event()
	began := time.Now()
	if err := g.Stop(); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("stopped after %v, %v", time.Since(began), err)
	}
}

func TestWhoWatchesIsToldHowFarReadModelAndNotaryAre(t *testing.T) {
	s, g, publish := watched(t, 5)
	model := gatewaytest.ServeReadModel(t, s)
	if err := model.WaitFor(testContext(t), 5); err != nil {
		t.Fatal(err)
	}
	model.Hold(3)
	js := s.Connect()
	if err := notary.Provision(testContext(t), js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	state, err := eventlog.Open(js).State(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	sign(t, notary.OpenAudit(js), state.Epoch, 4)

	page := openLogFeed(t, g.Address, "")
	var p struct {
		Offset, Lag uint64
		Epoch       string
	}
	if page.next(&p, "persister"); p.Offset != 3 || p.Lag != 2 || p.Epoch != state.Epoch {
		t.Errorf("the read model is at %+v", p)
	}
	page = openLogFeed(t, g.Address, "")
	var c struct {
		Size        uint64
		Root, Epoch string
		Key         string
	}
	if page.next(&c, "checkpoint"); c.Size != 4 || c.Root == "" || c.Epoch != state.Epoch || !strings.HasPrefix(c.Key, "harbour+") {
		t.Errorf("the checkpoint is %+v", c)
	}
	var h struct{ Last uint64 }
	publish(logtest.Message(t, "general", "x"))
	for h.Last != 6 {
		if _, ok := page.next(&h, "head"); !ok {
			t.Fatal("the stream ended")
		}
	}
}

// sign signs that the log has so many events.
func sign(t *testing.T, audit *notary.Audit, epoch string, size int) {
	t.Helper()
	secret, _, err := notary.GenerateKey("harbour")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	e, err := notary.MakeEntry(notary.Entry{}, &notary.Tree{}, make([]tlog.Hash, size), epoch, time.Now(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.Append(t.Context(), 0, &e); err != nil {
		t.Fatal(err)
	}
}
