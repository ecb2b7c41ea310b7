package schema

// index finds the parts of a project by name: a file of a thousand containers has thousands of references.
type index struct {
	keys, names map[string]*Container
	networks    map[string]*NetworkDef
	volumes     map[string]*VolumeDef
	secrets     map[string]*SecretDef
}

func newIndex(p *Project) *index {
	x := &index{
		keys: make(map[string]*Container, len(p.Containers)), names: map[string]*Container{},
		networks: make(map[string]*NetworkDef, len(p.Networks)), volumes: make(map[string]*VolumeDef, len(p.Volumes)),
		secrets: make(map[string]*SecretDef, len(p.Secrets)),
	}
	for _, c := range p.Containers {
		x.keys[c.Key] = c
		if n := c.Metadata.Name; n.Set && x.names[n.Value] == nil {
			x.names[n.Value] = c
		}
	}
	for _, n := range p.Networks {
		x.networks[n.Key] = n
	}
	for _, v := range p.Volumes {
		x.volumes[v.Key] = v
	}
	for _, s := range p.Secrets {
		x.secrets[s.Key] = s
	}
	return x
}

// container returns the container that a reference means, if it is one of the file: by key, else by name.
func (x *index) container(ref string) *Container {
	if c := x.keys[ref]; c != nil {
		return c
	}
	return x.names[ref]
}
