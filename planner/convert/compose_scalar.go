package convert

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/schema"
)

// scalarText is a single value as compose prints it where it wants text: it decodes numbers and booleans first, so that
// 1.50 becomes 1.5, 0x10 becomes 16 and TRUE becomes true.
func scalarText(n *manifest.Node) string {
	digits := strings.ReplaceAll(n.Text, "_", "")
	switch n.Type {
	case manifest.Bool:
		return strings.ToLower(n.Text)
	case manifest.Int:
		if i, err := strconv.ParseInt(digits, 0, 64); err == nil && (i != 0 || digits[0] != '-') { // -0 stays
			return strconv.FormatInt(i, 10)
		}
		if u, err := strconv.ParseUint(digits, 0, 64); err == nil {
			return strconv.FormatUint(u, 10)
		}
	case manifest.Float:
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			return fmt.Sprint(f)
		}
	case manifest.String:
	}
	return n.Text
}

// truths are compose's words for booleans in lower case; YAML 1.2 has the first of each only.
var truths = map[string]bool{
	"true": true, "y": true, "yes": true, "on": true, "false": false, "n": false, "no": false, "off": false,
}

// truth reads a boolean; ok is false for a variable and for what is none.
func truth(n *manifest.Node) (on, ok bool) {
	if n == nil || n.Kind != manifest.Scalar {
		return false, false
	}
	on, ok = truths[strings.ToLower(n.Text)]
	return on, ok
}

func isTrue(n *manifest.Node) bool {
	on, _ := truth(n)
	return on
}

func isFalse(n *manifest.Node) bool {
	on, ok := truth(n)
	return ok && !on
}

var daysAndWeeks = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([0-9]{1,6})([dw])`) })

// composeTime is a time in Go's units, which docker run has: compose knows days and weeks besides. What a variable holds is
// not known.
func composeTime(text string) string {
	if strings.Contains(text, "${") {
		return text
	}
	return daysAndWeeks().ReplaceAllStringFunc(text, func(part string) string {
		n, _ := strconv.Atoi(part[:len(part)-1]) // digits, as the expression says
		if strings.HasSuffix(part, "w") {
			n *= 7
		}
		return itoa(n*24) + "h"
	})
}

// umask is octal in a runfile; compose reads it as YAML does a number, octal with a leading 0 only.
func (c *composer) umask(s *service, e manifest.Entry) {
	text := e.Value.Text
	if n, err := strconv.ParseUint(text, 0, 32); err == nil {
		text = "0" + strconv.FormatUint(n, 8)
	}
	c.give(s, "umask", text, e.Value.Range)
}

// onOff carries a switch.
func (c *composer) onOff(s *service, o *schema.Option, e manifest.Entry) {
	text := e.Value.Text
	if on, ok := truth(e.Value); ok {
		text = strconv.FormatBool(on)
	}
	s.give(o, text, e.Value.Range)
}
