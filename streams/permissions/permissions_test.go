package permissions_test

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/permissions"
	"github.com/tidemark-chat/tidemark/streams/permissions/permissionstest"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// Whoever has the password of a service must not be able to do any of this. Each
// is tried, and the server has to say that it is refused.
const (
	// forbidden is refused to all but the one whose line has a name in it.
	forbidden = `
# the log: make it forget, change it, copy it, stop it
pub $JS.API.STREAM.DELETE.CHAT
pub $JS.API.STREAM.PURGE.CHAT
pub $JS.API.STREAM.MSG.DELETE.CHAT
pub $JS.API.STREAM.UPDATE.CHAT                                provisioner
pub $JS.API.STREAM.CREATE.CHAT                                provisioner
pub $JS.API.STREAM.SNAPSHOT.CHAT                              backup
pub $JS.API.STREAM.RESTORE.CHAT                               backup
pub $JS.API.STREAM.LEADER.STEPDOWN.CHAT
pub $JS.API.STREAM.PEER.REMOVE.CHAT
# say something without a gateway
pub chat.0.room.ngeneral                                      gateway
pub feed.0.room.ngeneral
# the persister's consumer: change, delete, consume, acknowledge, move or stop it
pub $JS.API.CONSUMER.CREATE.CHAT.persister                    provisioner
pub $JS.API.CONSUMER.CREATE.CHAT.persister.chat.>
pub $JS.API.CONSUMER.CREATE.CHAT
pub $JS.API.CONSUMER.DURABLE.CREATE.CHAT.persister
pub $JS.API.CONSUMER.DELETE.CHAT.persister
pub $JS.API.CONSUMER.MSG.NEXT.CHAT.persister                  persister
pub $JS.API.CONSUMER.RESET.CHAT.persister                     persister
pub $JS.API.CONSUMER.PAUSE.CHAT.persister
pub $JS.API.CONSUMER.UNPIN.CHAT.persister
pub $JS.API.CONSUMER.LEADER.STEPDOWN.CHAT.persister
pub $JS.ACK.CHAT.persister.1.1.1.1.1                          persister
# the checkpoints: put something among them, or make them go away
pub audit.checkpoint                                          persister
pub audit.other
pub $JS.API.STREAM.DELETE.AUDIT
pub $JS.API.STREAM.PURGE.AUDIT
pub $JS.API.STREAM.MSG.DELETE.AUDIT
pub $JS.API.STREAM.UPDATE.AUDIT                               provisioner
pub $JS.API.STREAM.MSG.GET.AUDIT
pub $JS.API.DIRECT.GET.AUDIT                                  persister auditor
pub $JS.API.CONSUMER.CREATE.AUDIT.spy
# sessions: list, follow, copy or forget them
pub $JS.API.CONSUMER.CREATE.KV_SESSIONS.spy
pub $JS.API.CONSUMER.CREATE.KV_SESSIONS.spy.$KV.SESSIONS.>
pub $JS.API.STREAM.MSG.GET.KV_SESSIONS                        gateway operator
pub $JS.API.DIRECT.GET.KV_SESSIONS
pub $JS.API.STREAM.PURGE.KV_SESSIONS
pub $JS.API.STREAM.DELETE.KV_SESSIONS
pub $JS.API.STREAM.MSG.DELETE.KV_SESSIONS
pub $JS.API.STREAM.UPDATE.KV_SESSIONS                         provisioner
pub $JS.API.STREAM.SNAPSHOT.KV_SESSIONS                       backup
pub $KV.SESSIONS.0011                                         gateway operator
# revocations: lift or forget them
pub $KV.REVOCATIONS.user.nann                                 operator
pub $JS.API.STREAM.PURGE.KV_REVOCATIONS
pub $JS.API.STREAM.DELETE.KV_REVOCATIONS
pub $JS.API.STREAM.MSG.DELETE.KV_REVOCATIONS
pub $JS.API.STREAM.UPDATE.KV_REVOCATIONS                      provisioner
pub $JS.API.CONSUMER.DELETE.KV_REVOCATIONS.gateways
# who is online
pub $KV.PRESENCE.0011.user.nann                               gateway
pub $KV.LEASES.0011                                           gateway
pub $JS.API.STREAM.PURGE.KV_PRESENCE                          gateway
pub $JS.API.STREAM.PURGE.KV_LEASES
pub $JS.API.STREAM.DELETE.KV_PRESENCE
pub $JS.API.CONSUMER.CREATE.KV_PRESENCE.spy.$KV.PRESENCE.>    gateway
# make streams, and look around
pub $JS.API.STREAM.CREATE.EVIL
pub $JS.API.STREAM.CREATE.KV_EVIL
pub $JS.API.STREAM.LIST
pub $JS.API.STREAM.NAMES
pub $JS.API.CONSUMER.LIST.CHAT
pub $JS.API.CONSUMER.NAMES.CHAT
pub $JS.API.INFO
pub $JS.API.META.LEADER.STEPDOWN
pub $JS.API.SERVER.REMOVE
pub $JS.API.ACCOUNT.PURGE.TIDEMARK
pub $SYS.REQ.SERVER.PING
pub $SYS.REQ.ACCOUNT.PING.CONNZ
pub $SYS.REQ.USER.INFO
pub $SRV.PING                                                 operator
sub $SYS.>
sub $JS.EVENT.>
sub $JS.API.>
sub $JS.ACK.>
# listen to what is written, to answers for others, and answer in a persister's place
sub >
sub *.>
sub chat.>
sub audit.>
sub feed.>
sub $KV.>
sub _INBOX.>
sub _INBOX_gw.>                                               gateway
sub _INBOX_ps.>                                               persister
sub _INBOX_au.>                                               auditor
sub _INBOX_pv.>                                               provisioner
sub _INBOX_op.>                                               operator
sub _INBOX_bk.>                                               backup
sub tidemark.>
sub tidemark.query.lookup                                     persister
sub $SRV.PING                                                 persister
sub tidemark.signal.typing                                    gateway
# put words into another's mouth, and ask what is not for them
pub _INBOX_gw.x                                               persister
pub _INBOX_ps.x
pub _INBOX_au.x                                               persister
pub _INBOX_pv.x
pub tidemark.query.after                                      gateway
pub tidemark.query.users                                      gateway
pub tidemark.signal.typing                                    gateway
# read what was said
pub $JS.API.DIRECT.GET.CHAT                                   gateway persister auditor
pub $JS.API.DIRECT.GET.CHAT.chat.0.room.ngeneral
pub $JS.API.STREAM.MSG.GET.CHAT                               persister auditor
pub $JS.API.CONSUMER.CREATE.CHAT.own                          gateway persister auditor
pub $JS.API.CONSUMER.CREATE.CHAT.own.chat.0.room.ngeneral
pub $JS.API.CONSUMER.DURABLE.CREATE.CHAT.own
`
	// never is refused to everybody, and tells that all before it was looked at.
	never = "nobody.may.say.this"
)

var violation = regexp.MustCompile(`Permissions Violation for (Publish|Subscription) to "([^"]+)"`)

// try publishes and subscribes, and returns what the server refused.
func try(t *testing.T, s *permissionstest.Server, role eventlog.Role, lines [][]string) map[string]bool {
	t.Helper()
	said := make(chan string, 2*len(lines)+2)
	nc := s.Connect(role, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if m := violation.FindStringSubmatch(err.Error()); m != nil && errors.Is(err, nats.ErrPermissionViolation) {
			said <- map[string]string{"Publish": "pub ", "Subscription": "sub "}[m[1]] + m[2]
			return
		}
		t.Errorf("%s: %v", role, err)
	})).Conn()
	for _, line := range lines {
		var err error
		if line[0] == "sub" {
			_, err = nc.SubscribeSync(line[1])
		} else {
			err = nc.PublishRequest(line[1], role.InboxPrefix()+".answer", nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Publish(never, nil); err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{}
	for {
		select {
		case what := <-said:
			if what == "pub "+never {
				return refused
			}
			refused[what] = true
		case <-time.After(30 * time.Second):
			t.Fatal("the server refuses nothing any more")
		}
	}
}

func TestNobodyMayDoWhatIsOthersToDo(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{Notary: true})
	if _, err := layout.Ensure(t.Context(), s.Connect(eventlog.Provisioner), config.Default(), provision.Reshape); err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	for line := range strings.Lines(forbidden) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "#" {
			lines = append(lines, fields)
		}
	}
	for _, role := range eventlog.Roles() {
		refused := try(t, s, role, lines)
		for _, line := range lines {
			allowed := strings.Contains(" "+strings.Join(line[2:], " ")+" ", " "+string(role)+" ")
			if what := line[0] + " " + line[1]; refused[what] == allowed {
				t.Errorf("%s: %s is refused: %v", role, what, refused[what])
			}
		}
	}
	// Root could have done all of it, so that it is the rights that refuse.
	results, err := layout.Ensure(t.Context(), s.Connect(permissionstest.Root), config.Default(), provision.Check)
	if err != nil {
		t.Error(err)
	}
	for _, r := range results {
		if !r.Right() {
			t.Errorf("%+v", r)
		}
	}
}

func TestRightsOfWhatIsNotUsedAreNotGiven(t *testing.T) {
	with := permissions.Options{LogView: true, Republish: true, Notary: true}
	for _, c := range []struct {
		role    eventlog.Role
		without permissions.Options
		subject string
	}{
		{eventlog.Gateway, permissions.Options{Republish: true, Notary: true}, "$JS.API.DIRECT.GET.AUDIT"},
		{eventlog.Gateway, permissions.Options{LogView: true, Notary: true}, "feed.>"},
		{eventlog.Persister, permissions.Options{LogView: true, Republish: true}, "audit.checkpoint"},
		{eventlog.Persister, permissions.Options{LogView: true, Republish: true}, "$JS.API.CONSUMER.CREATE.CHAT.*"},
	} {
		has := func(o permissions.Options) bool {
			r := permissions.Of(c.role, o)
			return strings.Contains(strings.Join(append(r.Publish, r.Subscribe...), " ")+" ", c.subject+" ")
		}
		if !has(with) || has(c.without) {
			t.Errorf("%s: %s: %v with, %v without", c.role, c.subject, has(with), has(c.without))
		}
	}
}

func TestAMissingRightIsAnErrorThatNamesTheSubject(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{})
	rights := eventlog.NewRights(eventlog.Auditor, slog.New(slog.DiscardHandler))
	nc := s.Connect(eventlog.Auditor, rights.Option("can.do.without")).Conn()
	for _, subject := range []string{"can.do.without", "chat.0.room.ngeneral", "audit.checkpoint"} {
		if err := nc.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-rights.Refused():
		for _, want := range []string{"auditor", "chat.0.room.ngeneral", "streams permissions"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in: %v", want, err)
			}
		}
	case <-time.After(30 * time.Second):
		t.Error("no error")
	}
}
