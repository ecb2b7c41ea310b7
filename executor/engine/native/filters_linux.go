package native

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// filterAnnotation makes crun load a compiled seccomp filter instead of compiling the profile, which takes it 9 ms of
// CPU for every start.
const filterAnnotation = "run.oci.seccomp_bpf_data"

// filterCache keeps the filters that crun has compiled, so that each profile is compiled once per boot and not once per
// start. crun leaves the filter of a container in its state directory; from there it is learnt, never from anywhere
// that a container could write to.
type filterCache struct {
	dir string

	mu   sync.Mutex
	keys map[*specs.LinuxSeccomp]string // guarded by mu; the default profiles are shared pointers
	data map[string]string              // guarded by mu; base64 by key
}

func newFilterCache(dir string) *filterCache {
	return &filterCache{dir: dir, keys: map[*specs.LinuxSeccomp]string{}, data: map[string]string{}}
}

// usable: crun has a cache of its own since 1.10, and other runtimes do not know the annotation.
func (r *ociRuntime) takesFilters() bool {
	return r.Family == "crun" && atLeast(r.Version, 1, 0) && !atLeast(r.Version, 1, 10)
}

// shorten replaces the profile of spec by its compiled filter if that is known. Else it returns the key under which to
// learn it; "" = nothing to learn.
func (f *filterCache) shorten(r *ociRuntime, spec *specs.Spec) (key string) {
	profile := spec.Linux.Seccomp
	if profile == nil || !r.takesFilters() {
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key, ok := f.keys[profile]
	if !ok {
		text, err := json.Marshal(profile)
		if err != nil {
			return ""
		}
		sum := sha256.Sum256(append(text, r.Path+r.Version...))
		key = hex.EncodeToString(sum[:])
		f.keys[profile] = key
	}
	filter, ok := f.data[key]
	if !ok {
		raw, err := os.ReadFile(f.file(key))
		if err != nil {
			return key
		}
		filter = base64.StdEncoding.EncodeToString(raw)
		f.data[key] = filter
	}
	if spec.Annotations == nil {
		spec.Annotations = map[string]string{}
	}
	spec.Annotations[filterAnnotation] = filter
	spec.Linux.Seccomp = nil
	return ""
}

func (f *filterCache) file(key string) string { return filepath.Join(f.dir, "seccomp-"+key+".bpf") }

// learn keeps the filter that the runtime has compiled for the container id. A failure only means that the next start
// compiles again.
func (f *filterCache) learn(r *ociRuntime, id, key string) {
	const instruction = 8 // bytes
	raw, err := os.ReadFile(filepath.Join(r.root, id, "seccomp.bpf"))
	if err != nil || len(raw) == 0 || len(raw)%instruction != 0 {
		return
	}
	tmp, err := os.CreateTemp(f.dir, ".seccomp-*")
	if err != nil {
		return
	}
	_, err = tmp.Write(raw)
	if cerr := tmp.Close(); err != nil || cerr != nil || os.Rename(tmp.Name(), f.file(key)) != nil {
		_ = os.Remove(tmp.Name())
	}
}
