package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fake/idp"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
)

// TestTheScreensOfADemoRun drives the built UI in a real Chromium against a
// MATRIX that holds an incident of the simulated shop (web/e2e/*.spec.ts).
func TestTheScreensOfADemoRun(t *testing.T) {
	if _, err := os.Stat("../../web/dist/index.html"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("the UI is not built: make web")
		}
		t.Skip("needs the built UI: make web")
	}
	model, useModel := startModel(t)
	model.Script(llm.Reply{Text: "I would rather not."}) // its first answer is refused
	h := start(t, useModel, scrapeTargets(t))
	market := h.shop()
	if err := market.Backfill(t.Context()); err != nil {
		t.Fatal(err)
	}
	market.SlowSQL()
	h.runShop(market)
	detail := h.analysed()

	people := idp.Start(t, h.app.URL()+"/api/v1/session/oidc/corp/callback")
	people.Set(idp.Person{Subject: "ann", Email: "ann@corp.example", Verified: true, Name: "Ann Lee", Groups: []string{"sre"}})

	ctx, cancel := context.WithTimeout(t.Context(), 35*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "run", "--silent", "e2e")
	cmd.Dir = "../../web"
	cmd.Env = append(os.Environ(), "MATRIX_URL="+h.app.URL(), "MATRIX_EMAIL="+h.email, "MATRIX_PASSWORD="+h.pass, "MATRIX_OTLP="+h.app.OTLPHTTPURL(), "MATRIX_KEY="+h.key, "MATRIX_IDP="+people.URL,
		fmt.Sprintf("MATRIX_PROJECT=%d", h.project), fmt.Sprintf("MATRIX_INCIDENT=%d", detail.ID))
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Run(); err != nil {
		t.Fatalf("browser tests: %v", err)
	}
}
