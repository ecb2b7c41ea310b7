package image

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func pull(t testing.TB, s *Store, text, policy string) (*Image, error) {
	t.Helper()
	return s.Ensure(t.Context(), ref(t, text), PullOptions{Policy: policy}, nil)
}

func TestPull(t *testing.T) {
	f := newFakeRegistry(t)
	layer := layerTar(t, file{name: "a", content: "A"})
	index := f.index(map[string]v1.Descriptor{
		"linux/amd64": f.image("linux/amd64", fullConfig, layer, layerTar(t, file{name: "b", content: "B"})),
		"linux/arm64": f.image("linux/arm64", "", layerTar(t, file{name: "arm", content: "arm"})),
	})
	name := f.push("app:1", index)
	s := newStore(t)
	var last Progress
	img, err := s.Ensure(t.Context(), ref(t, name), PullOptions{Platform: "linux/amd64"}, func(p Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	checkFullConfig(t, img)
	if img.Name != name || img.Target != index.Digest.String() || img.Manifest == img.Target || len(img.Layers) != 2 || last.Detail == "" {
		t.Errorf("got %+v, last progress %+v", img, last)
	}
	if f.requests("arm") != 0 || f.requests("GET") != 5 {
		t.Errorf("asked for %q", f.seen)
	}
	checkPresent(t, f, s, name, index)

	// Another platform of the same index is added, not put in its place.
	if _, err := s.Ensure(t.Context(), ref(t, name), PullOptions{Platform: "linux/arm64"}, nil); err != nil {
		t.Error(err)
	}
	if _, err := s.Ensure(t.Context(), ref(t, name), PullOptions{Platform: "linux/amd64", Policy: "never"}, nil); err != nil {
		t.Error(err)
	}
}

// checkPresent wants that nothing is asked for an image that is there.
func checkPresent(t *testing.T, f *fakeRegistry, s *Store, name string, desc v1.Descriptor) {
	t.Helper()
	f.forget()
	for _, s := range []*Store{s, again(s)} {
		for _, policy := range []string{"", "missing", "never"} {
			if _, err := pull(t, s, name, policy); err != nil {
				t.Errorf("%q: %v", policy, err)
			}
		}
	}
	if f.requests("") != 0 {
		t.Errorf("asked for %q", f.seen)
	}
	// By digest it is another name; only the manifest's existence is asked for.
	pinned := f.host() + "/app@" + desc.Digest.String()
	img, err := pull(t, s, pinned, "")
	if err != nil || img.Name != pinned || len(img.Names) != 2 || f.requests("GET") != 0 {
		t.Errorf("by digest: %+v, %v, asked for %q", img, err, f.seen)
	}
}

func TestPolicyAlways(t *testing.T) {
	f := newFakeRegistry(t)
	base := layerTar(t, file{name: "base", content: "base"})
	one := f.image("linux/amd64", `{"Cmd":["one"]}`, base)
	two := f.image("linux/amd64", `{"Cmd":["two"]}`, base, layerTar(t))
	name := f.push("app:1", one)
	s := newStore(t)
	if _, err := pull(t, s, name, "always"); err != nil {
		t.Fatal(err)
	}
	f.forget()
	if _, err := pull(t, s, name, "always"); err != nil || f.requests("") != 1 {
		t.Errorf("unchanged: %v, asked for %q", err, f.seen)
	}
	f.push("app:1", two)
	if img, err := pull(t, s, name, "missing"); err != nil || img.Config.Cmd[0] != "one" {
		t.Errorf("missing: %+v, %v", img, err)
	}
	f.forget()
	img, err := pull(t, s, name, "always")
	if err != nil || img.Config.Cmd[0] != "two" || f.requests("GET") != 3 {
		t.Errorf("always: %+v, %v, asked for %q", img, err, f.seen)
	}
	f.server.Close()
	if _, err := pull(t, s, name, "always"); err == nil || !strings.Contains(err.Error(), "connection refused (tried 4 times)") {
		t.Errorf("offline: %v", err)
	}
}

func TestPullErrors(t *testing.T) {
	f := newFakeRegistry(t)
	only := f.push("arm:1", f.index(map[string]v1.Descriptor{"linux/arm64": f.image("linux/arm64", "", layerTar(t))}))
	single := f.push("single:1", f.image("linux/amd64", "", layerTar(t)))
	s := newStore(t)
	for _, c := range []struct{ name, platform, want string }{
		{f.host() + "/none:1", "", "manifest for " + f.host() + "/none:1 not found: manifest unknown"},
		{only, "linux/amd64", "no matching manifest for linux/amd64 in the manifest list of " + only},
		{single, "linux/arm64", "no matching manifest for linux/arm64"},
	} {
		_, err := s.Ensure(t.Context(), ref(t, c.name), PullOptions{Platform: c.platform}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	// A local image that lacks the platform.
	if _, err := pull(t, s, single, ""); err != nil {
		t.Fatal(err)
	}
	_, err := s.Ensure(t.Context(), ref(t, single), PullOptions{Platform: "linux/arm64", Policy: "never"}, nil)
	if err == nil || !strings.Contains(err.Error(), "was found but does not provide the specified platform (linux/arm64)") {
		t.Errorf("got %v", err)
	}
}

func TestLogin(t *testing.T) {
	login := base64.StdEncoding.EncodeToString([]byte("alice:secret"))
	helper := `#!/bin/sh
read server
test "$1" = get && test "$server" = HOST || { echo "credentials not found in native keychain"; exit 1; }
echo '{"ServerURL":"x","Username":"USER","Secret":"SECRET"}'`
	for name, c := range map[string]struct {
		config, helper string // HOST stands for the registry
		env            string
		auth           []string
		want           string // error; "" = none
	}{
		"config":            {config: `{"auths":{"HOST":{"auth":"` + login + `"}}}`, auth: []string{"basic", "token"}},
		"config by URL":     {config: `{"auths":{"https://HOST/v1/":{"auth":"` + login + `"}}}`, auth: []string{"basic"}},
		"plain fields":      {config: `{"auths":{"HOST":{"username":"alice","password":"secret"}}}`, auth: []string{"basic"}},
		"identity token":    {config: `{"auths":{"HOST":{"identitytoken":"idtoken"}}}`, auth: []string{"token"}},
		"podman's file":     {env: "REGISTRY_AUTH_FILE", config: `{"auths":{"HOST":{"auth":"` + login + `"}}}`, auth: []string{"basic"}},
		"variable":          {env: "DOCKER_AUTH_CONFIG", config: `{"auths":{"HOST":{"auth":"` + login + `"}}}`, auth: []string{"basic"}},
		"helper of a host":  {config: `{"credHelpers":{"HOST":"test"}}`, helper: "alice secret", auth: []string{"basic", "token"}},
		"helper for all":    {config: `{"credsStore":"test"}`, helper: "alice secret", auth: []string{"basic"}},
		"helper with token": {config: `{"credsStore":"test"}`, helper: "<token> idtoken", auth: []string{"token"}},
		"helper without, config with": {
			config: `{"credsStore":"test","auths":{"HOST":{"auth":"` + login + `"}}}`, helper: "nobody -", auth: []string{"basic"},
		},
		"none":              {auth: []string{"basic", "token"}, want: "pull access denied for HOST/app:1, repository does not exist or may require 'docker login'"},
		"wrong":             {config: `{"auths":{"HOST":{"username":"alice","password":"s3kret"}}}`, auth: []string{"basic", "token"}, want: "pull access denied"},
		"missing helper":    {config: `{"credsStore":"nowhere"}`, auth: []string{"basic"}, want: `"docker-credential-nowhere": executable file not found`},
		"helper's name":     {config: `{"credsStore":"../x"}`, auth: []string{"basic"}, want: `"../x" is no name of a credential helper`},
		"not JSON":          {config: `alice:s3kret`, auth: []string{"basic"}, want: "is not a JSON file"},
		"variable not JSON": {env: "DOCKER_AUTH_CONFIG", config: `alice:s3kret`, auth: []string{"basic"}, want: "DOCKER_AUTH_CONFIG is not JSON"},
		"not base64":        {config: `{"auths":{"HOST":{"auth":"s3kret"}}}`, auth: []string{"basic"}, want: "is not base64 of user:password"},
	} {
		for _, auth := range c.auth {
			t.Run(name+" "+auth, func(t *testing.T) {
				f := newFakeRegistry(t)
				f.auth = auth
				host := f.push("app:1", f.image("linux/amd64", "", layerTar(t)))
				config := strings.ReplaceAll(c.config, "HOST", f.host())
				file := filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json")
				switch c.env {
				case "REGISTRY_AUTH_FILE":
					file = filepath.Join(t.TempDir(), "auth.json")
					t.Setenv(c.env, file)
				case "DOCKER_AUTH_CONFIG":
					t.Setenv(c.env, config)
					config = ""
				}
				if config != "" {
					writeFile(t, file, []byte(config))
				}
				if user, secret, ok := strings.Cut(c.helper, " "); ok {
					server := f.host()
					if secret == "-" {
						server = "elsewhere"
					}
					dir := t.TempDir()
					script := strings.NewReplacer("HOST", server, "USER", user, "SECRET", secret).Replace(helper)
					if err := os.WriteFile(filepath.Join(dir, "docker-credential-test"), []byte(script), 0o755); err != nil {
						t.Fatal(err)
					}
					t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
				}
				_, err := pull(t, newStore(t), host, "")
				want := strings.ReplaceAll(c.want, "HOST", f.host())
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
				if err != nil && (strings.Contains(err.Error(), "s3kret") || strings.Contains(err.Error(), login)) {
					t.Errorf("the error tells a secret: %v", err)
				}
			})
		}
	}
}

// A helper is looked up in absolute directories only: the working directory belongs to the project.
func TestHelperInWorkingDirectory(t *testing.T) {
	f := newFakeRegistry(t)
	f.auth = "basic"
	name := f.push("app:1", f.image("linux/amd64", "", layerTar(t)))
	dir := t.TempDir()
	marker := filepath.Join(dir, "ran")
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-evil"), []byte("#!/bin/sh\ntouch "+marker+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(`{"credsStore":"evil"}`))
	t.Chdir(dir)
	t.Setenv("PATH", ".:"+os.Getenv("PATH"))
	if _, err := pull(t, newStore(t), name, ""); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the project's program was run")
	}
}

// Credentials stay with the server they are for, even when it redirects to another port of the same host.
func TestRedirectDropsLogin(t *testing.T) {
	var leaked []string
	var mu sync.Mutex
	f := newFakeRegistry(t)
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		leaked = append(leaked, r.Header.Get("Authorization"))
		mu.Unlock()
		f.serve(w, r)
	}))
	defer storage.Close()
	f.auth = "basic"
	f.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/blobs/") && f.allowed(r) {
			http.Redirect(w, r, storage.URL+r.URL.Path, http.StatusTemporaryRedirect)
			return true
		}
		return false
	}
	name := f.push("app:1", f.image("linux/amd64", "", layerTar(t)))
	writeFile(t, filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"),
		[]byte(`{"auths":{"`+f.host()+`":{"username":"alice","password":"secret"}}}`))
	if _, err := pull(t, newStore(t), name, ""); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(leaked, []string{"", ""}) {
		t.Errorf("headers at the other server: %q", leaked)
	}
}

func TestPlainHTTPIsForLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1:5000": true, "127.9.9.9": true, "[::1]:5000": true,
		"example.com": false, "10.0.0.1:5000": false, "localhost.example.com": false, "127.0.0.1.example.com": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("isLoopback(%s) = %v", host, got)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://registry.invalid/v2/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (tlsOnly{http.DefaultTransport}).RoundTrip(req); err == nil || !strings.Contains(err.Error(), "refusing to speak plain HTTP") { //nolint:bodyclose // there is none
		t.Errorf("got %v", err)
	}
}

func TestLoopbackRegistryWithTLS(t *testing.T) {
	f := newFakeRegistry(t)
	f.server.Close()
	f.server = httptest.NewTLSServer(f)
	t.Cleanup(f.server.Close)
	if _, err := pull(t, newStore(t), f.push("app:1", f.image("linux/amd64", "", layerTar(t))), ""); err != nil {
		t.Error(err)
	}
}

// once answers the first n requests whose path has the part.
func once(n int, part string, answer http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		hit := n > 0 && r.Method == http.MethodGet && strings.Contains(r.URL.Path, part)
		if hit {
			n--
		}
		mu.Unlock()
		if hit {
			answer(w, r)
		}
		return hit
	}
}

func TestRetry(t *testing.T) {
	noise := make([]byte, 1_600_000) // does not compress, so that half of it is some packets
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	big := layerTar(t, file{name: "big", content: string(noise)})
	busy := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		fail   int
		answer func(f *fakeRegistry) http.HandlerFunc
		want   string // error; "" = none
		ranges bool   // the rest was asked for, not everything
	}{
		"429":                  {3, func(*fakeRegistry) http.HandlerFunc { return busy(429) }, "", false},
		"502":                  {3, func(*fakeRegistry) http.HandlerFunc { return busy(502) }, "", false},
		"503 for good":         {100, func(*fakeRegistry) http.HandlerFunc { return busy(503) }, "503 Service Unavailable (tried 4 times)", false},
		"403":                  {100, func(*fakeRegistry) http.HandlerFunc { return busy(403) }, "pull access denied", false},
		"cut off":              {2, func(f *fakeRegistry) http.HandlerFunc { return f.cutOff }, "", true},
		"other content":        {1, func(f *fakeRegistry) http.HandlerFunc { return f.corrupt }, "", false},
		"other content always": {100, func(f *fakeRegistry) http.HandlerFunc { return f.corrupt }, "the registry sent other content than sha256:", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeRegistry(t)
			m := f.image("linux/amd64", "", big)
			name := f.push("app:1", m)
			var doc v1.Manifest
			if err := json.Unmarshal(f.blobs[m.Digest], &doc); err != nil {
				t.Fatal(err)
			}
			f.fault = once(c.fail, doc.Layers[0].Digest.String(), c.answer(f))
			s := newStore(t)
			var retries int
			img, err := s.Ensure(t.Context(), ref(t, name), PullOptions{}, func(p Progress) {
				if strings.HasPrefix(p.Detail, "retry in ") {
					retries++
				}
			})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if err == nil && img.Size != 1_600_000 {
				t.Errorf("size %d", img.Size)
			}
			if got := f.requests("bytes=") > 0; got != c.ranges {
				t.Errorf("asked for %q", f.seen)
			}
			if err == nil && !c.ranges && retries != c.fail {
				t.Errorf("%d retries were reported, want %d", retries, c.fail)
			}
			if err != nil && f.requests(doc.Layers[0].Digest.String()) > 4 {
				t.Errorf("asked for %q", f.seen)
			}
			// Whatever happened, the store works afterwards.
			f.fault = nil
			if _, err := pull(t, s, name, ""); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999": maxBackoff, "Thu, 01 Jan 1970 00:00:00 GMT": 0,
	} {
		if got := retryAfter(header); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
	err := error(&busyError{"429 Too Many Requests", time.Second})
	if !transient(fmt.Errorf("x: %w", err)) || transient(errors.New("x")) {
		t.Error("wrong class")
	}
}

// A manifest's author cannot make us fetch from other places.
func TestForeignURLsAreNotUsed(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	f := newFakeRegistry(t)
	layer := layerTar(t)
	desc := f.put(v1.MediaTypeImageLayer, layer)
	desc.URLs = []string{other.URL + "/layer"}
	m := f.putJSON(v1.MediaTypeImageManifest, v1.Manifest{
		MediaType: v1.MediaTypeImageManifest, Config: f.put(v1.MediaTypeImageConfig, configJSON(t, "linux/amd64", "", [][]byte{layer})),
		Layers: []v1.Descriptor{desc},
	})
	if _, err := pull(t, newStore(t), f.push("app:1", m), ""); err != nil || asked {
		t.Errorf("%v, asked %v", err, asked)
	}
}
