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
