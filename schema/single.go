package schema

import "slices"

// NewProject is the project of one container that stands in no file: `runfile run`. It declares the networks and named
// volumes that the container uses, with all defaults except where like, which may be nil, declares them. Of like's
// policy it takes userns-remap, which says what a container's users are; the rest is about runs.
func NewProject(name, dir string, c *Container, like *Project) *Project {
	p := &Project{Name: name, Dir: dir, Containers: []*Container{c}}
	if like != nil {
		p.Networks, p.Volumes = slices.Clone(like.Networks), slices.Clone(like.Volumes)
		p.Policy.UsernsRemap = like.Policy.UsernsRemap
	}
	p.addImplicit()
	p.applyRemap()
	return p
}
