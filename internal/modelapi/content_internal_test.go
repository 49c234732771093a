package modelapi

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
)

func TestAMessageIsATextOrAListOfTexts(t *testing.T) {
	for body, want := range map[string]string{
		`"a line\nand \"quotes\" 한글 \u00e9"`:                                 "a line\nand \"quotes\" 한글 é",
		`[{"type":"text","text":"one"},{"type":"input_text","text":" two"}]`: "one two",
		`[]`:   "",
		`null`: "",
	} {
		var r chatRequest
		if err := read(httptest.NewRequest("POST", "/", strings.NewReader(`{"messages":[{"role":"user","content":`+body+`}]}`)), &r); err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if turn, err := r.Messages[0].turn(); err != nil || turn.Text != want || turn.Role != ai.RoleUser {
			t.Errorf("%s: %+v, %v", body, turn, err)
		}
	}
	for body, kind := range map[string]fault.Kind{
		`[{"type":"image_url","image_url":{"url":"data:"}}]`: fault.Unsupported,
		`[{"type":"text","text":7}]`:                         fault.Invalid,
		`[7]`:                                                fault.Unsupported,
		`7`:                                                  fault.Invalid,
		`{"text":"one"}`:                                     fault.Invalid,
	} {
		var r chatRequest
		if err := read(httptest.NewRequest("POST", "/", strings.NewReader(`{"messages":[{"role":"user","content":`+body+`}]}`)), &r); err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if _, err := r.Messages[0].turn(); !fault.Is(err, kind) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestARequestDoesNotSeeTheOneBeforeItsBuffer(t *testing.T) {
	var first, second chatRequest
	if err := read(httptest.NewRequest("POST", "/", strings.NewReader(`{"model":"one","tool_choice":{"type":"secret"}}`)), &first); err != nil {
		t.Fatal(err)
	}
	if err := read(httptest.NewRequest("POST", "/", strings.NewReader(`{"model":"two","tool_choice":{"type":"public"}}`)), &second); err != nil {
		t.Fatal(err)
	}
	if first.Model != "one" || string(first.ToolChoice) != `{"type":"secret"}` {
		t.Errorf("the first request became %+v", first)
	}
	if err := read(httptest.NewRequest("POST", "/", strings.NewReader("")), &second); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty request: %v", err)
	}
}
