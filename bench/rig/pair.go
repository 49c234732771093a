package rig

import (
	"context"
	"errors"
	"os"
)

// Pair is MATRIX on an engine that the benchmark can look into, with what both
// store in a directory of their own.
type Pair struct {
	Engine *Engine
	Matrix *Matrix
	dir    string
}

// StartPair starts both for the first time. name tells the directory from those of others.
func StartPair(ctx context.Context, name, database, binary string) (_ *Pair, err error) {
	p := &Pair{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Stop())
		}
	}()
	if p.dir, err = os.MkdirTemp("", "matrix-"+name+"-"); err != nil {
		return nil, err
	}
	if p.Engine, err = StartEngine(ctx, p.dir, database); err != nil {
		return nil, err
	}
	p.Matrix, err = StartMatrix(ctx, p.dir, binary, "--clickhouse", p.Engine.DSN())
	return p, err
}

// Stop ends both, MATRIX first, and removes what they stored.
func (p *Pair) Stop() error {
	var all []error
	if p.Matrix != nil {
		all = append(all, p.Matrix.Stop())
	}
	if p.Engine != nil {
		all = append(all, p.Engine.Stop())
	}
	return errors.Join(append(all, os.RemoveAll(p.dir))...)
}
