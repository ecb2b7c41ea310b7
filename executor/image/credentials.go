package image

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/remotes/docker"
)

// dockerHub is the key under which docker keeps the credentials of docker.io.
const dockerHub = "https://index.docker.io/v1/"

// helperTimeout bounds a credential helper; some ask a remote service.
const helperTimeout = 30 * time.Second

// credentials finds logins as docker does: $DOCKER_CONFIG/config.json or ~/.docker/config.json, the variable
// DOCKER_AUTH_CONFIG, then podman's REGISTRY_AUTH_FILE. They are read for each pull, never kept and never printed.
type credentials struct{ ctx context.Context }

// authFile is the common format of those files.
type authFile struct {
	Auths map[string]struct {
		Auth          string `json:"auth"` // base64 of user:password
		Username      string `json:"username"`
		Password      string `json:"password"`
		IdentityToken string `json:"identitytoken"`
	} `json:"auths"`
	CredsStore  string            `json:"credsStore"`
	CredHelpers map[string]string `json:"credHelpers"`
}

// lookup returns the login for a registry's host: user and password, or "" and an identity token, or nothing.
func (c credentials) lookup(host string) (user, secret string, err error) {
	for _, load := range []func() (authFile, error){dockerConfig, authConfigVariable, registryAuthFile} {
		file, err := load()
		if err != nil {
			return "", "", err
		}
		user, secret, err := file.find(c.ctx, host)
		if err != nil || secret != "" {
			return user, secret, err
		}
	}
	return "", "", nil
}

func dockerConfig() (authFile, error) {
	dir := os.Getenv("DOCKER_CONFIG")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return authFile{}, nil //nolint:nilerr // without a home there is no login
		}
		dir = filepath.Join(home, ".docker")
	}
	return readAuthFile(filepath.Join(dir, "config.json"))
}

func authConfigVariable() (f authFile, err error) {
	if text := os.Getenv("DOCKER_AUTH_CONFIG"); text != "" {
		if json.Unmarshal([]byte(text), &f) != nil { // its error would quote the text, a secret
			return f, errors.New("environment variable DOCKER_AUTH_CONFIG is not JSON")
		}
	}
	return f, nil
}

func registryAuthFile() (authFile, error) {
	path := os.Getenv("REGISTRY_AUTH_FILE")
	if path == "" {
		return authFile{}, nil
	}
	return readAuthFile(path)
}

func readAuthFile(path string) (f authFile, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("registry credentials: %w", err)
	}
	if json.Unmarshal(data, &f) != nil {
		return f, fmt.Errorf("registry credentials: %s is not a JSON file as docker login writes it", path)
	}
	return f, nil
}

// find looks for the host's helper, then the general one, then a stored login. A helper that does not know the host is
// no error.
func (f *authFile) find(ctx context.Context, host string) (user, secret string, err error) {
	key := host
	// Logins are stored under the name that people see, not that of the server behind it.
	if endpoint, err := docker.DefaultHost("docker.io"); err == nil && (host == endpoint || host == "docker.io") {
		key = dockerHub
	}
	helper := f.CredsStore
	for name, h := range f.CredHelpers {
		if hostOf(name) == hostOf(key) {
			helper = h
		}
	}
	if helper != "" {
		if user, secret, err = askHelper(ctx, helper, key); err != nil || secret != "" {
			return user, secret, err
		}
	}
	for name, a := range f.Auths {
		if hostOf(name) != hostOf(key) {
			continue
		}
		if a.IdentityToken != "" {
			return "", a.IdentityToken, nil
		}
		if a.Auth == "" {
			return a.Username, a.Password, nil
		}
		plain, err := base64.StdEncoding.DecodeString(a.Auth)
		user, secret, ok := strings.Cut(strings.TrimRight(string(plain), "\x00"), ":")
		if err != nil || !ok {
			return "", "", fmt.Errorf("registry credentials: the entry for %s is not base64 of user:password", name)
		}
		return user, secret, nil
	}
	return "", "", nil
}

// hostOf is the host[:port] of a key, which may be written as a URL.
func hostOf(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, _, _ := strings.Cut(key, "/")
	return host
}

var helperName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// askHelper runs docker-credential-NAME. The program is found by an absolute entry of PATH only: one that lies in the
// working directory came with the project.
func askHelper(ctx context.Context, name, server string) (user, secret string, err error) {
	if !helperName.MatchString(name) {
		return "", "", fmt.Errorf("registry credentials: %q is no name of a credential helper", name)
	}
	path, err := exec.LookPath("docker-credential-" + name)
	if err == nil && !filepath.IsAbs(path) {
		err = exec.ErrDot
	}
	if err != nil {
		return "", "", fmt.Errorf("registry credentials: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, helperTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "get")
	cmd.Stdin = strings.NewReader(server)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		// By protocol the message is on standard output, and this one says that there is no login.
		if bytes.Contains(out, []byte("credentials not found")) {
			return "", "", nil
		}
		return "", "", fmt.Errorf("registry credentials: %s get: %w: %.200s", filepath.Base(path), err, bytes.TrimSpace(out))
	}
	var answer struct{ Username, Secret string }
	if json.Unmarshal(out, &answer) != nil {
		return "", "", fmt.Errorf("registry credentials: %s answers with something else than JSON", filepath.Base(path))
	}
	if answer.Username == "<token>" {
		answer.Username = ""
	}
	return answer.Username, answer.Secret, nil
}
