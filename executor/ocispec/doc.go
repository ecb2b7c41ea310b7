// Package ocispec turns a declared container, its image's configuration and the facts of the host into what an OCI
// runtime is told to run.
//
// Merge lays the declaration over the image's configuration. Build writes the runtime specification: an ordered list
// of small functions, one per group of options. The result equals what docker run would ask for (capabilities, masks,
// seccomp profile, /dev, sysctls), never has a field that the host's cgroup version or the runtime lacks, and names the
// lowest specification version that covers its fields, because old runtimes refuse newer ones.
package ocispec

import "fmt"

// Error is a refusal with the option at fault, in manifest words; Option is "" where no single option is.
type Error struct {
	Option string
	Err    error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Option == "" {
		return e.Err.Error()
	}
	return e.Option + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// refuse makes an Error for one option.
func refuse(option, format string, args ...any) error {
	return &Error{Option: option, Err: fmt.Errorf(format, args...)}
}
