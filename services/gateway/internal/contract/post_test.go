package contract

import (
	"encoding/json"
	"strings"
	"testing"
)

const limit = 10 // bytes of content

func list(t *testing.T, text string) (args []any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return args
}

// check compares what became of arguments: a value or the code of a refusal.
func check[T comparable](t *testing.T, args string, got T, refusal *Refusal, want T, wantCode Code) {
	t.Helper()
	var code Code
	if refusal != nil {
		code = refusal.Code
		if refusal.Message == "" {
			t.Errorf("%s: refused without a word", args)
		}
	}
	if got != want || code != wantCode {
		t.Errorf("%s: %+v, %q; want %+v, %q", args, got, code, want, wantCode)
	}
}

func TestChatMessageArguments(t *testing.T) {
	for _, c := range []struct {
		args string
		want Post
		code Code
	}{
		{`["hi"]`, Post{Content: "hi"}, ""},
		{`["hi",null]`, Post{Content: "hi"}, ""},
		{`["hi","k"]`, Post{Content: "hi", Key: "k"}, ""},
		{`[" "]`, Post{Content: " "}, ""},
		{`["<b>\u0000"]`, Post{Content: "<b>\x00"}, ""},
		{`["0123456789"]`, Post{Content: "0123456789"}, ""},
		{`["01234567890"]`, Post{}, TooLarge},
		{`["ééééé"]`, Post{Content: "ééééé"}, ""},
		{`["éééééé"]`, Post{}, TooLarge},
		{`[]`, Post{}, InvalidPayload},
		{`[""]`, Post{}, InvalidPayload},
		{`[null]`, Post{}, InvalidPayload},
		{`[7]`, Post{}, InvalidPayload},
		{`[{}]`, Post{}, InvalidPayload},
		{`[["hi"]]`, Post{}, InvalidPayload},
		{`[true,"k"]`, Post{}, InvalidPayload},
		{`["hi",7]`, Post{}, InvalidPayload},
		{`["hi",""]`, Post{}, InvalidPayload},
		{`["hi",{}]`, Post{}, InvalidPayload},
		{`["hi","k","x"]`, Post{}, InvalidPayload},
		{`["hi","` + strings.Repeat("k", 128) + `"]`, Post{Content: "hi", Key: strings.Repeat("k", 128)}, ""},
		{`["hi","` + strings.Repeat("é", 128) + `"]`, Post{Content: "hi", Key: strings.Repeat("é", 128)}, ""},
		{`["hi","` + strings.Repeat("k", 129) + `"]`, Post{}, InvalidPayload},
	} {
		got, refusal := ParseChatMessage(list(t, c.args), limit)
		check(t, c.args, got, refusal, c.want, c.code)
	}
}

func TestNewMessageArguments(t *testing.T) {
	for _, c := range []struct {
		args string
		want Post
		code Code
	}{
		{`["hi"]`, Post{Content: "hi"}, ""},
		{`["01234567890"]`, Post{}, TooLarge},
		{`[]`, Post{}, InvalidPayload},
		{`[""]`, Post{}, InvalidPayload},
		{`[{"content":"hi"}]`, Post{}, InvalidPayload},
		{`["hi",null]`, Post{}, InvalidPayload},
		{`["hi","k"]`, Post{}, InvalidPayload},
	} {
		got, refusal := ParseNewMessage(list(t, c.args), limit)
		check(t, c.args, got, refusal, c.want, c.code)
	}
}

func TestRoomMessageArguments(t *testing.T) {
	longest := strings.Repeat("é", 128)
	hi := Post{Content: "hi"}
	for _, c := range []struct {
		args string
		want RoomMessage
		code Code
	}{
		{`[{"room":"a","content":"hi"}]`, RoomMessage{"a", hi}, ""},
		{`[{"room":"a","content":"hi","clientOffset":null,"more":1}]`, RoomMessage{"a", hi}, ""},
		{`[{"room":"a","content":"hi","clientOffset":"k"}]`, RoomMessage{"a", Post{"hi", "k"}}, ""},
		{`[{"room":"` + longest + `","content":"hi"}]`, RoomMessage{longest, hi}, ""},
		{`[{"room":"` + longest + `é","content":"hi"}]`, RoomMessage{}, InvalidPayload},
		{`[{"room":"","content":"hi"}]`, RoomMessage{}, InvalidPayload},
		{`[{"room":null,"content":"hi"}]`, RoomMessage{}, InvalidPayload},
		{`[{"room":["a"],"content":"hi"}]`, RoomMessage{}, InvalidPayload},
		{`[{"content":"hi"}]`, RoomMessage{}, InvalidPayload},
		{`[{"room":"a"}]`, RoomMessage{}, InvalidPayload},
		{`[{"room":"a","content":""}]`, RoomMessage{}, InvalidPayload},
		{`[{"room":"a","content":"01234567890"}]`, RoomMessage{}, TooLarge},
		{`[{"room":"a","content":"hi","clientOffset":""}]`, RoomMessage{}, InvalidPayload},
		{`[{"room":"a","content":"hi","clientOffset":7}]`, RoomMessage{}, InvalidPayload},
		{`[{"room":"a","content":"hi"},"k"]`, RoomMessage{}, InvalidPayload},
		{`["hi"]`, RoomMessage{}, InvalidPayload},
		{`[null]`, RoomMessage{}, InvalidPayload},
		{`[[]]`, RoomMessage{}, InvalidPayload},
		{`[]`, RoomMessage{}, InvalidPayload},
	} {
		got, refusal := ParseRoomMessage(list(t, c.args), limit)
		check(t, c.args, got, refusal, c.want, c.code)
	}
}

func TestPrivateMessageArguments(t *testing.T) {
	longest := strings.Repeat("u", 128)
	for _, c := range []struct {
		args string
		want PrivateMessage
		code Code
	}{
		{`[{"to":"u1","content":"hi"}]`, PrivateMessage{"u1", Post{Content: "hi"}}, ""},
		{`[{"to":"u1","content":"hi","clientOffset":"k","from":"x"}]`, PrivateMessage{"u1", Post{"hi", "k"}}, ""},
		{`[{"to":"` + longest + `","content":"hi"}]`, PrivateMessage{longest, Post{Content: "hi"}}, ""},
		{`[{"to":"` + longest + `u","content":"hi"}]`, PrivateMessage{}, InvalidPayload},
		{`[{"to":"","content":"hi"}]`, PrivateMessage{}, InvalidPayload},
		{`[{"to":{"$ne":""},"content":"hi"}]`, PrivateMessage{}, InvalidPayload},
		{`[{"content":"hi"}]`, PrivateMessage{}, InvalidPayload},
		{`[{"to":"u1","content":["hi"]}]`, PrivateMessage{}, InvalidPayload},
		{`[{"to":"u1","content":"01234567890"}]`, PrivateMessage{}, TooLarge},
		{`[{"to":"u1","content":"hi","clientOffset":[]}]`, PrivateMessage{}, InvalidPayload},
		{`["hi","u1"]`, PrivateMessage{}, InvalidPayload},
		{`[]`, PrivateMessage{}, InvalidPayload},
	} {
		got, refusal := ParsePrivateMessage(list(t, c.args), limit)
		check(t, c.args, got, refusal, c.want, c.code)
	}
}
