package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Read the file as serve would and say what is wrong, with the line."`
}

type configCheckCommand struct {
	serverFlags
}

// Run checks the flags and the file without starting anything.
func (c *configCheckCommand) Run() error {
	if _, err := c.options("data", false); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "the configuration is good")
	return nil
}

// byteSize is a number of bytes written as 512MiB, 4GiB or plain bytes.
type byteSize int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *byteSize) UnmarshalText(text []byte) error {
	number, unit := string(text), int64(1)
	for suffix, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if trimmed, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = trimmed, size
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n <= 0 || n > (1<<62)/unit {
		return fault.New(fault.Invalid, "%q is not a size: write 512MiB or 4GiB", text)
	}
	*b = byteSize(n * unit)
	return nil
}
