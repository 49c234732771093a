package mask_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/mask"
)

const recordedText = `kim@shop.co.kr and 010-1234-5678 on 10.1.2.3 asked db01.shop.internal:
SELECT name FROM ORDERS o JOIN orders_2025 p WHERE o.mail = 'lee@shop.co.kr'`

func TestATextThatAnotherSessionMaskedStaysAsItIsWhenItsTokensAreAdopted(t *testing.T) {
	before := mask.NewSession()
	masked, err := before.Mask(recordedText)
	if err != nil {
		t.Fatal(err)
	}
	fresh := mask.NewSession()
	if again, err := fresh.Mask(masked); err != nil || again == masked {
		t.Fatalf("there is nothing to adopt, the test shows nothing: %q, %v", again, err)
	}
	for what, tokens := range map[string][]mask.Token{"by their shapes": mask.Recorded(masked), "with what they stand for": before.Tokens()} {
		s := mask.NewSession()
		s.Adopt(tokens...)
		again, err := s.Mask(masked)
		if err != nil || again != masked {
			t.Errorf("%s: masked again it is\n%s\n%v, it was\n%s", what, again, err, masked)
		}
		if err := s.Gate([]byte(again)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if unknown := s.Unknown(masked); len(unknown) > 0 {
			t.Errorf("%s: %q are known", what, unknown)
		}
	}
}

func TestATokenOfWhichNobodyKnowsTheOriginalStandsForItself(t *testing.T) {
	before := mask.NewSession()
	masked, err := before.Mask(recordedText)
	if err != nil {
		t.Fatal(err)
	}
	s := mask.NewSession()
	s.Adopt(mask.Recorded(masked)...)
	both, err := s.Mask(masked + "\nalso park@shop.co.kr")
	if err != nil || strings.Contains(both, "park@") || !strings.HasPrefix(both, masked) {
		t.Fatalf("a new value beside recorded tokens: %q, %v", both, err)
	}
	if got := s.Unmask(both); got != masked+"\nalso park@shop.co.kr" {
		t.Errorf("put back: %q", got)
	}
	if tokens := s.Tokens(); len(tokens) != 1 || tokens[0].Value != "park@shop.co.kr" {
		t.Errorf("what tokens stand for: %+v", tokens)
	}
}

func TestAdoptedOriginalsArePutBackAndMaskedByTheirTokensEverywhere(t *testing.T) {
	before := mask.NewSession()
	masked, err := before.Mask(recordedText)
	if err != nil {
		t.Fatal(err)
	}
	s := mask.NewSession()
	s.Adopt(before.Tokens()...)
	if got := s.Unmask(masked); !strings.EqualFold(got, recordedText) {
		t.Errorf("put back: %q", got)
	}
	said, err := s.Mask("it was kim@shop.co.kr, on orders_2025")
	if err != nil || strings.Contains(said, "kim@") || strings.Contains(said, "2025") {
		t.Fatalf("%q, %v", said, err)
	}
	for _, token := range before.Tokens() {
		if token.Value == "kim@shop.co.kr" && !strings.Contains(said, token.Token) {
			t.Errorf("%q has another token than %q", said, token.Token)
		}
	}
}

func TestOnlyShapesOfTokensAreTakenForRecordedOnes(t *testing.T) {
	tokens := mask.Recorded("tbl427kx, K3X9D, host234ac.example.com, MAIL234ac@x.example, 198.18.100.200, 8.8.8.8, 010-0123-4567, 010-9123-4567, btbl427kx, tbl427kx")
	var got []string
	for _, token := range tokens {
		got = append(got, token.Token)
	}
	want := []string{"tbl427kx", "host234ac", "MAIL234ac@x.example", "198.18.100.200", "010-0123-4567"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
