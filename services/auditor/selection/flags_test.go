package selection

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func parse(args ...string) (Selection, error) {
	var s Selection
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	s.AddFlags(flags)
	err := flags.Parse(args)
	return s, err
}

func TestFlagsMakeASelection(t *testing.T) {
	got, err := parse("--from=7", "--to=9", "--since=2026-01-02", "--until=2026-01-02T15:04:05+01:00",
		"--room=general", "--room=a,b", "--between=alice,bob", "--sender=carol", "--sender=dave", "--type=message.posted", "--type=x")
	want := Selection{
		From: 7, To: 9, Since: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 1, 2, 14, 4, 5, 0, time.UTC),
		Rooms: []string{"general", "a,b"}, Between: []string{"alice", "bob"}, Senders: []string{"carol", "dave"},
		Types: []string{"message.posted", "x"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if none, err := parse(); err != nil || !reflect.DeepEqual(none, Selection{}) {
		t.Errorf("%+v, %v", none, err)
	}
}

func TestBadValuesNameTheFlagAndWhatIsAllowed(t *testing.T) {
	for _, test := range []struct{ arg, allowed string }{
		{"--from=0", "1 or more"},
		{"--from=-1", "1 or more"},
		{"--to=x", "1 or more"},
		{"--to=99999999999999999999", "1 or more"},
		{"--since=yesterday", "2006-01-02"},
		{"--since=-2h", "90m, 2h, 3d"},
		{"--until=2026-13-01", "2006-01-02"},
		{"--until=", "2006-01-02"},
		{"--room=", "must not be empty"},
		{"--sender=", "must not be empty"},
		{"--type=", "must not be empty"},
		{"--between=alice", "two users"},
		{"--between=alice,", "two users"},
		{"--between=a,b,c", "two users"},
	} {
		_, err := parse(test.arg)
		flag, _, _ := strings.Cut(test.arg, "=")
		if err == nil || !strings.Contains(err.Error(), flag) || !strings.Contains(err.Error(), test.allowed) {
			t.Errorf("%s: %v", test.arg, err)
		}
	}
}

func TestTimesAndAges(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.FixedZone("", 3600))
	for text, want := range map[string]string{
		"2026-01-02":                     "2026-01-02T00:00:00Z",
		"2026-01-02 15:04":               "2026-01-02T15:04:00Z",
		"2026-01-02T15:04:05":            "2026-01-02T15:04:05Z",
		"2026-01-02T15:04:05.123456789Z": "2026-01-02T15:04:05.123456789Z",
		"2026-01-02T15:04:05-08:00":      "2026-01-02T23:04:05Z",
		"2h":                             "2026-03-10T09:00:00Z",
		"3d":                             "2026-03-07T11:00:00Z",
		"1d12h":                          "2026-03-08T23:00:00Z",
		"90m":                            "2026-03-10T09:30:00Z",
		"100000d":                        "1752-05-25T11:00:00Z",
	} {
		got, err := parseTime(text, now)
		if err != nil || got.Format(time.RFC3339Nano) != want || got.Location() != time.UTC {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "3", "-3d", "3d-1h", "1.5d", "100001d", "3dd", "9999999999h", "2026-01-02T15:04:05 UTC", "now"} {
		if got, err := parseTime(text, now); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func FuzzTimes(f *testing.F) {
	f.Add("3d")
	f.Add("2026-01-02T15:04:05+01:00")
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if age, ok := parseAge(text); ok && age < 0 {
			t.Errorf("%q is the age %v", text, age)
		}
		if at, err := parseTime(text, now); err == nil && at.Location() != time.UTC {
			t.Errorf("%q is not in UTC", text)
		}
	})
}
