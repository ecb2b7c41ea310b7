package image

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// fakeRegistry speaks the part of the distribution API that a pull needs.
type fakeRegistry struct {
	*fixture
	server *httptest.Server
	tags   map[string]digest.Digest // "app:1" -> manifest

	// auth is "", "basic" or "token"; the login is alice:secret, or the identity token idtoken.
	auth string
	// fault may answer a request in place of the registry; it returns true if it did.
	fault func(w http.ResponseWriter, r *http.Request) bool

	mu   sync.Mutex
	seen []string // "GET /v2/app/blobs/sha256:.. range"
}

// newRegistry serves on a loopback address.
func newFakeRegistry(t testing.TB) *fakeRegistry {
	t.Helper()
	// No login of whoever runs the tests may be used, or be missing.
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("DOCKER_AUTH_CONFIG", "")
	t.Setenv("REGISTRY_AUTH_FILE", "")
	f := &fakeRegistry{fixture: newFixture(t), tags: map[string]digest.Digest{}}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f
}

func (f *fakeRegistry) host() string {
	return strings.TrimPrefix(strings.TrimPrefix(f.server.URL, "http://"), "https://")
}

// push names an image.
func (f *fakeRegistry) push(name string, desc v1.Descriptor) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tags[name] = desc.Digest
	return f.host() + "/" + name
}

// requests counts what was asked for since the last call, by a part of the path.
func (f *fakeRegistry) requests(part string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.seen {
		if strings.Contains(s, part) {
			n++
		}
	}
	return n
}

func (f *fakeRegistry) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = nil
}

// ServeHTTP implements http.Handler.
func (f *fakeRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.seen = append(f.seen, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
	f.mu.Unlock()
	if f.fault != nil && f.fault(w, r) {
		return
	}
	if r.URL.Path == "/token" {
		f.token(w, r)
		return
	}
	if !f.allowed(r) {
		challenge := `Basic realm="test"`
		if f.auth == "token" {
			challenge = fmt.Sprintf(`Bearer realm="%s/token",service="test",scope="repository:app:pull"`, f.server.URL)
		}
		w.Header().Set("WWW-Authenticate", challenge)
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`, http.StatusUnauthorized)
		return
	}
	f.serve(w, r)
}

func (f *fakeRegistry) allowed(r *http.Request) bool {
	user, password, basic := r.BasicAuth()
	switch f.auth {
	case "basic":
		return basic && user == "alice" && password == "secret"
	case "token":
		return r.Header.Get("Authorization") == "Bearer t0ken"
	default:
		return true
	}
}

func (f *fakeRegistry) token(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	ok := user == "alice" && password == "secret" ||
		r.FormValue("username") == "alice" && r.FormValue("password") == "secret" || r.FormValue("refresh_token") == "idtoken"
	if !ok {
		http.Error(w, "{}", http.StatusUnauthorized)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"token": "t0ken", "access_token": "t0ken"})
}

func (f *fakeRegistry) serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v2/"), "/")
	if len(parts) != 3 {
		http.NotFound(w, r)
		return
	}
	f.mu.Lock()
	d, ok := f.tags[parts[0]+":"+parts[2]]
	if !ok {
		d = digest.Digest(parts[2])
	}
	data, found := f.blobs[d]
	kind := f.types[d]
	f.mu.Unlock()
	if !found || (parts[1] == "blobs" && ok) {
		http.Error(w, `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`, http.StatusNotFound)
		return
	}
	w.Header().Set("Docker-Content-Digest", d.String())
	w.Header().Set("Content-Type", kind)
	if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		n, _ := strconv.Atoi(strings.TrimSuffix(from, "-"))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", n, len(data)-1, len(data)))
		w.Header().Set("Content-Length", strconv.Itoa(len(data)-n))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(data[n:])
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(data)
	}
}

// cutOff promises all and sends half.
func (f *fakeRegistry) cutOff(w http.ResponseWriter, r *http.Request) {
	data := f.blobs[digest.Digest(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])]
	if r.Header.Get("Range") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:len(data)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	f.serve(w, r)
}

// corrupt sends the right number of wrong bytes.
func (f *fakeRegistry) corrupt(w http.ResponseWriter, r *http.Request) {
	data := f.blobs[digest.Digest(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])]
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(make([]byte, len(data)))
}
