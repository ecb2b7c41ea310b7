package project

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
)

const (
	// maxBody and maxPlan bound request bodies in bytes. A plan holds the project, and that a manifest of at most
	// 1 MiB a file whose templates multiply.
	maxBody = 1 << 20
	maxPlan = 256 << 20
)

// route is an entry of the API.
type route struct {
	method, path string
	handle       func(*server, http.ResponseWriter, *http.Request) error
}

// routes is the whole API; docs/api.md shows each with an example, and a test compares the two.
var routes = []route{
	{http.MethodGet, "/v1/ping", (*server).ping},
	{http.MethodGet, "/v1/info", (*server).info},
	{http.MethodPost, "/v1/up", (*server).up},
	{http.MethodPost, "/v1/stop-run", (*server).stopRun},
	{http.MethodPost, "/v1/down", (*server).down},
	{http.MethodPost, "/v1/stop", (*server).stop},
	{http.MethodPost, "/v1/start", (*server).start},
	{http.MethodPost, "/v1/restart", (*server).restart},
	{http.MethodPost, "/v1/kill", (*server).kill},
	{http.MethodPost, "/v1/remove", (*server).remove},
	{http.MethodPost, "/v1/wait", (*server).wait},
	{http.MethodPost, "/v1/resize", (*server).resize},
	{http.MethodPost, "/v1/logs", (*server).logs},
	{http.MethodGet, "/v1/events", (*server).events},
	{http.MethodPost, "/v1/exec", (*server).exec},
	{http.MethodPost, "/v1/attach", (*server).attach},
}

// server answers the API for one project.
type server struct {
	cfg ServeConfig
	log *slog.Logger
	// life ends when the supervisor is told to end. Changes that a client asked for hang on it and not on the
	// client's connection: a stop that was begun is carried out, whoever waits for it.
	life     context.Context
	inflight atomic.Int64 // handlers at work, also those whose client has gone
	runs     runs

	loaded  chan struct{} // closed when what follows is set
	manager *executor.Manager
	failure error // why there is no manager
	engine  engine.Engine
}

func newServer(life context.Context, cfg ServeConfig, log *slog.Logger) *server {
	return &server{cfg: cfg, log: log, life: life, loaded: make(chan struct{})}
}

// load makes the engine and the manager, which adopts what runs. Requests wait for it.
func (s *server) load(ctx context.Context) {
	defer close(s.loaded)
	var err error
	if s.engine, err = s.cfg.NewEngine(); err != nil {
		s.fail(fmt.Errorf("start the engine: %w", err))
		return
	}
	s.manager, err = executor.NewManager(ctx, executor.Config{
		Project: s.cfg.Project,
		Engine:  s.engine,
		Paths:   s.cfg.Paths,
		OpenLog: func(rec *executor.Record) (stdout, stderr io.WriteCloser, err error) {
			return containerLog(s.cfg.Paths, rec)
		},
	})
	if err != nil {
		s.fail(fmt.Errorf("take over the project's containers: %w", err))
	}
}

func (s *server) fail(err error) {
	s.failure = err
	s.log.Error("failed to start", "error", err)
}

// ready returns the manager when it has loaded.
func (s *server) ready(ctx context.Context) (*executor.Manager, error) {
	select {
	case <-s.loaded:
		return s.manager, s.failure
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// busy reports that the supervisor must live although nobody is connected.
func (s *server) busy() bool {
	select {
	case <-s.loaded:
	default:
		return true
	}
	return s.inflight.Load() > 0 || s.manager != nil && s.manager.Busy()
}

// close lets go of the containers, which go on running, and of the engine.
func (s *server) close() error {
	<-s.loaded
	var err error
	if s.manager != nil {
		if len(s.manager.Records()) == 0 {
			err = release(s.cfg.Paths, s.cfg.Project)
		}
		s.manager.Close()
	}
	if c, ok := s.engine.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// handler is the API as HTTP.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.method+" "+r.path, func(w http.ResponseWriter, req *http.Request) {
			s.inflight.Add(1)
			defer s.inflight.Add(-1)
			if err := r.handle(s, w, req); err != nil {
				writeError(w, err)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		writeError(w, refuse(http.StatusNotImplemented, exitOurs, "%s %s: this supervisor has no such request; is it of another version?",
			req.Method, req.URL.Path))
	})
	return mux
}

// decode reads a request's body. Unknown fields are refused: a supervisor that is older than its client must not drop
// what it does not know. The body is read to its end, because only then net/http watches for the client's leaving.
func decode[T any](w http.ResponseWriter, r *http.Request, limit int64) (T, error) {
	var v T
	err := decodeInto(w, r, limit, &v)
	return v, err
}

// decodeInto is decode on top of defaults.
func decodeInto(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return refuse(http.StatusBadRequest, exitUsage, "read the request: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, exitUsage, "read the request: something follows the JSON value")
	}
	return nil
}

func writeError(w http.ResponseWriter, err error) {
	status, body := errorResponse(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone misses nothing
}

// errorResponse classifies an error for the wire.
func errorResponse(err error) (int, ErrorResponse) {
	var known *Error
	if errors.As(err, &known) {
		return known.Status, known.ErrorResponse
	}
	body := ErrorResponse{Message: err.Error(), ExitCode: engine.ExitCode(err)}
	var refused *engine.Error
	if errors.As(err, &refused) {
		body.Option = refused.Option
	}
	if errors.Is(err, executor.ErrNoContainer) {
		return http.StatusNotFound, body
	}
	return http.StatusInternalServerError, body
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that has gone misses nothing
	return nil
}

// lineWriter streams JSON values, one a line, each sent at once. After the first failure it drops them: the client has
// gone.
type lineWriter struct {
	enc    *json.Encoder
	flush  func() error
	failed error
}

func startLines(w http.ResponseWriter) *lineWriter {
	w.Header().Set("Content-Type", "application/jsonl")
	w.WriteHeader(http.StatusOK)
	l := &lineWriter{enc: json.NewEncoder(w), flush: http.NewResponseController(w).Flush}
	l.failed = l.flush()
	return l
}

func (l *lineWriter) write(v any) error {
	if l.failed == nil {
		l.failed = l.enc.Encode(v)
	}
	if l.failed == nil {
		l.failed = l.flush()
	}
	return l.failed
}
