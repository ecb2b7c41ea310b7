package differential

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/v2/daemon/pkg/oci/caps"
	"github.com/moby/sys/signal"
)

// facts are what a compose file says, by the place where compose has it: services.web.image. What is left out is not
// there, and neither is what is false or 0.
type facts map[string]string

// section is a part of the facts: those below one place.
type section struct {
	all facts
	at  string
}

func (s section) in(key string) section { return section{s.all, s.at + "." + key} }

func (s section) put(key, text string) {
	if text != "" {
		s.all[s.at+"."+key] = text
	}
}

func (s section) number(key string, n int64) {
	if n != 0 {
		s.put(key, strconv.FormatInt(n, 10))
	}
}

func (s section) flag(key string, on bool) {
	if on {
		s.put(key, "true")
	}
}

// no is for what is true unless it is said.
func (s section) no(key string, on bool) {
	if !on {
		s.put(key, "false")
	}
}

func (s section) path(key, text string) {
	if text != "" {
		s.put(key, path.Clean(text))
	}
}

// list is in order; set is not, and what is there twice is there once.
func (s section) list(key string, list []string) {
	if len(list) > 0 {
		s.put(key, fmt.Sprintf("%q", list))
	}
}

func (s section) set(key string, list []string) {
	list = slices.Clone(list)
	slices.Sort(list)
	s.list(key, slices.Compact(list))
}

func (s section) pairs(key string, m map[string]string) {
	for k, v := range m {
		s.put(key+"."+k, "="+v)
	}
}

// words is a command; one that is there and empty replaces that of the image.
func (s section) words(key string, list []string, there bool) {
	if there {
		s.put(key, fmt.Sprintf("%q", list))
	}
}

func (s section) duration(key string, d time.Duration) {
	if d != 0 {
		s.put(key, d.String())
	}
}

// cpus prints billionths of a CPU as far as compose keeps them.
func (s section) cpus(key string, nano float64) {
	if nano != 0 {
		s.put(key, strconv.FormatFloat(nano/1e9, 'g', 6, 64))
	}
}

// capabilities are as the daemon writes them.
func capabilities(list []string) []string {
	if out, err := caps.NormalizeLegacyCapabilities(list); err == nil {
		return out
	}
	return list
}

// rooted is the path of a cgroup, which begins at the root of their tree.
func rooted(text string) string {
	if text == "" {
		return ""
	}
	return path.Join("/", text)
}

// signalNumber is a signal however it is written.
func signalNumber(name string) string {
	if name == "" {
		return ""
	}
	n, err := signal.ParseSignal(name)
	if err != nil {
		return name
	}
	return n.String()
}

// mountFact prints what stands at a place of the file system.
func mountFact(kind, source string, readOnly bool, more ...string) string {
	out := kind + " " + source
	if readOnly {
		out += " ro"
	}
	for _, m := range more {
		if m != "" {
			out += " " + m
		}
	}
	return out
}

// samePlaces are places of compose that say the same: the key is where the facts have it.
var samePlaces = map[string][]string{
	"mem_limit": {"deploy.resources.limits.memory"}, "cpus": {"deploy.resources.limits.cpus"}, "pids_limit": {"deploy.resources.limits.pids"},
	"mem_reservation": {"deploy.resources.reservations.memory"}, "scale": {"deploy.replicas"}, "restart": {"deploy.restart_policy"},
	"mounts": {"volumes", "tmpfs", "secrets", "configs"}, "gpus": {"deploy.resources.reservations.devices"},
	"environment": {"env_file"}, "networks": {"network_mode"}, "labels": {"label_file"},
}

// sameAs returns the other places of compose that a fact can come from.
func sameAs(at string) (list []string) {
	parts := strings.SplitN(at, ".", 4)
	if len(parts) < 3 || parts[0] != "services" {
		return nil
	}
	for _, other := range samePlaces[parts[2]] {
		list = append(list, "services."+parts[1]+"."+other)
	}
	return list
}
