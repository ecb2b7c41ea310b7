package ocispec

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// windows is the operating system of a container that is not one of Linux.
const windows = "windows"

// ImageConfig is the part of an image's configuration that says how to run it.
type ImageConfig struct {
	User         string
	ExposedPorts []string // "80/tcp", "8000-8010/udp"; the protocol defaults to tcp
	Env          []string // K=V
	Entrypoint   []string
	Cmd          []string
	ArgsEscaped  bool     // of Windows: the first word of the entrypoint or command is a command line as it stands
	Volumes      []string // absolute paths
	WorkingDir   string
	Labels       map[string]string
	StopSignal   string
	Shell        []string // of CMD-SHELL health checks; empty = /bin/sh -c
	Healthcheck  *Healthcheck
}

// Healthcheck is an image's HEALTHCHECK. Zero durations and counts mean "not given".
type Healthcheck struct {
	Test        []string // NONE, CMD ... or CMD-SHELL TEXT
	Interval    time.Duration
	Timeout     time.Duration
	StartPeriod time.Duration
	// StartInterval replaces Interval inside the start period.
	StartInterval time.Duration
	Retries       int
}

// Merge lays a declaration over the configuration of its image, as docker run does. imageID is the digest of that
// configuration, imageName what the user wrote. It fails if nothing is left to run.
//
// Env lacks what only the running container knows (HOSTNAME, TERM, a default PATH, HOME): Build adds those.
func Merge(c *schema.Container, img ImageConfig, imageID, imageName string) (*schema.Effective, error) {
	e := &schema.Effective{
		Env:          mergeEnv(img.Env, c),
		User:         mergeUser(c, img),
		Hostname:     c.Namespaces.Hostname.Value,
		Labels:       mergeLabels(img.Labels, c),
		ImageID:      imageID,
		ImageName:    imageName,
		RuntimeName:  c.Process.Runtime.Value,
		ReadOnlyRoot: c.Mounts.ReadOnly.Value,
	}
	e.Entrypoint, e.Cmd = mergeCommand(c, img)
	e.ArgsEscaped = img.ArgsEscaped && c.OS() == windows && firstWordOfImage(c, img)
	e.Args = slices.Concat(e.Entrypoint, e.Cmd)
	if len(e.Args) == 0 || e.Args[0] == "" && len(e.Args) == 1 {
		return nil, nothingToRun(c)
	}
	var err error
	if e.Workdir, err = mergeWorkdir(c, img); err != nil {
		return nil, err
	}
	if e.StopSignal, err = mergeStopSignal(c, img); err != nil {
		return nil, err
	}
	if e.Expose, err = mergeExpose(c, img); err != nil {
		return nil, err
	}
	if e.Volumes, err = imageVolumes(c, img); err != nil {
		return nil, err
	}
	mergeHealth(e, c, img)
	return e, nil
}

func nothingToRun(c *schema.Container) error {
	if c.Process.Entrypoint.Set {
		return refuse("entrypoint", "nothing to run: an entrypoint drops the image's own and its command. Give command, or a non-empty entrypoint")
	}
	return refuse("command", "nothing to run: the image has no command. Give command or a non-empty entrypoint")
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// mergeCommand: an entrypoint, even an empty one, drops the image's command; a command replaces only the command.
func mergeCommand(c *schema.Container, img ImageConfig) (entrypoint, cmd []string) {
	entrypoint, cmd = img.Entrypoint, img.Cmd
	if c.Process.Entrypoint.Set {
		entrypoint, cmd = c.Process.Entrypoint.Value, nil
		if len(entrypoint) == 1 && entrypoint[0] == "" {
			entrypoint = nil
		}
	}
	if c.Process.Command.Set && len(c.Process.Command.Value) > 0 {
		cmd = c.Process.Command.Value
	}
	return slices.Clone(entrypoint), slices.Clone(cmd)
}

// firstWordOfImage says whether what is run begins with a word of the image.
func firstWordOfImage(c *schema.Container, img ImageConfig) bool {
	if c.Process.Entrypoint.Set {
		return false
	}
	return len(img.Entrypoint) > 0 || len(c.Process.Command.Value) == 0
}

func mergeWorkdir(c *schema.Container, img ImageConfig) (string, error) {
	dir := cmpOr(c.Process.Workdir.Value, img.WorkingDir)
	switch {
	case c.OS() == windows:
		dir, err := value.WindowsPath().Parse(cmpOr(dir, `C:\`))
		if err != nil {
			return "", &Error{Option: "workdir", Err: err}
		}
		return dir, nil
	case dir == "":
		return "/", nil
	case !path.IsAbs(dir):
		return "", refuse("workdir", "%q is not an absolute path", dir)
	}
	return path.Clean(dir), nil
}

// imageVolumes are the places of the image's volumes, in order: the image keeps them in a map.
func imageVolumes(c *schema.Container, img ImageConfig) ([]string, error) {
	var out []string
	for _, v := range img.Volumes {
		if c.OS() == windows {
			var err error
			if v, err = value.WindowsPath().Parse(v); err != nil {
				return nil, &Error{Option: "image", Err: err}
			}
		} else if v = path.Clean("/" + v); v == "/" {
			continue
		}
		out = append(out, v)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// mergeEnv: image, then env files, then env; the last one wins and keeps the place of the first. A name without a value
// takes the variable away.
func mergeEnv(image []string, c *schema.Container) []string {
	l := envList{fold: c.OS() == windows}
	for _, kv := range image {
		k, v, _ := strings.Cut(kv, "=")
		l.set(k, v)
	}
	for _, kv := range declaredEnv(c) {
		if kv.HasValue {
			l.set(kv.Key, kv.Value)
		} else {
			l.unset(kv.Key)
		}
	}
	return l.list()
}

func declaredEnv(c *schema.Container) []value.KeyValue {
	return slices.Concat(c.Process.EnvFromFiles, c.Process.Env.Values())
}

// envList is an environment without duplicates that keeps the order and the spelling of first appearance.
type envList struct {
	fold   bool // names are equal in any case, as in Windows
	keys   []string
	values map[string]string
}

// name is the name under which k is known.
func (l *envList) name(k string) string {
	if l.fold {
		return strings.ToUpper(k)
	}
	return k
}

func (l *envList) set(k, v string) {
	if l.values == nil {
		l.values = map[string]string{}
	}
	if _, ok := l.values[l.name(k)]; !ok {
		l.keys = append(l.keys, k)
	}
	l.values[l.name(k)] = v
}

func (l *envList) unset(k string) {
	delete(l.values, l.name(k))
	l.keys = slices.DeleteFunc(l.keys, func(x string) bool { return l.name(x) == l.name(k) })
}

func (l *envList) list() []string {
	out := make([]string, len(l.keys))
	for i, k := range l.keys {
		out[i] = k + "=" + l.values[l.name(k)]
	}
	return out
}

func mergeUser(c *schema.Container, img ImageConfig) string {
	if !c.Process.User.Set {
		return img.User
	}
	u := c.Process.User.Value
	if u.Group == "" {
		return u.User
	}
	return u.User + ":" + u.Group
}

// mergeLabels: image, then label files, then label; the last one wins.
func mergeLabels(image map[string]string, c *schema.Container) map[string]string {
	own := slices.Concat(c.Metadata.LabelsFromFiles, c.Metadata.Labels.Values())
	if len(image)+len(own) == 0 {
		return nil
	}
	out := maps.Clone(image)
	if out == nil {
		out = map[string]string{}
	}
	for _, kv := range own {
		out[kv.Key] = kv.Value
	}
	return out
}

func mergeStopSignal(c *schema.Container, img ImageConfig) (value.Signal, error) {
	if c.Lifecycle.StopSignal.Set {
		return c.Lifecycle.StopSignal.Value, nil
	}
	if img.StopSignal == "" {
		return value.Signal{Number: 15, Name: "SIGTERM"}, nil
	}
	sig, err := value.ParseSignal(img.StopSignal)
	if err != nil {
		return sig, refuse("stop-signal", "the image asks for an unknown stop signal %q. Set stop-signal", img.StopSignal)
	}
	return sig, nil
}

// mergeExpose is the union of the image's ports, the declared ones and the published ones.
func mergeExpose(c *schema.Container, img ImageConfig) ([]value.PortRange, error) {
	var out []value.PortRange
	add := func(r value.PortRange) {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	ports := slices.Clone(img.ExposedPorts)
	slices.Sort(ports) // the image keeps them in a map
	for _, p := range ports {
		r, err := parsePort(p)
		if err != nil {
			return nil, err
		}
		add(r)
	}
	for _, r := range c.Network.Expose.Values() {
		add(r)
	}
	for _, m := range c.Network.Publish.Values() {
		add(value.PortRange{First: m.ContainerFirst, Last: m.ContainerLast, Proto: m.Proto})
	}
	return out, nil
}

func parsePort(text string) (value.PortRange, error) {
	ports, proto, ok := strings.Cut(text, "/")
	if !ok || proto == "" {
		proto = "tcp"
	}
	a, b, isRange := strings.Cut(ports, "-")
	first, err := strconv.ParseUint(a, 10, 16)
	last := first
	if err == nil && isRange {
		last, err = strconv.ParseUint(b, 10, 16)
	}
	if err != nil || first == 0 || last < first {
		return value.PortRange{}, refuse("image", "the image exposes %q, which is not a port", text)
	}
	return value.PortRange{First: uint16(first), Last: uint16(last), Proto: strings.ToLower(proto)}, nil
}

// mergeHealth works field by field: what the declaration leaves out comes from the image. Zero means "default" and is
// left to the prober.
func mergeHealth(e *schema.Effective, c *schema.Container, img ImageConfig) {
	h := Healthcheck{}
	if img.Healthcheck != nil {
		h = *img.Healthcheck
	}
	d := c.Health
	if d.Disable.Value {
		e.HealthTest = []string{"NONE"}
		return
	}
	if d.Cmd.Set && len(d.Cmd.Value) > 0 {
		h.Test = d.Cmd.Value
	}
	if len(h.Test) == 0 || h.Test[0] == "" {
		return
	}
	e.HealthTest = healthArgs(h.Test, img.Shell)
	e.HealthEvery = orDuration(d.Interval.Value, h.Interval)
	e.HealthLimit = orDuration(d.Timeout.Value, h.Timeout)
	e.HealthGrace = orDuration(d.StartPeriod.Value, h.StartPeriod)
	e.HealthGraceEvery = orDuration(d.StartInterval.Value, h.StartInterval)
	if e.HealthTries = int(d.Retries.Value); e.HealthTries == 0 {
		e.HealthTries = h.Retries
	}
}

// healthArgs puts the image's own shell into a CMD-SHELL check, so that nobody needs the image later.
func healthArgs(test, shell []string) []string {
	if test[0] != "CMD-SHELL" || len(shell) == 0 {
		return slices.Clone(test)
	}
	return slices.Concat([]string{"CMD"}, shell, test[1:])
}

func orDuration(a, b time.Duration) time.Duration {
	if a != 0 {
		return a
	}
	return b
}
