package project

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/logs"
	"github.com/runfile/runfile/executor/state"
)

// containerLog opens the log of a container for one run of its process and notes its path in the record.
func containerLog(paths state.Paths, rec *executor.Record) (stdout, stderr io.WriteCloser, err error) {
	if rec.Spec == nil {
		return nil, nil, fmt.Errorf("container %q: its record holds no declaration", rec.Key)
	}
	path := logPath(paths, rec.Project, rec.ID)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, fmt.Errorf("make the log's directory: %w", err)
	}
	declared := rec.Spec.Logging
	options := map[string]string{}
	for _, o := range declared.Options.Values() {
		options[o.Key] = o.Value
	}
	d, err := logs.OpenFor(logInfo(rec), declared.Driver.Value, options, path)
	if err != nil {
		return nil, nil, err
	}
	rec.LogPath = path
	if declared.Driver.Value == "none" {
		rec.LogPath = ""
	}
	shared := &sharedDriver{Driver: d, users: 2}
	return &pumped{logs.Pump(logs.Stdout, d), shared}, &pumped{logs.Pump(logs.Stderr, d), shared}, nil
}

// logPath is where a container's log is, with docker's name for it.
func logPath(paths state.Paths, project, id string) string {
	return filepath.Join(paths.Container(project, id), id+"-json.log")
}

// logInfo is what log-opt labels, env and tag may refer to.
func logInfo(rec *executor.Record) logs.Info {
	info := logs.Info{ID: rec.ID, Name: rec.Name}
	if e := rec.Effective; e != nil {
		info.ImageID, info.ImageName, info.Labels, info.Env = e.ImageID, e.ImageName, e.Labels, e.Env
	}
	return info
}

// sharedDriver closes its driver when both streams have ended.
type sharedDriver struct {
	logs.Driver
	mu    sync.Mutex
	users int // guarded by mu
}

func (d *sharedDriver) release() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users--; d.users > 0 {
		return nil
	}
	return d.Close()
}

// pumped is one stream of a container's log.
type pumped struct {
	io.WriteCloser
	driver *sharedDriver
}

// Close stores an unfinished line and lets go of the log.
func (p *pumped) Close() error { return errors.Join(p.WriteCloser.Close(), p.driver.release()) }
