package schema

import (
	"time"

	"github.com/runfile/runfile/schema/value"
)

// networkRows are the keys of an entry of the section networks, spelt as the options of docker network create where
// docker has them.
var networkRows = []row[NetworkDef]{
	opt(Option{Name: "subnet", Example: "172.28.0.0/16", Help: "Subnet of the network; by default a free one is chosen"},
		func(n *NetworkDef) *Opt[string] { return &n.Subnet }, value.CIDR()),
	opt(Option{Name: "gateway", Needs: "subnet", Example: "172.28.0.1", Help: "Address of the host in the subnet; by default the first"},
		func(n *NetworkDef) *Opt[string] { return &n.Gateway }, value.IP()),
	toggle(Option{Name: "internal", Example: "true", Help: "No way out of the network and none in"},
		func(n *NetworkDef) *Opt[bool] { return &n.Internal }),
	toggle(Option{Name: "ipv6", Example: "true", Help: "Give the network IPv6 addresses, too"},
		func(n *NetworkDef) *Opt[bool] { return &n.IPv6 }),
	opt(Option{Name: "mtu", Example: "1400", Help: "Largest packet in bytes; by default 1500"},
		func(n *NetworkDef) *Opt[int64] { return &n.MTU }, value.Int("min=576,max=65535")),
	toggle(Option{
		Name: "icc", Example: "false",
		Help: "Containers of the network may talk to each other; if false, only over links and exposed ports",
	}, func(n *NetworkDef) *Opt[bool] { return &n.ICC }),
}

// networkLater are keys of docker's and compose's networks that are not honoured yet.
var networkLater = []string{
	"driver", "opt", "label", "ip-range", "aux-address", "attachable", "ingress", "scope", "ipam-driver", "ipam-opt",
	"external",
}

// volumeRows are the keys of an entry of the section volumes, spelt as the options of docker volume create.
var volumeRows = []row[VolumeDef]{
	opt(Option{Name: "driver", Example: "local", Help: "Volume driver; local is the only one yet"},
		func(v *VolumeDef) *Opt[string] { return &v.Driver }, value.VolumeDriver()),
	pairs(Option{Name: "opt", Example: "type=tmpfs", Help: "Options of the driver: type, device, o"},
		func(v *VolumeDef) *Items[value.KeyValue] { return &v.Options }, value.VolumeOptSyntax()),
	pairs(Option{Name: "label", Example: "team=shop", Help: "Set meta data on the volume"},
		func(v *VolumeDef) *Items[value.KeyValue] { return &v.Labels }, value.LabelSyntax()),
	toggle(Option{
		Name: "external", Example: "true",
		Help: "The volume exists under exactly this name and is neither made nor removed",
	}, func(v *VolumeDef) *Opt[bool] { return &v.External }),
}

// secretRows are the keys of an entry of the section secrets, of which exactly one is given.
var secretRows = []row[SecretDef]{
	opt(Option{Name: "file", Example: "./db.password", Help: "File that holds the secret"},
		func(s *SecretDef) *Opt[string] { return &s.File }, value.HostPath()),
	opt(Option{Name: "var", Example: "DB_PASSWORD", Help: "Variable of the runfile that holds the secret"},
		func(s *SecretDef) *Opt[string] { return &s.Var }, value.Text("the name of a variable")),
	opt(Option{Name: "env", Example: "DB_PASSWORD", Help: "Variable of runfile's environment that holds the secret"},
		func(s *SecretDef) *Opt[string] { return &s.Env }, value.Text("the name of a variable")),
}

// policyRows are the keys of the section policy.
var policyRows = []row[Policy]{
	opt(Option{Name: "max-parallel", Example: "4", Help: "How many steps may go on at once; by default 8"},
		func(p *Policy) *Opt[int64] { return &p.MaxParallel }, value.Int("min=1,max=1000")),
	toggle(Option{Name: "fail-fast", Example: "true", Help: "Stop everything when the first container fails"},
		func(p *Policy) *Opt[bool] { return &p.FailFast }),
	opt(Option{Name: "timeout", Example: "20m", Help: "How long the whole run may take"},
		func(p *Policy) *Opt[time.Duration] { return &p.Timeout }, value.Duration()),
	opt(Option{
		Name: "teardown-grace", Example: "30s",
		Help: "How long services may take to stop at the end of a run, whatever their stop-timeout",
	}, func(p *Policy) *Opt[time.Duration] { return &p.TeardownGrace }, value.Duration()),
	opt(Option{
		Name: "userns-remap", Example: "default",
		Help: "Give the containers' users the ids that /etc/subuid and /etc/subgid set aside for this user and group",
		Doc: "Root in a container is then nobody on the host. As docker's `--userns-remap`: `default` is the user dockremap, and " +
			"without a group the user's name counts in both files. Images, copied-up volumes and new host directories get the " +
			"mapped owners; what a volume or host directory holds already keeps its own. Containers with `userns: host` are left " +
			"out. Where no runfile says anything, the environment variable `RUNFILE_USERNS_REMAP` does.",
	}, func(p *Policy) *Opt[string] { return &p.UsernsRemap }, value.RemapSyntax()),
}

var policyLater = []string{"keep-going", "keep-on-failure"}
