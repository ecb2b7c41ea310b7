//go:build !linux

package proc

// Alive believes whoever wrote the ID, where processes cannot be looked at.
func (id ID) Alive() bool { return id.PID > 0 }
