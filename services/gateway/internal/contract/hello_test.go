package contract

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

var guestsToo = Options{AllowGuests: true, MaxRooms: 3}

func TestServerOffset(t *testing.T) {
	valid := map[string]Start{
		`null`: {Absent: true}, `0`: {}, `""`: {}, `"0"`: {}, `-0`: {}, `7`: {Offset: 7}, `"7"`: {Offset: 7}, `"007"`: {Offset: 7}, `7.0`: {Offset: 7},
		`9007199254740991`: {Offset: MaxOffset}, `"9007199254740991"`: {Offset: MaxOffset}, `"latest"`: {Latest: true},
	}
	for text, want := range valid {
		if got, err := ParseHello(auth(t, text), guestsToo); err != nil || got.Start != want || got.Epoch != "e" {
			t.Errorf("serverOffset %s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	if got, err := ParseHello(nil, guestsToo); err != nil || got.Start != (Start{Absent: true}) {
		t.Errorf("no auth: %+v, %v", got.Start, err)
	}
	for _, text := range []string{
		`-1`, `1.5`, `"-1"`, `"+1"`, `"1.5"`, `" 1"`, `"1 "`, `"0x10"`, `"1e3"`, `"1_000"`, `"LATEST"`, `"NaN"`, `{}`, `[]`, `[1]`, `true`, `false`,
		`9007199254740993`, `"9007199254740992"`, `1e300`, `"` + strings.Repeat("9", 400) + `"`, `"١"`, `"\u0000"`,
	} {
		if got, err := ParseHello(auth(t, text), guestsToo); !errors.Is(err, ErrInvalidOffset) {
			t.Errorf("serverOffset %s: %+v, %v; want %q", text, got, err, ErrInvalidOffset)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := ParseHello(map[string]any{"serverOffset": v}, guestsToo); !errors.Is(err, ErrInvalidOffset) {
			t.Errorf("serverOffset %v: %v", v, err)
		}
	}
}

func auth(t *testing.T, serverOffset string) map[string]any {
	t.Helper()
	return object(t, `{"serverOffset":`+serverOffset+`,"pid":"x","offset":"y","epoch":"e"}`)
}

func object(t *testing.T, text string) (fields map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return fields
}

func TestWhoConnects(t *testing.T) {
	guest := Hello{Guest: true}
	longest := strings.Repeat("é", 64)
	for _, c := range []struct {
		auth string
		want Hello
		err  error
	}{
		{`null`, guest, nil},
		{`{}`, guest, nil},
		{`{"pid":"x","offset":1}`, guest, nil},
		{`{"token":null,"sessionID":null}`, guest, nil},
		{`{"name":"zoe","userID":"u1"}`, guest, nil},

		{`{"username":"zoe"}`, Hello{Username: "zoe"}, nil},
		{`{"username":" "}`, Hello{Username: " "}, nil},
		{`{"username":"` + longest + `"}`, Hello{Username: longest}, nil},
		{`{"username":"` + longest + `é"}`, Hello{}, ErrInvalidUsername},
		{`{"username":"` + strings.Repeat("x", 65) + `"}`, Hello{}, ErrInvalidUsername},
		{`{"username":""}`, Hello{}, ErrInvalidUsername},
		{`{"username":7}`, Hello{}, ErrInvalidUsername},
		{`{"username":null}`, Hello{}, ErrInvalidUsername},
		{`{"username":["zoe"]}`, Hello{}, ErrInvalidUsername},

		{`{"sessionID":"s"}`, Hello{SessionID: "s"}, nil},
		{`{"sessionID":"s","username":"zoe"}`, Hello{SessionID: "s", Username: "zoe"}, nil},
		{`{"sessionID":"s","username":""}`, Hello{SessionID: "s"}, nil},
		{`{"sessionID":"s","username":7}`, Hello{SessionID: "s"}, nil},
		{`{"sessionID":"s","username":"` + strings.Repeat("x", 65) + `"}`, Hello{SessionID: "s"}, nil},
		{`{"sessionID":7,"username":"zoe"}`, Hello{Username: "zoe"}, nil},
		{`{"sessionID":"","username":"zoe"}`, Hello{Username: "zoe"}, nil},
		{`{"sessionID":""}`, Hello{}, ErrInvalidUsername},
		{`{"sessionID":7}`, Hello{}, ErrInvalidUsername},
		{`{"sessionID":{"$ne":null}}`, Hello{}, ErrInvalidUsername},
		{`{"sessionID":false,"username":""}`, Hello{}, ErrInvalidUsername},

		{`{"token":"x"}`, Hello{}, ErrNoTokens},
		{`{"token":7,"username":"zoe","sessionID":"s"}`, Hello{}, ErrNoTokens},
		{`{"token":null,"username":"zoe"}`, Hello{Username: "zoe"}, nil},
	} {
		c.want.Start.Absent = c.err == nil
		got, err := ParseHello(object(t, c.auth), guestsToo)
		if !errors.Is(err, c.err) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("auth %s: %+v, %v; want %+v, %v", c.auth, got, err, c.want, c.err)
		}
		if c.want.Guest {
			c.err = ErrNoGuests
		}
		if _, err = ParseHello(object(t, c.auth), Options{}); !errors.Is(err, c.err) {
			t.Errorf("auth %s, no guests: %v, want %v", c.auth, err, c.err)
		}
	}
}

func TestRoomsOfAHello(t *testing.T) {
	longest := strings.Repeat("é", 128)
	for text, want := range map[string][]string{
		`null`: nil, `[]`: nil, `["a"]`: {"a"}, `["b","a","c"]`: {"b", "a", "c"}, `["a","b","a","c","a","b"]`: {"a", "b", "c"},
		`["` + longest + `"]`: {longest}, `["general"," "]`: {"general", " "},
	} {
		for _, who := range []string{"", `"username":"zoe",`} {
			got, err := ParseHello(object(t, `{`+who+`"rooms":`+text+`}`), guestsToo)
			if err != nil || !reflect.DeepEqual(got.Rooms, want) {
				t.Errorf("rooms %s: %q, %v; want %q", text, got.Rooms, err, want)
			}
		}
	}
	for _, text := range []string{
		`"a"`, `{}`, `7`, `true`, `[7]`, `[null]`, `[""]`, `["a",""]`, `[["a"]]`, `["a","b","c","d"]`, `["` + longest + `é"]`,
	} {
		if got, err := ParseHello(object(t, `{"rooms":`+text+`}`), guestsToo); !errors.Is(err, ErrInvalidRooms) {
			t.Errorf("rooms %s: %q, %v", text, got.Rooms, err)
		}
	}
}

func TestATokenDecidesBeforeEverything(t *testing.T) {
	taken, wanted := Options{Tokens: true, AllowGuests: true, MaxRooms: 3}, Options{Tokens: true, TokensRequired: true, AllowGuests: true, MaxRooms: 3}
	for _, c := range []struct {
		auth string
		o    Options
		want Hello
		err  error
	}{
		{`{"token":"t"}`, taken, Hello{Token: "t"}, nil},
		{`{"token":"t","sessionID":"s","username":"zoe"}`, wanted, Hello{Token: "t", SessionID: "s"}, nil},
		{`{"token":"t","username":7,"sessionID":7}`, taken, Hello{Token: "t"}, nil},
		{`{"token":"t","rooms":["a"],"serverOffset":"latest"}`, taken, Hello{Token: "t", Rooms: []string{"a"}, Start: Start{Latest: true}}, nil},
		{`{"token":"t","rooms":7,"sessionID":"s"}`, taken, Hello{Token: "t", SessionID: "s"}, ErrInvalidRooms},
		{`{"token":"t","serverOffset":-1}`, wanted, Hello{Token: "t"}, ErrInvalidOffset},
		{`{"token":""}`, taken, Hello{}, ErrInvalidToken},
		{`{"token":7,"username":"zoe"}`, taken, Hello{}, ErrInvalidToken},
		{`{"token":["t"],"serverOffset":-1}`, wanted, Hello{}, ErrInvalidToken},
		{`{"token":"t"}`, guestsToo, Hello{}, ErrNoTokens},
		{`{"token":""}`, guestsToo, Hello{}, ErrNoTokens},
		{`{"token":null}`, taken, Hello{Guest: true}, nil},
		{`{"username":"zoe"}`, taken, Hello{Username: "zoe"}, nil},
		{`null`, wanted, Hello{}, ErrTokenRequired},
		{`{"token":null,"username":"zoe"}`, wanted, Hello{}, ErrTokenRequired},
		{`{"sessionID":"s","serverOffset":-1}`, wanted, Hello{}, ErrTokenRequired},
	} {
		want := c.want
		if c.err == nil && want.Start == (Start{}) {
			want.Start.Absent = true
		}
		got, err := ParseHello(object(t, c.auth), c.o)
		if !errors.Is(err, c.err) || !reflect.DeepEqual(got, want) || (err != nil) != EndsAttempts(err) {
			t.Errorf("%s: %+v, %v; want %+v, %v", c.auth, got, err, want, c.err)
		}
	}
}
