// Package image keeps images on disk and makes them ready to be run.
//
// The store is an OCI image layout (oci-layout, index.json, blobs/sha256) that other tools can read, and beside it each
// layer unpacked once, in a form that overlayfs takes as a lower directory. Any number of processes may use one store;
// locks are files, and nothing is visible under its final name before it is complete.
package image

import (
	"errors"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// ErrNotFound says that the store has no such image.
var ErrNotFound = errors.New("no such image")

// Image is an image of the store that is ready to run: its configuration is read and its layers are unpacked.
type Image struct {
	ID       string   // digest of the configuration: "sha256:..."
	Manifest string   // digest of the manifest for Platform
	Target   string   // digest that the name stands for: Manifest, or the index that lists it
	Name     string   // the name it was asked for by, canonical; "" in lists for an image without one
	Names    []string // all names of the image in the store, sorted
	Config   Config
	Layers   []string  // unpacked directories, lowest first
	Size     int64     // bytes of all layers, unpacked
	Created  time.Time // when it was built, as it says; zero if it does not
	Platform string    // os/arch[/variant]
}

// Config is an image's configuration: what to run by default, and how.
type Config struct {
	v1.ImageConfig
	Healthcheck *Healthcheck `json:"Healthcheck,omitempty"` // docker's extension
	Shell       []string     `json:"Shell,omitempty"`       // docker's extension
}

// Healthcheck is docker's HEALTHCHECK. Durations are nanoseconds in JSON; 0 = docker's default.
type Healthcheck struct {
	Test        []string      `json:"Test,omitempty"` // {}, {"NONE"}, {"CMD", args...}, {"CMD-SHELL", command}
	Interval    time.Duration `json:"Interval,omitempty"`
	Timeout     time.Duration `json:"Timeout,omitempty"`
	StartPeriod time.Duration `json:"StartPeriod,omitempty"`
	Retries     int           `json:"Retries,omitempty"`
	// StartInterval replaces Interval inside the start period.
	StartInterval time.Duration `json:"StartInterval,omitempty"`
}

// PullOptions says when and for what to pull.
type PullOptions struct {
	Policy   string // always, missing (also ""), never
	Platform string // os/arch[/variant]; "" = this host's
	Attempts int    // tries per request; 0 = 4
}

// Progress of a pull or an import.
type Progress struct {
	Detail  string // "layer 2 of 3", "retry in 2s: connection reset"
	Current int64  // bytes
	Total   int64  // 0 = unknown
}
