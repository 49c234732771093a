package mask_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/mask"
)

func TestALargePromptIsMaskedWhole(t *testing.T) {
	var b strings.Builder
	s := mask.NewSession()
	for i := range 400 {
		s.Learn(mask.Value{Class: mask.Table, Text: fmt.Sprintf("tb_secret_%d", i)})
	}
	for i := range 3000 {
		fmt.Fprintf(&b, "[E%d] statement: SELECT a, b FROM tb_secret_%d WHERE mail = 'u%d@kakao.com' took %d ms\n", i, i%400, i%50, i)
	}
	if out := masked(t, s, b.String()); strings.Contains(out, "secret") || strings.Contains(out, "kakao") {
		t.Error("an original survived")
	}
}

func TestMaskingAPromptTakesFewPiecesOfMemory(t *testing.T) {
	text := evidence(4 << 10)
	made := testing.AllocsPerRun(200, func() {
		s := mask.NewSession()
		s.Learn(known...)
		if _, err := s.Mask(text); err != nil {
			t.Fatal(err)
		}
	})
	if made > 120 { // it was 360 when each look at a text had memory of its own
		t.Errorf("masking %d bytes takes %.0f pieces of memory", len(text), made)
	}
}

func TestTheGateTakesNoMemoryButForATextWithoutItsEscapes(t *testing.T) {
	s := mask.NewSession()
	s.Learn(known...)
	body := request(t, "Analyse.", masked(t, s, evidence(4<<10)))
	made := testing.AllocsPerRun(200, func() {
		if err := s.Gate(body, "gpt-4.1-mini", "report"); err != nil {
			t.Fatal(err)
		}
	})
	if made > 2 {
		t.Errorf("the gate takes %.0f pieces of memory", made)
	}
}
