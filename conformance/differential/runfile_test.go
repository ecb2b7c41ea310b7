package differential

import (
	"errors"
	"os"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
)

// runfileRun reads the arguments of runfile run and returns what they mean.
func runfileRun(args []string, meaning func(*schema.Container) (string, error)) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	c, _, diags := schema.FromFlags(args, dir)
	if diags.HasErrors() {
		return "", problem(diags)
	}
	return meaning(c)
}

// problem is the first error of a list.
func problem(diags diag.List) error {
	for _, d := range diags {
		if d.Severity == diag.Error {
			return errors.New(strings.TrimSpace(d.Summary))
		}
	}
	return nil
}

// checked applies the rules between options, as runfile run does next.
func checked(c *schema.Container) error {
	return problem(schema.Check(schema.NewProject("p", "/", c, nil)))
}
