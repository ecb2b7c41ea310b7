// Package planner compares a project with what exists and writes down what to do as a Plan: a value that can be
// printed, compared and sent to a supervisor. It decides everything; the executor decides nothing.
package planner

import (
	"github.com/runfile/runfile/schema"
)

// Kind is what a step does. One step is one engine call or one wait.
type Kind string

// The kinds of step.
const (
	Pull    Kind = "pull"    // bring an image into the store
	Network Kind = "network" // make a network
	Volume  Kind = "volume"  // make a named volume
	Remove  Kind = "remove"  // stop and remove a container that is replaced or no longer wanted
	Create  Kind = "create"  // make a container
	Start   Kind = "start"   // start its process
	Await   Kind = "await"   // wait until a service is healthy or ready, or a job has ended
	Keep    Kind = "keep"    // a running container is as wanted; nothing is done
)

// Step is one line of a plan.
type Step struct {
	ID     string `json:"id"` // kind and object, unique: "start db", "await db healthy"
	Kind   Kind   `json:"kind"`
	Object string `json:"object"` // container, network or volume key; image reference as written for pull
	// Condition of an Await: healthy, ready, completed or exited.
	Condition string   `json:"condition,omitempty"`
	Reason    string   `json:"reason"`           // why, for people: "not found", "env changed", "needed by web"
	After     []string `json:"after,omitempty"`  // ids of the steps that must have succeeded before
	Origin    string   `json:"origin,omitempty"` // file:line:column that asked for it
}

// Plan is an ordered list of steps: every step stands behind those it comes after.
type Plan struct {
	Project *schema.Project `json:"project"`
	// Selected are the keys of the containers that take part, in file order.
	Selected []string `json:"selected"`
	Steps    []Step   `json:"steps"`
	Edges    []Edge   `json:"edges,omitempty"`
}

// Edge says that container From needs container To, and why.
type Edge struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Cause string `json:"cause"` // "link", "volumes-from", "network", "pid", "ipc", "depends-on"
	// Condition that To must have reached before From starts: created, started, healthy, ready, completed, exited.
	Condition string `json:"condition"`
	Origin    string `json:"origin"`
}

// Observed is a container of the project as it exists now.
type Observed struct {
	Key     string
	Name    string
	ID      string
	Running bool
	Service bool
	// Config is what schema.Canonical said of the container when it was created.
	Config map[string]string
	// ImageID is the image it was made from; "" = unknown.
	ImageID string
}
