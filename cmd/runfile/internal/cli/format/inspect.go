package format

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// Inspect is what `inspect` prints of a container, in docker's field names. Project and Role are ours.
type Inspect struct {
	ID              string `json:"Id"`
	Name            string // with docker's leading slash
	Created         string // RFC 3339 with nanoseconds, as all times
	Path            string
	Args            []string
	State           InspectState
	Image           string // id of the image's configuration
	ResolvConfPath  string `json:",omitempty"`
	LogPath         string
	RestartCount    int
	Driver          string
	Platform        string
	HostConfig      HostConfig
	Mounts          []InspectMount
	Config          InspectConfig
	NetworkSettings NetworkSettings

	Project string
	Role    string
}

// InspectState is docker's State.
type InspectState struct {
	Status     string
	Running    bool
	Paused     bool
	Restarting bool
	OOMKilled  bool
	Dead       bool
	Pid        int
	ExitCode   int
	Error      string
	StartedAt  string
	FinishedAt string
	Health     *executor.Health `json:",omitempty"`
}

// InspectConfig is docker's Config: what the container was asked to be, merged with its image.
type InspectConfig struct {
	Hostname     string
	Domainname   string
	User         string
	AttachStdin  bool
	AttachStdout bool
	AttachStderr bool
	ExposedPorts map[string]struct{} `json:",omitempty"`
	Tty          bool
	OpenStdin    bool
	StdinOnce    bool
	Env          []string
	Cmd          []string
	Healthcheck  *Healthcheck `json:",omitempty"`
	Image        string       // as written
	Volumes      map[string]struct{}
	WorkingDir   string
	Entrypoint   []string
	Labels       map[string]string
	StopSignal   string `json:",omitempty"`
	StopTimeout  *int64 `json:",omitempty"` // seconds
}

// Healthcheck is docker's Config.Healthcheck; durations are nanoseconds.
type Healthcheck struct {
	Test        []string
	Interval    time.Duration `json:",omitempty"`
	Timeout     time.Duration `json:",omitempty"`
	StartPeriod time.Duration `json:",omitempty"`
	Retries     int           `json:",omitempty"`

	StartInterval time.Duration `json:",omitempty"`
}

// InspectMount is an entry of docker's Mounts.
type InspectMount struct {
	Type        string
	Name        string `json:",omitempty"`
	Source      string
	Destination string
	Driver      string `json:",omitempty"` // of a volume
	Mode        string
	RW          bool
}

// NetworkSettings is docker's.
type NetworkSettings struct {
	Ports    map[string][]PortBinding
	Networks map[string]Endpoint
}

// PortBinding is where a port of the container is published.
type PortBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

// Endpoint is an attachment to a network.
type Endpoint struct {
	IPAddress         string
	IPPrefixLen       int
	Gateway           string
	GlobalIPv6Address string
	MacAddress        string
	Aliases           []string
}

// stamp prints a time as docker does; the zero time is docker's "never".
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// NewInspect describes a container.
func NewInspect(r *executor.Record) Inspect {
	spec := r.Spec
	if spec == nil {
		spec = &schema.Container{}
	}
	e := r.Effective
	if e == nil {
		e = &schema.Effective{}
	}
	in := Inspect{
		ID: r.ID, Name: "/" + r.Name, Created: stamp(r.CreatedAt), State: inspectState(r), Image: e.ImageID,
		LogPath: r.LogPath, RestartCount: r.RestartCount, Driver: "overlay", Platform: "linux",
		HostConfig: newHostConfig(spec, e), Mounts: inspectMounts(r), Config: inspectConfig(spec, e),
		NetworkSettings: networkSettings(r, e), Project: r.Project, Role: "job", Args: []string{},
	}
	if len(e.Args) > 0 {
		in.Path, in.Args = e.Args[0], e.Args[1:]
	}
	if spec.IsService() {
		in.Role = "service"
	}
	return in
}

func inspectState(r *executor.Record) InspectState {
	s := InspectState{
		Status: string(r.State), Error: r.Error, StartedAt: stamp(r.StartedAt), FinishedAt: stamp(r.FinishedAt),
		Running: r.State == executor.Running || r.State == executor.Restarting, Restarting: r.State == executor.Restarting,
		Health: r.Health,
	}
	if r.State == executor.Running {
		s.Pid = r.Status.PID
		return s
	}
	if r.Exit != nil {
		s.ExitCode, s.OOMKilled = r.Exit.Code, r.Exit.OOMKilled
	}
	return s
}

func inspectConfig(c *schema.Container, e *schema.Effective) InspectConfig {
	attached := func(stream string) bool {
		if c.Lifecycle.Detach.Value {
			return false
		}
		if len(c.Stdio.Attach) == 0 {
			return stream != "stdin" || c.Stdio.Interactive.Value
		}
		return slices.Contains(c.Stdio.Attach.Values(), stream)
	}
	out := InspectConfig{
		Hostname: e.Hostname, Domainname: c.Namespaces.Domainname.Value, User: e.User, Env: e.Env, Cmd: e.Cmd, Entrypoint: e.Entrypoint, Labels: e.Labels,
		AttachStdin: attached("stdin"), AttachStdout: attached("stdout"), AttachStderr: attached("stderr"),
		Tty: c.Stdio.TTY.Value, OpenStdin: c.Stdio.Interactive.Value,
		StdinOnce: c.Stdio.Interactive.Value && attached("stdin"), Image: e.ImageName, WorkingDir: e.Workdir,
		StopSignal: e.StopSignal.Name, ExposedPorts: exposedPorts(e.Expose),
	}
	if out.Image == "" {
		out.Image = c.Image.Ref.Value.Text
	}
	if c.Lifecycle.StopTimeout.Set {
		out.StopTimeout = &c.Lifecycle.StopTimeout.Value
	}
	if len(e.HealthTest) > 0 {
		out.Healthcheck = &Healthcheck{
			Test: e.HealthTest, Interval: e.HealthEvery, Timeout: e.HealthLimit, StartPeriod: e.HealthGrace, Retries: e.HealthTries,
			StartInterval: e.HealthGraceEvery,
		}
	}
	for _, path := range e.Volumes {
		if out.Volumes == nil {
			out.Volumes = map[string]struct{}{}
		}
		out.Volumes[path] = struct{}{}
	}
	return out
}

func exposedPorts(list []value.PortRange) map[string]struct{} {
	ports := map[string]struct{}{}
	for _, e := range list {
		for p := int(e.First); p <= int(e.Last); p++ {
			ports[fmt.Sprintf("%d/%s", p, e.Proto)] = struct{}{}
		}
	}
	return ports
}

func inspectMounts(r *executor.Record) []InspectMount {
	out := []InspectMount{}
	for _, m := range r.Status.Mounts {
		mode := "rw"
		if m.ReadOnly {
			mode = "ro"
		}
		driver := ""
		if m.Type == "volume" {
			driver = "local" // the only one yet
		}
		out = append(out, InspectMount{
			Driver: driver, Type: m.Type, Name: m.Name, Source: m.Source, Destination: m.Destination, Mode: mode, RW: !m.ReadOnly,
		})
	}
	slices.SortFunc(out, func(a, b InspectMount) int { return strings.Compare(a.Destination, b.Destination) })
	return out
}

func networkSettings(r *executor.Record, e *schema.Effective) NetworkSettings {
	s := NetworkSettings{Ports: map[string][]PortBinding{}, Networks: map[string]Endpoint{}}
	if r.State != executor.Running {
		return s
	}
	for port := range exposedPorts(e.Expose) {
		s.Ports[port] = nil
	}
	for _, b := range r.Status.Ports {
		port := fmt.Sprintf("%d/%s", b.ContainerPort, b.Proto)
		ip := "0.0.0.0"
		if b.HostIP.IsValid() {
			ip = b.HostIP.String()
		}
		s.Ports[port] = append(s.Ports[port], PortBinding{HostIP: ip, HostPort: strconv.Itoa(int(b.HostPort))})
	}
	for _, n := range r.Status.Networks {
		end := Endpoint{IPPrefixLen: n.Prefix, MacAddress: n.MAC, Aliases: n.Aliases}
		if n.IP.IsValid() {
			end.IPAddress = n.IP.String()
		}
		if n.IP6.IsValid() {
			end.GlobalIPv6Address = n.IP6.String()
		}
		if n.Gateway.IsValid() {
			end.Gateway = n.Gateway.String()
		}
		s.Networks[n.Network] = end
	}
	return s
}
