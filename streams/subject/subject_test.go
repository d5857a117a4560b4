package subject

import (
	"strings"
	"testing"
)

func TestOfAndParseAreInverse(t *testing.T) {
	names := []string{
		"general", "a", "A-b_9", ">", "*", "a.b", "chat.>", " ", "\x00", "räum", "日本語",
		strings.Repeat("x", 63), strings.Repeat("x", 64), strings.Repeat("é", 19), strings.Repeat("é", 128),
		"ngeneral", "bmfzg", "room:general", "a b", "\r\nPUB x 1\r\n", "undefined",
	}
	seen := map[string]string{}
	for _, name := range names {
		subj := Of(Conversation{Room, name})
		if other, dup := seen[subj]; dup {
			t.Errorf("%q and %q share subject %q", name, other, subj)
		}
		seen[subj] = name
		if len(subj) > 255 || strings.ContainsAny(subj, "*> \r\n\x00") || strings.Count(subj, ".") != 3 {
			t.Errorf("subject of %q is not safe: %q", name, subj)
		}
		c, reversible, err := Parse(subj)
		if err != nil {
			t.Errorf("Parse(%q): %v", subj, err)
			continue
		}
		if reversible && c != (Conversation{Room, name}) {
			t.Errorf("Parse(Of(%q)) = %q", name, c.Name)
		}
		if !reversible && len(name) < 40 {
			t.Errorf("the short name %q is hashed", name)
		}
	}
}

func TestParseRefusesForeignSubjects(t *testing.T) {
	for _, subj := range []string{
		"", "chat", "chat.0.room", "chat.0.room.", "chat.0.room.x", "chat.0.room.nx.y", "other.0.room.nx",
		"chat.0.door.nx", "chat.0.room.n*", "chat.0.room.b1", "chat.0.room.bMFZG", "chat.0.room.n" + strings.Repeat("x", 64),
	} {
		if c, _, err := Parse(subj); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", subj, c)
		}
	}
}

func TestPairNameIsSymmetricAndUnambiguous(t *testing.T) {
	if PairName("a", "b") != PairName("b", "a") {
		t.Error("the order of the users matters")
	}
	if PairName("ab", "c") == PairName("a", "bc") {
		t.Error("the border between the ids does not matter")
	}
}

func TestConversationTextForm(t *testing.T) {
	for _, c := range []Conversation{General, {DM, PairName("a", "b")}, {User, "u:1"}, {Room, "a:b:c"}} {
		got, err := ParseConversation(c.String())
		if err != nil || got != c {
			t.Errorf("ParseConversation(%q) = %v, %v", c.String(), got, err)
		}
	}
	for _, s := range []string{"", "room", "room:", ":x", "door:x"} {
		if _, err := ParseConversation(s); err == nil {
			t.Errorf("ParseConversation(%q) passed", s)
		}
	}
}
