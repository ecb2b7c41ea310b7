package schema

import "github.com/runfile/runfile/manifest/diag"

// Check applies the rules between options and between containers.
func Check(p *Project) diag.List { return nil }
