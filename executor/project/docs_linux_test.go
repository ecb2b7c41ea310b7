package project

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	curlExample = regexp.MustCompile(`(?m)curl --unix-socket \$S.*?(?:\\\n.*)?$`)
	curlURL     = regexp.MustCompile(`http://x(/v1/[^ '\n]*)`)
	curlBody    = regexp.MustCompile(`-d '([^']*)'`)
)

// TestDocumentedRoutes sends every example of docs/api.md to a supervisor: each route must exist and understand the
// body, and each route must have an example.
func TestDocumentedRoutes(t *testing.T) {
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, c := startSupervisor(t)
	shown := map[string]bool{}
	for _, example := range curlExample.FindAllString(string(page), -1) {
		path := curlURL.FindStringSubmatch(example)
		if path == nil {
			t.Errorf("no address in %q", example)
			continue
		}
		method, body := http.MethodGet, ""
		if strings.Contains(example, " -d ") {
			method = http.MethodPost
		}
		if m := curlBody.FindStringSubmatch(example); m != nil {
			body = m[1]
		}
		route, _, _ := strings.Cut(path[1], "?")
		shown[method+" "+route] = true
		if status := send(t, c, method, path[1], body); status == http.StatusNotImplemented ||
			status == http.StatusBadRequest && body != "" {
			t.Errorf("%s %s %s: answer %d", method, path[1], body, status)
		}
	}
	for _, r := range routes {
		if !shown[r.method+" "+r.path] {
			t.Errorf("docs/api.md shows no example of %s %s", r.method, r.path)
		}
	}
	if len(shown) != len(routes) {
		t.Errorf("docs/api.md shows %d routes, there are %d", len(shown), len(routes))
	}
}

// send returns the status of an answer and drops its body.
func send(t *testing.T, c *Client, method, path, body string) int {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// FuzzRequests feeds every route that decodes a body: whatever comes, the answer is an HTTP status and no panic.
func FuzzRequests(f *testing.F) {
	var bodies []route
	for _, r := range routes {
		if r.method == http.MethodPost {
			bodies = append(bodies, r)
		}
	}
	for i := range bodies {
		f.Add(i, []byte(`{"containers":["web"],"container":"web","timeout":3}`))
		f.Add(i, []byte(`{"plan":{"project":{"name":"p","containers":[null]}}}`))
		f.Add(i, []byte(`{} {}`))
	}
	f.Add(0, []byte(`{"plan":{"project":{"name":"p","containers":[{"key":"a"}]},"selected":["a","b"],"steps":[{"id":"start a","kind":"start","object":"a","after":["x"]}]}}`))
	life, end := context.WithCancel(context.Background())
	end() // nothing is waited for: not a manager, not a run
	s := newServer(life, ServeConfig{Project: "p"}, discardLog())
	f.Fuzz(func(t *testing.T, i int, body []byte) {
		r := bodies[((i%len(bodies))+len(bodies))%len(bodies)]
		w := httptest.NewRecorder()
		req := httptest.NewRequestWithContext(life, r.method, r.path, strings.NewReader(string(body)))
		s.handler().ServeHTTP(w, req)
		if w.Code < 200 || w.Code > 599 || w.Code >= 400 && !strings.Contains(w.Body.String(), `"message"`) {
			t.Fatalf("%s %q: %d %s", r.path, body, w.Code, w.Body.String())
		}
	})
}
