package tenant

import (
	"testing"
	"time"
)

// The vectors of RFC 6238, appendix B, for HMAC-SHA-1 and eight digits.
func TestCodesAreThoseOfRFC6238(t *testing.T) {
	key := []byte("12345678901234567890")
	f := func(unix int64, want string) {
		t.Helper()
		if got := hotp(key, uint64(stepOf(time.Unix(unix, 0))), 8); got != want {
			t.Errorf("at %d: %s, want %s", unix, got, want)
		}
	}
	f(59, "94287082")
	f(1111111109, "07081804")
	f(1111111111, "14050471")
	f(1234567890, "89005924")
	f(2000000000, "69279037")
	f(20000000000, "65353130")
}

// The vectors of RFC 4226, appendix D, for six digits.
func TestSixDigitsAreThoseOfRFC4226(t *testing.T) {
	key := []byte("12345678901234567890")
	for counter, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := hotp(key, uint64(counter), 6); got != want {
			t.Errorf("counter %d: %s, want %s", counter, got, want)
		}
	}
}

func TestACodeIsGoodOneStepEitherWayAndNoFurther(t *testing.T) {
	key := []byte("12345678901234567890")
	now := time.Unix(1111111109, 0)
	for off := int64(-3); off <= 3; off++ {
		code := hotp(key, uint64(stepOf(now)+off), totpDigits)
		if got, want := matchCode(key, code, now) != 0, off >= -1 && off <= 1; got != want {
			t.Errorf("%d steps off: %v", off, got)
		}
	}
}
