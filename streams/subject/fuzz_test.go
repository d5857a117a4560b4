package subject

import (
	"strings"
	"testing"
)

// Whatever two names are, they have one token only if they are one name, and their
// subjects are nothing but that to a server.
func FuzzToken(f *testing.F) {
	for _, s := range []string{"general", "*", ">", "a.b", "日本語", "\x00\r\n", strings.Repeat("x", 63), strings.Repeat("x", 200)} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if a == "" || b == "" {
			return
		}
		ta, tb := Token(a), Token(b)
		if (a == b) != (ta == tb) {
			t.Fatalf("Token(%q) = %q, Token(%q) = %q", a, ta, b, tb)
		}
		name, reversible, err := Name(ta)
		if err != nil || reversible && name != a || len(ta) > maxToken {
			t.Fatalf("Name(Token(%q)) = %q, %v, %v", a, name, reversible, err)
		}
		for _, kind := range []Kind{Room, DM, User} {
			subj := Of(Conversation{kind, a})
			if len(subj) > 255 || strings.Count(subj, ".") != 3 || strings.Trim(subj, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != "" {
				t.Fatalf("the subject of %q is not safe: %q", a, subj)
			}
			c, again, err := Parse(subj)
			if err != nil || c.Kind != kind || again != reversible || reversible && c.Name != a {
				t.Fatalf("Parse(%q) = %v, %v, %v", subj, c, again, err)
			}
		}
		if PairName(a, b) != PairName(b, a) || (PairName(a, a) == PairName(a, b)) != (a == b) {
			t.Fatalf("the pair of %q and %q", a, b)
		}
	})
}

// What can be read as the subject of a name is that name's only subject.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"chat.0.room.ngeneral", "chat.0.dm.habc", "chat.0.user.bmfra", "chat.0.room.bmfzg", "chat.0.room.*", "chat.0.room.>", "chat.0.room.n", "chat..room.nx", "room:general", "inbox:u1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, reversible, err := Parse(s); err == nil && reversible {
			if kind, token, _ := strings.Cut(s[strings.Index(s[len("chat."):], ".")+len("chat.")+1:], "."); string(c.Kind) != kind || Token(c.Name) != token {
				t.Fatalf("Parse(%q) = %v, of which the subject is %q", s, c, Of(c))
			}
		}
		if c, err := ParseConversation(s); err == nil && c.String() != s {
			t.Fatalf("ParseConversation(%q) = %v", s, c)
		}
	})
}
