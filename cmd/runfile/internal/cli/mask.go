package cli

import (
	"strings"

	"github.com/runfile/runfile/schema"
)

// maskSecrets replaces secret values in the environment of containers and in their commands, and reports whether
// there were any.
func maskSecrets(p *schema.Project, values []string) bool {
	found := false
	hide := func(s string) string {
		for _, v := range values {
			if v != "" && strings.Contains(s, v) {
				s, found = strings.ReplaceAll(s, v, masked), true
			}
		}
		return s
	}
	for _, c := range p.Containers {
		for i := range c.Process.Env {
			kv := &c.Process.Env[i].Value
			if kv.Value = hide(kv.Value); kv.Value != "" && kv.Value != masked && secretName(kv.Key) {
				kv.Value, found = masked, true
			}
		}
		for _, list := range [][]string{c.Process.Command.Value, c.Process.Entrypoint.Value, c.Health.Cmd.Value} {
			for i := range list {
				list[i] = hide(list[i])
			}
		}
		for i := range c.Metadata.Labels {
			c.Metadata.Labels[i].Value.Value = hide(c.Metadata.Labels[i].Value.Value)
		}
	}
	return found
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
