package value

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"
)

// checker is built when the first value is checked, not at start: `runfile version` must not pay for it.
var checker = sync.OnceValue(func() *validator.Validate { return validator.New() })

// holds reports whether v obeys a validator tag such as "min=-1000,max=1000".
func holds(v any, tag string) bool { return checker().Var(v, tag) == nil }

// tagSchema derives the schema keywords that say the same as a validator tag: min and max of a number, oneof of a
// word. Other rules have no equivalent in draft-07 and add nothing.
func tagSchema(kind, tag string) map[string]any {
	s := map[string]any{"type": kind}
	for rule := range strings.SplitSeq(tag, ",") {
		name, arg, _ := strings.Cut(rule, "=")
		switch name {
		case "min", "max":
			if n, err := strconv.ParseInt(arg, 10, 64); err == nil {
				s[name+"imum"] = n
			}
		case "oneof":
			return enum(strings.Fields(arg)...)
		}
	}
	return s
}

// lazy compiles an expression when it is first used.
func lazy(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
