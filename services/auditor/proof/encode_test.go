package proof_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/tidemark-chat/tidemark/services/auditor/proof"
)

func TestWhatIsEncodedHoldsNothingThatATerminalObeysOrAPageRuns(t *testing.T) {
	var all strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r < 0xd800 || r > 0xdfff {
			all.WriteRune(r)
		}
	}
	line, err := proof.Encode(all.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range strings.TrimSuffix(string(line), "\n") {
		if unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || strings.ContainsRune("<>&", r) {
			t.Errorf("%U stands as it is", r)
		}
	}
	var back string
	if err := json.Unmarshal(line, &back); err != nil || back != all.String() {
		t.Errorf("it does not mean the same: %v", err)
	}
}
