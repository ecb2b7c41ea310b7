package schema

import "github.com/runfile/runfile/manifest/diag"

// decoder collects what is wrong while a document becomes a project.
type decoder struct {
	diags diag.List
}
