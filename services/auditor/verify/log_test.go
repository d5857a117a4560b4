package verify_test

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/services/auditor/verify"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// logOnly verifies the log alone.
func (w *world) logOnly() *verify.Report {
	o := w.options()
	o.Parts = []verify.Part{verify.OfLog}
	return verify.Run(w.t.Context(), o)
}

func TestHolesAreFound(t *testing.T) {
	w := newWorld(t, 1)
	w.say(20)
	for _, offset := range []uint64{1, 2, 7, 12, 13, 14, 19, 20} {
		w.lose(offset)
	}
	wantFindings(t, w.logOnly(), `dense 1\.\.2: .* 2 offsets`, `dense 7: `, `dense 12\.\.14: `, `dense 19\.\.20: `)
	w.project()
	w.sign(7)
	o := w.options() // whoever came later knows of the holes, and found the log so
	o.Parts = []verify.Part{verify.OfReadModel, verify.OfCheckpoints}
	wantFindings(t, verify.Run(t.Context(), o))
}

func TestALogOfWhichNothingIsLeftIsOneHole(t *testing.T) {
	w := newWorld(t, 1)
	w.say(3)
	for offset := uint64(1); offset <= 3; offset++ {
		w.lose(offset)
	}
	wantFindings(t, w.logOnly(), `dense 1\.\.3: `)
}

func TestDamagedEventsAreFound(t *testing.T) {
	w := newWorld(t, 1)
	w.say(5)
	sealed := logtest.Message(t, "general", "sealed")
	content := sealed.Encode()
	content.Data = []byte("forged")
	w.publish(content) // 6
	w.say(1)
	header := sealed.Encode()
	header.Header.Del(nats.MsgIdHdr)
	header.Header.Set("Tidemark-Sender", "%zz\x1b[2J")
	w.publish(header)                                                       // 8
	w.publish(&nats.Msg{Subject: "chat.\u202e.x", Data: []byte("not one")}) // 9
	findings := []string{`digest 6: subject "chat\.0\.room\.ngeneral": the digest does not fit`, `digest 8: .*escape`, `digest 9: subject "chat\.\\u202e\.x": `}
	wantFindings(t, w.logOnly(), findings...)
	w.project()
	w.sign(4)
	wantFindings(t, w.verify(), findings...) // the read model and the notary took them for what they are
}

func TestEventsOutOfPlaceAreFound(t *testing.T) {
	w := newWorld(t, 1)
	w.say(3)
	e := logtest.Message(t, "general", "among two others")
	e.Sender, e.Recipient = "a", "b"
	e.Conversation = subject.Conversation{Kind: subject.DM, Name: subject.PairName("c", "d")}
	e.Seal()
	logtest.Publish(t, w.js, e)
	w.project()
	w.sign(10)
	wantFindings(t, w.verify(), `schema 4: message\.posted: the conversation is not that of`)
}

func TestKeysThatAreStoredTwiceAreFound(t *testing.T) {
	w := newWorld(t, 1)
	again := func(e event.Event) {
		m := e.Encode()
		m.Header.Set(nats.MsgIdHdr, nats.NewInbox())
		w.publish(m)
	}
	e := logtest.Keyed(t, "general", "once", "k")
	again(e) // 1
	w.say(5)
	again(e)                                               // 7
	again(logtest.Keyed(t, "other", "another scope", "k")) // 8
	registered, err := event.NewRegistered("user", "name")
	w.must(err)
	again(registered) // 9
	w.say(1)
	again(registered)                                  // 11
	again(logtest.Keyed(t, "general", "a third", "k")) // 12
	findings := []string{`key 7: .*offset 1$`, `key 11: .*registers.*offset 9$`, `key 12: .*offset 1$`}
	wantFindings(t, w.logOnly(), findings...)
	w.project() // makes dead letters of them
	w.sign(4)
	wantFindings(t, w.verify(), findings...)
}

func TestEventsOfANewerSchemaAreNotSaidToBeClean(t *testing.T) {
	w := newWorld(t, 1)
	w.say(10)
	e := logtest.Message(t, "general", "said")
	m := e.Encode()
	m.Header.Set("Tidemark-Schema", "2")
	m.Data = []byte("never said")
	w.publish(m)
	w.say(10)
	w.project()
	w.sign(10)
	r := w.verify()
	if text := shown(t, r); r.Result != verify.CouldNot || len(r.Findings) > 0 || !strings.Contains(text, "the first at offset 11") {
		t.Error(text)
	}
}

func TestKeysOfWhatIsDamagedOrNewerAreNobodys(t *testing.T) {
	w := newWorld(t, 1)
	for i := range 4 {
		e := logtest.Keyed(t, "general", "x", "k")
		if i < 2 {
			e.Schema++
			e.Seal()
		}
		m := e.Encode()
		m.Header.Set(nats.MsgIdHdr, nats.NewInbox())
		if i == 2 {
			m.Data = []byte("y")
		}
		w.publish(m)
	}
	wantFindings(t, w.logOnly(), `digest 3: `)
}
