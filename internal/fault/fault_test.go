package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

func TestKindSurvivesWrapping(t *testing.T) {
	err := fmt.Errorf("load role: %w", fault.New(fault.NotFound, "role %q does not exist", "x"))
	if got := fault.KindOf(err); got != fault.NotFound {
		t.Fatalf("KindOf = %v, want not_found", got)
	}
	if !fault.Is(err, fault.NotFound) || fault.Is(nil, fault.Internal) {
		t.Fatal("Is must follow the chain and refuse nil")
	}
}

func TestAnUnclassifiedErrorIsInternal(t *testing.T) {
	if got := fault.KindOf(errors.New("boom")); got != fault.Internal {
		t.Fatalf("KindOf = %v, want internal", got)
	}
}

func TestTheCauseIsKeptOutOfTheMessage(t *testing.T) {
	cause := errors.New("password=hunter2")
	err := fault.As(fault.Wrap(cause, fault.Unavailable, "the engine does not answer"))
	if err.Message != "the engine does not answer" || !errors.Is(err, cause) {
		t.Fatalf("message %q, unwrap %v", err.Message, errors.Unwrap(err))
	}
	if fault.Wrap(nil, fault.Invalid, "x") != nil {
		t.Fatal("Wrap(nil) must be nil")
	}
	if got := err.WithRetryAfter(time.Second).RetryAfter; got != time.Second {
		t.Fatalf("RetryAfter = %v", got)
	}
}

func TestEveryKindHasAName(t *testing.T) {
	seen := map[string]bool{}
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		if seen[k.String()] {
			t.Fatalf("kind %d shares the name %s", k, k)
		}
		seen[k.String()] = true
	}
}
