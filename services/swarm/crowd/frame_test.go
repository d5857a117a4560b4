package crowd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

func TestMessagesAreReadAsTheContractSays(t *testing.T) {
	for payload, want := range map[string]history.Message{
		`["chat message","hi",5,{"id":"i","at":"t","from":"u","username":"n","clientOffset":"k","more":1},"more"]`: {},
		`["chat message","hi",5,{"id":"i","at":"t"}]`: {
			Offset: 5, ID: "i", At: "t", Conversation: subject.General, Content: "hi"},
		`["chat message","hi",5,{"id":"i","at":"t","from":"u","username":"n","clientOffset":"k"}]`: {
			Offset: 5, ID: "i", At: "t", Conversation: subject.General, Content: "hi", From: "u", Username: "n", Key: "k"},
		`["room message",{"room":"r","content":"hi","offset":5,"id":"i","at":"t","from":"u","username":"n"}]`: {
			Offset: 5, ID: "i", At: "t", Conversation: subject.Conversation{Kind: subject.Room, Name: "r"}, Content: "hi", From: "u", Username: "n"},
		`["private message",{"content":"hi","offset":5,"id":"i","at":"t","from":"u","to":"v","username":"n"}]`: {
			Offset: 5, ID: "i", At: "t", Conversation: pair("v", "u"), Content: "hi", From: "u", To: "v", Username: "n"},
		`["chat message","hi",5]`:                                                               {},
		`["chat message","hi",null,{"id":"i","at":"t"}]`:                                        {},
		`["chat message","hi","5",{"id":"i","at":"t"}]`:                                         {},
		`["chat message","hi",-5,{"id":"i","at":"t"}]`:                                          {},
		`["chat message","",5,{"id":"i","at":"t"}]`:                                             {},
		`["chat message",7,5,{"id":"i","at":"t"}]`:                                              {},
		`["chat message","hi",5,{"at":"t"}]`:                                                    {},
		`["room message",{"content":"hi","offset":5,"id":"i","at":"t"}]`:                        {},
		`["private message",{"room":"r","content":"hi","offset":5,"id":"i","at":"t","to":"v"}]`: {},
		`["private message",{"content":"hi","offset":5,"id":"i","at":"t"}]`:                     {},
		`["chat message"`: {}, `{}`: {}, `[]`: {}, `[5]`: {}, ``: {},
	} {
		f := newFrames().read([]byte(payload), "run")
		if want == (history.Message{}) {
			if f.malformed == nil || f.message != nil {
				t.Errorf("%s was read as %+v", payload, f.message)
			}
		} else if f.malformed != nil || *f.message != want {
			t.Errorf("%s was read as %+v, %v", payload, f.message, f.malformed)
		}
	}
}

func TestOtherEventsAreNoMessages(t *testing.T) {
	f := newFrames().read([]byte(`["new message",{"username":"n","message":"m"}]`), "run")
	if f.malformed != nil || f.message != nil || f.name != "new message" || len(f.args) != 1 {
		t.Errorf("%+v", f)
	}
}

func TestWhatManyAreSentIsReadOnce(t *testing.T) {
	frames := newFrames()
	payload := func(n int) []byte {
		return fmt.Appendf(nil, `["chat message","run a#1 1500 ~~",%d,{"id":"i","at":"t"}]`, n+1)
	}
	first := frames.read(payload(0), "run")
	if second := frames.read(payload(0), "run"); second != first {
		t.Error("the same bytes were read twice")
	}
	if !first.ours || first.sent != 1500*time.Microsecond {
		t.Errorf("sent %v, ours %v", first.sent, first.ours)
	}
	for n := range 3 * maxFrames {
		frames.read(payload(n), "run")
	}
	if kept := len(frames.young) + len(frames.old); kept > 2*maxFrames {
		t.Errorf("%d frames are kept", kept)
	}
}

func TestAContentSaysWhoseItIsAndWhen(t *testing.T) {
	text := content("run", "guest-1", 7, 1500*time.Microsecond, 100)
	if len(text) != 100 || !strings.HasPrefix(text, "run guest-1#7 1500 ~") {
		t.Errorf("%q", text)
	}
	if long := content("run", "guest-1", 7, 0, 3); long != "run guest-1#7 0 " {
		t.Errorf("%q", long)
	}
	for _, other := range []string{"", "run", "other run a#1 5 ", "run a#1 x ", "running a#1 5 "} {
		if at, ours := stamp(other, "run"); ours {
			t.Errorf("%q is of this run, %v", other, at)
		}
	}
}
