// Package logs stores what containers write, and reads it back.
//
// Words: an Entry is one record of a log, normally a line of output; a Driver stores entries; a Pump cuts a byte stream
// into entries and gives them to a driver. Flow: the engine copies a container's stdout and stderr into one Pump each,
// both on the same Driver; Read, in any process, follows the files the driver wrote.
//
// The json-file driver writes docker's file format, so tools that read docker's logs read these. A line is in the kernel
// before Pump's Write returns: killing the supervisor loses no line it has acknowledged. Nothing is synced to disk.
package logs

import (
	"errors"
	"fmt"
	"time"
)

// The stream names, as docker writes them.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// maxPiece is the longest Line of an entry in bytes; longer lines become several entries. Docker's number.
const maxPiece = 16 * 1024

// Entry is one record of a log.
type Entry struct {
	Time   time.Time
	Stream string // stdout or stderr
	// Line is the text without its newline. It is valid only during the call that passes it.
	Line []byte
	// Partial means that no newline follows: a piece of at most 16 KiB of a longer line, or the end of the output.
	Partial bool
}

// Driver stores entries. It is safe for concurrent use. An entry is in the kernel's hands when Write returns.
type Driver interface {
	Write(Entry) error
	Close() error
}

// Info describes the container to options that copy parts of it into each record (labels, env, tag).
type Info struct {
	ID        string // 64 hex digits
	Name      string
	ImageID   string // sha256:...
	ImageName string
	Labels    map[string]string
	Env       []string // K=V
}

// Open opens the log of a container for appending. The driver is json-file ("" means it, too) or none; the options are
// those of log-opt. The path is the file of json-file; rotated files lie beside it. The file is made 0600; its directory
// must exist. What an option needs of the container is taken as empty; see OpenFor.
func Open(driver string, opts map[string]string, path string) (Driver, error) {
	return OpenFor(Info{}, driver, opts, path)
}

// OpenFor is Open for a container whose labels, environment and names the options labels, env and tag may refer to.
func OpenFor(info Info, driver string, opts map[string]string, path string) (Driver, error) {
	switch driver {
	case "", "json-file":
		cfg, err := parseJSONFile(info, opts)
		if err != nil {
			return nil, err
		}
		d, err := openJSONFile(path, cfg)
		if err != nil {
			return nil, err
		}
		return cfg.mode.wrap(d), nil
	case "none":
		if len(opts) > 0 {
			return nil, errors.New("log-driver none takes no log-opt")
		}
		return discard{}, nil
	default:
		return nil, fmt.Errorf("log-driver %q is not available; use json-file or none", driver)
	}
}

// discard is log-driver none.
type discard struct{}

func (discard) Write(Entry) error { return nil }
func (discard) Close() error      { return nil }
