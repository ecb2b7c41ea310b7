package cli

import (
	"io"
	"strings"

	"github.com/runfile/runfile/schema"
)

// writeMasked writes the project as a manifest without secrets, and reports whether there were any. values are what
// variables that are declared secret have.
func writeMasked(w io.Writer, p *schema.Project, form string, values []string) (bool, error) {
	return schema.WriteMasked(w, p, form, schema.Mask{Values: values, Secret: secretName, Text: masked})
}

// secretName reports whether a variable's value is not printed, by its name (reliability.md T19). One that holds the
// path of a secret, as POSTGRES_PASSWORD_FILE does, is no secret.
func secretName(name string) bool {
	name = strings.ToUpper(name)
	if strings.HasSuffix(name, "_FILE") {
		return false
	}
	for _, word := range []string{"TOKEN", "SECRET", "PASSWORD", "PASSWD", "PRIVATE_KEY", "API_KEY", "APIKEY", "CREDENTIAL"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
