package mask

import (
	"fmt"
	"os"
	"testing"
)

func TestZZ(t *testing.T) {
	text := os.Getenv("ZZ")
	for _, sp := range detect(text, nil) {
		fmt.Printf("%s %q %v\n", sp.class, text[sp.start:sp.end], sp.global)
	}
	s := NewSession()
	out, err := s.Mask(text)
	fmt.Println(out, err)
}
