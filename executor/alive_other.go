//go:build !linux

package executor

import "github.com/runfile/runfile/executor/engine"

// alive believes the record where processes cannot be looked at.
func alive(engine.Status) bool { return true }
