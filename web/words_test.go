package web

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/matrix-aiops/matrix/internal/mask"
)

func TestEveryClassOfMaskedValuesHasWordsInBothLanguages(t *testing.T) {
	for _, language := range []string{"ko", "en"} {
		data, err := os.ReadFile("src/i18n/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var catalogue struct {
			Masking struct {
				Class map[string]string `json:"class"`
			} `json:"masking"`
		}
		if err := json.Unmarshal(data, &catalogue); err != nil {
			t.Fatal(err)
		}
		words := catalogue.Masking.Class
		for _, class := range mask.Classes() {
			if words[string(class)] == "" {
				t.Errorf("%s.json has no words for the class %q", language, class)
			}
			delete(words, string(class))
		}
		for class := range words {
			t.Errorf("%s.json has words for %q, which is no class", language, class)
		}
	}
}
