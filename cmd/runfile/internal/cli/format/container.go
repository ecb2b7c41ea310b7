package format

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	units "github.com/docker/go-units"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema/value"
)

// Container is a row of `ps`. Field names are those of docker's templates; Key, Role, Project and Age are ours.
type Container struct {
	ID         string
	Names      string
	Image      string
	Command    string
	CreatedAt  string
	RunningFor string
	Ports      string
	State      string
	Status     string
	Labels     string
	Mounts     string
	Networks   string

	Key      string
	Role     string // job, service
	Project  string
	Detail   string // the STATE column: state with exit code, health and restarts
	Age      string
	ExitCode int
	Health   string

	labels map[string]string
}

// Label returns the value of one label.
func (c Container) Label(name string) string { return c.labels[name] }

// ContainerColumns is the table that `ps` prints.
const ContainerColumns = "{{.Names}}\t{{.Role}}\t{{.Detail}}\t{{.Age}}\t{{.Ports}}\t{{.Image}}"

// ContainerHeaders are the titles of Container's fields, docker's where docker has the field.
func ContainerHeaders() Headers {
	return Headers{
		"ID": "CONTAINER ID", "Names": "NAME", "Image": "IMAGE", "Command": "COMMAND", "CreatedAt": "CREATED AT",
		"RunningFor": "CREATED", "Ports": "PORTS", "State": "STATE", "Status": "STATUS", "Labels": "LABELS",
		"Mounts": "MOUNTS", "Networks": "NETWORKS", "Key": "KEY", "Role": "ROLE", "Project": "PROJECT",
		"Detail": "STATE", "Age": "AGE", "ExitCode": "EXIT CODE", "Health": "HEALTH",
	}
}

// ShortIDLength is how many digits of an id docker prints.
const ShortIDLength = 12

// ShortID is the digits that docker prints.
func ShortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(ShortIDLength, len(id))]
}

// NewContainer makes a row. Ids and commands are shortened unless full.
func NewContainer(r *executor.Record, now time.Time, full bool) Container {
	c := Container{
		ID: r.ID, Names: r.Name, Key: r.Key, Role: "job", Project: r.Project, State: string(r.State),
		CreatedAt: r.CreatedAt.Local().Format("2006-01-02 15:04:05 -0700 MST"), RunningFor: ago(now, r.CreatedAt),
		Ports: ports(r), Status: status(r, now), Detail: detail(r), Age: age(r, now),
	}
	if !full {
		c.ID = ShortID(r.ID)
	}
	if r.Health != nil {
		c.Health = r.Health.Status
	}
	if r.Exit != nil && r.State != executor.Running {
		c.ExitCode = r.Exit.Code
	}
	if r.Spec != nil {
		c.Image = r.Spec.Image.Ref.Value.Text
		if r.Spec.IsService() {
			c.Role = "service"
		}
	}
	if e := r.Effective; e != nil {
		c.Command, c.labels = command(e.Args, full), e.Labels
	}
	c.Labels = sortedPairs(c.labels)
	for _, m := range r.Status.Mounts {
		c.Mounts = comma(c.Mounts, firstOf(m.Name, m.Source, m.Destination))
	}
	for _, n := range r.Status.Networks {
		c.Networks = comma(c.Networks, n.Network)
	}
	return c
}

func comma(list, word string) string {
	if list == "" {
		return word
	}
	return list + "," + word
}

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

func command(args []string, full bool) string {
	s := strings.Join(args, " ")
	if runes := []rune(s); !full && len(runes) > 20 {
		s = string(runes[:19]) + "…"
	}
	return strconv.Quote(s)
}

func sortedPairs(m map[string]string) string {
	pairs := make([]string, 0, len(m))
	for k, v := range m {
		pairs = append(pairs, k+"="+v)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ",")
}

func ago(now, then time.Time) string { return units.HumanDuration(now.Sub(then)) + " ago" }

// exitCode of a container that does not run; one that failed to start has its status in Exit as well.
func exitCode(r *executor.Record) int {
	if r.Exit == nil {
		return 0
	}
	return r.Exit.Code
}

// status is docker's STATUS column.
func status(r *executor.Record, now time.Time) string {
	switch r.State {
	case executor.Running:
		s := "Up " + units.HumanDuration(now.Sub(r.StartedAt))
		if r.Health != nil && r.Health.Status == "starting" {
			return s + " (health: starting)"
		} else if r.Health != nil {
			return s + " (" + r.Health.Status + ")"
		}
		return s
	case executor.Restarting:
		return fmt.Sprintf("Restarting (%d) %s", exitCode(r), ago(now, r.FinishedAt))
	case executor.Exited:
		if r.Exit != nil && r.Exit.Unknown {
			return "Exited (unknown) " + ago(now, r.FinishedAt)
		}
		return fmt.Sprintf("Exited (%d) %s", exitCode(r), ago(now, r.FinishedAt))
	case executor.Removing:
		return "Removal In Progress"
	default:
		return "Created"
	}
}

// detail is the STATE column: the state in one word, with what matters about it.
func detail(r *executor.Record) string {
	s := string(r.State)
	switch {
	case r.State == executor.Running:
		s = running(r)
	case r.State == executor.Exited && r.Exit != nil && r.Exit.Unknown:
		s = "exit unknown"
	case r.State == executor.Exited:
		s = "exit " + strconv.Itoa(exitCode(r))
	case r.State == executor.Created && r.Error != "":
		s = "failed to start"
	}
	if r.Exit != nil && r.Exit.OOMKilled && r.State != executor.Running {
		s += ", out of memory"
	}
	return s + restarts(r.RestartCount)
}

// running is the state of a container that runs: how its health is, or else whether it is ready.
func running(r *executor.Record) string {
	switch {
	case r.Health != nil && r.Health.Status == "starting":
		return "health starting"
	case r.Health != nil:
		return r.Health.Status
	case r.Ready:
		return "ready"
	default:
		return string(r.State)
	}
}

// restarts is what follows the state of a container that was restarted.
func restarts(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return ", 1 restart"
	default:
		return fmt.Sprintf(", %d restarts", n)
	}
}

// age is how long a container has been in its state, short: 41s, 3m, 2h, 5d.
func age(r *executor.Record, now time.Time) string {
	since := r.CreatedAt
	switch r.State {
	case executor.Running:
		since = r.StartedAt
	case executor.Exited, executor.Restarting:
		since = r.FinishedAt
	default: // since it was made
	}
	if since.IsZero() {
		since = r.CreatedAt
	}
	switch d := max(now.Sub(since), 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// ports is docker's PORTS column: bindings first, then ports that are exposed only. Ports that follow each other on both
// sides are one range.
func ports(r *executor.Record) string {
	if r.State != executor.Running {
		return ""
	}
	bindings := slices.Clone(r.Status.Ports)
	slices.SortStableFunc(bindings, func(a, b engine.Binding) int { return int(a.ContainerPort) - int(b.ContainerPort) })
	type port struct {
		number uint16
		proto  string
	}
	var spans []span
	bound := map[port]bool{}
	for _, b := range bindings {
		bound[port{b.ContainerPort, b.Proto}] = true
		if i := slices.IndexFunc(spans, func(s span) bool { return s.isFollowedBy(b) }); i >= 0 {
			spans[i].more++
		} else {
			spans = append(spans, span{first: b})
		}
	}
	var words []string
	for _, s := range spans {
		words = append(words, s.String())
	}
	if r.Effective != nil {
		for _, e := range r.Effective.Expose {
			for n := int(e.First); n <= int(e.Last); n++ {
				if !bound[port{uint16(n), e.Proto}] {
					words = append(words, exposed(e))
					break
				}
			}
		}
	}
	return strings.Join(words, ", ")
}

// span is a binding and those of the ports that follow.
type span struct {
	first engine.Binding
	more  uint16
}

func (s span) isFollowedBy(b engine.Binding) bool {
	next := s.first
	next.HostPort += s.more + 1
	next.ContainerPort += s.more + 1
	return b == next
}

func (s span) String() string {
	last := ""
	if s.more > 0 {
		last = fmt.Sprintf("-%d", s.first.HostPort+s.more)
	}
	target := value.PortRange{First: s.first.ContainerPort, Last: s.first.ContainerPort + s.more, Proto: s.first.Proto}
	return HostAddress(s.first) + last + "->" + exposed(target)
}

func exposed(e value.PortRange) string {
	if e.First == e.Last {
		return fmt.Sprintf("%d/%s", e.First, e.Proto)
	}
	return fmt.Sprintf("%d-%d/%s", e.First, e.Last, e.Proto)
}

// HostAddress is the host's end of a binding as docker prints it: 0.0.0.0:8080, [::]:8080.
func HostAddress(b engine.Binding) string {
	ip := b.HostIP
	if !ip.IsValid() {
		ip = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(ip, b.HostPort).String()
}
