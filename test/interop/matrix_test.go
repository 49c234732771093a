//go:build interop

package interop

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
	"github.com/matrix-aiops/matrix/internal/client"
)

// matrix is the real app on free ports with an embedded engine, as `matrix serve --dev` runs it.
type matrix struct {
	t       *testing.T
	app     *app.App
	user    *client.Client
	project int64
}

// startMATRIX starts MATRIX and signs in. It ends with the test.
func startMATRIX(t *testing.T) *matrix {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	options := app.Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", OTLPGRPC: "127.0.0.1:0", OTLPHTTP: "127.0.0.1:0",
		Dev: true, Version: "test", EngineMemory: 2 << 30, EngineCommand: []string{executable, "engine"}, Console: t.Output(),
	}
	if err := options.Check(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m := &matrix{t: t, app: app.New(options, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))}
	if err := m.app.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := m.app.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	first := m.app.FirstStart()
	m.project = int64(first.Project.ID)
	if m.user, err = client.SignIn(ctx, m.app.URL(), first.Email, first.Password); err != nil {
		t.Fatal(err)
	}
	return m
}

// endpoint is the OTLP endpoint, the one thing that a program is told.
func (m *matrix) endpoint() string { return m.app.OTLPHTTPURL() }

// incident is what an incident page shows.
type incident struct {
	ID       int64  `json:"id"`
	Service  string `json:"service"`
	Matches  int    `json:"matches"`
	Analysis string `json:"analysis"`
	Alarm    string `json:"alarm"`
	Report   *struct {
		Summary     point   `json:"summary"`
		Transaction []point `json:"transaction"`
		Analysis    []point `json:"analysis"`
		Actions     []point `json:"actions"`
	} `json:"report"`
	Evidence []struct {
		ID   string `json:"id"`
		Kind string `json:"kind"`
		Text string `json:"text"`
	} `json:"evidence"`
}

type point struct {
	Text     string   `json:"text"`
	Evidence []string `json:"evidence"`
}

// facts are the texts of the evidence, one a line.
func (i incident) facts() string {
	var b strings.Builder
	for _, fact := range i.Evidence {
		fmt.Fprintf(&b, "%s %s: %s\n", fact.ID, fact.Kind, fact.Text)
	}
	return b.String()
}

// words are the sentences of the report, one a line.
func (i incident) words() string {
	points := append([]point{i.Report.Summary}, i.Report.Transaction...)
	points = append(append(points, i.Report.Analysis...), i.Report.Actions...)
	var b strings.Builder
	for _, p := range points {
		b.WriteString(p.Text + "\n")
	}
	return b.String()
}

// awaitReport waits until MATRIX has an incident with its report.
func (m *matrix) awaitReport() incident {
	m.t.Helper()
	list := fmt.Sprintf("/api/v1/projects/%d/incidents", m.project)
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for ctx.Err() == nil {
		var page struct {
			Items []incident `json:"items"`
		}
		if _, err := m.user.Get(ctx, list, &page); err != nil {
			m.t.Fatal(err)
		}
		if len(page.Items) > 0 && page.Items[0].Analysis == "done" {
			var found incident
			if _, err := m.user.Get(ctx, fmt.Sprintf("%s/%d", list, page.Items[0].ID), &found); err != nil {
				m.t.Fatal(err)
			}
			return found
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	m.t.Fatal("no incident with a report")
	return incident{}
}
