package ocispec

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/signal"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// ImageConfig is the part of an image's configuration that says how to run it.
type ImageConfig struct {
	User         string
	ExposedPorts []string // "80/tcp", "8000-8010/udp"; the protocol defaults to tcp
	Env          []string // K=V
	Entrypoint   []string
	Cmd          []string
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
		Workdir:      "/",
		Hostname:     c.Namespaces.Hostname.Value,
		Labels:       mergeLabels(img.Labels, c),
		ImageID:      imageID,
		ImageName:    imageName,
		RuntimeName:  c.Process.Runtime.Value,
		ReadOnlyRoot: c.Mounts.ReadOnly.Value,
	}
	e.Entrypoint, e.Cmd = mergeCommand(c, img)
	e.Args = slices.Concat(e.Entrypoint, e.Cmd)
	if len(e.Args) == 0 || e.Args[0] == "" && len(e.Args) == 1 {
		return nil, refuse("command", "nothing to run: the image has no command. Give command or a non-empty entrypoint")
	}
	if dir := cmpOr(c.Process.Workdir.Value, img.WorkingDir); dir != "" {
		if !path.IsAbs(dir) {
			return nil, refuse("workdir", "%q is not an absolute path", dir)
		}
		e.Workdir = path.Clean(dir)
	}
	var err error
	if e.StopSignal, err = mergeStopSignal(c, img); err != nil {
		return nil, err
	}
	if e.Expose, err = mergeExpose(c, img); err != nil {
		return nil, err
	}
	for _, v := range img.Volumes {
		if v = path.Clean("/" + v); v != "/" && !slices.Contains(e.Volumes, v) {
			e.Volumes = append(e.Volumes, v)
		}
	}
	slices.Sort(e.Volumes) // the image keeps them in a map
	mergeHealth(e, c, img)
	return e, nil
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

// mergeEnv: image, then env files, then env; the last one wins and keeps the place of the first. A name without a value
// takes the variable away.
func mergeEnv(image []string, c *schema.Container) []string {
	var l envList
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

// envList is an environment without duplicates that keeps the order of first appearance.
type envList struct {
	keys   []string
	values map[string]string
}

func (l *envList) set(k, v string) {
	if l.values == nil {
		l.values = map[string]string{}
	}
	if _, ok := l.values[k]; !ok {
		l.keys = append(l.keys, k)
	}
	l.values[k] = v
}

func (l *envList) unset(k string) {
	if _, ok := l.values[k]; ok {
		delete(l.values, k)
		l.keys = slices.DeleteFunc(l.keys, func(x string) bool { return x == k })
	}
}

func (l *envList) list() []string {
	out := make([]string, len(l.keys))
	for i, k := range l.keys {
		out[i] = k + "=" + l.values[k]
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
	n, err := signal.ParseSignal(img.StopSignal)
	if err != nil || n < 1 || n > 64 {
		return value.Signal{}, refuse("stop-signal", "the image asks for an unknown stop signal %q. Set stop-signal", img.StopSignal)
	}
	return value.Signal{Number: int(n), Name: signalName(int(n), img.StopSignal)}, nil
}

// signalName is the name for a number; where several names mean the same, the one that was written wins.
func signalName(number int, written string) string {
	name := "SIG" + strings.TrimPrefix(strings.ToUpper(written), "SIG")
	if _, err := strconv.Atoi(written); err != nil {
		return name
	}
	best := ""
	for n, s := range signal.SignalMap {
		if int(s) == number && (best == "" || n < best) {
			best = n
		}
	}
	if best == "" {
		return written
	}
	return "SIG" + best
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
