package project

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/state"
)

const (
	// firstGuest is how long a new supervisor waits for whoever started it.
	firstGuest = 5 * time.Second
	// lookEvery is how often it looks whether it may leave where no event says so.
	lookEvery = time.Second
	// lastWords is how long answers that are under way may take when the supervisor was told to end.
	lastWords = time.Second
	// lockLimit is how long it waits for a predecessor that has closed its door and still holds the lock.
	lockLimit = 30 * time.Second
)

// Serve is the body of `runfile supervise PROJECT`: it takes the project's lock, answers the API, adopts what runs, and
// returns when nothing of the project runs and nobody is connected, or when SIGTERM has stopped everything (a second
// SIGTERM kills it). If another supervisor of the project lives it returns at once. SIGINT and SIGHUP are for the
// terminal's foreground process, not for it.
//
// It becomes the parent of processes whose own parent ends (PR_SET_CHILD_SUBREAPER), so it must be a process's main
// purpose.
func Serve(ctx context.Context, cfg ServeConfig) error {
	if err := checkName(cfg.Project); err != nil {
		return err
	}
	ready := readyPipe()
	if ready != nil {
		defer ready.Close()
	}
	if err := settle(); err != nil {
		return err
	}
	// Notify and not Ignore: what is ignored stays ignored in the containers' processes.
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(ignored)
	terminate := make(chan os.Signal, 2)
	signal.Notify(terminate, syscall.SIGTERM)
	defer signal.Stop(terminate)

	dir := cfg.Paths.ProjectRun(cfg.Project)
	if err := secureDir(dir); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(newBoundedLog(filepath.Join(dir, logName)), nil)).With("pid", os.Getpid())
	return serve(ctx, cfg, log, terminate, func() {
		if ready != nil {
			_, _ = ready.Write([]byte{1}) // whoever started us may have given up
			_ = ready.Close()
		}
	})
}

// settle makes the process independent of whoever started it.
func settle() error {
	// What engines create must not depend on a user's umask; files of ours have their modes given.
	syscall.Umask(0o022)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the containers' parent: %w", err)
	}
	closeOnExec()
	return nil
}

// closeOnExec keeps descriptors that this process inherited (a CI job's pipes, say) from its children. Kernels before
// 5.11 lack the call; there the children get them, as they do from any program.
func closeOnExec() { _ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC) }

// readyPipe is the pipe on which a spawned supervisor reports that it listens; nil if it was started by hand.
func readyPipe() *os.File {
	text := os.Getenv(readyVariable)
	_ = os.Unsetenv(readyVariable) // not for containers' processes
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return nil
	}
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "ready")
}

// serve is Serve without what concerns the whole process.
func serve(ctx context.Context, cfg ServeConfig, log *slog.Logger, terminate <-chan os.Signal, listening func()) error {
	dir := cfg.Paths.ProjectRun(cfg.Project)
	lock, err := takeLock(ctx, dir)
	if lock == nil {
		return err
	}
	defer lock.Unlock()
	l, err := listenSocket(dir)
	if err != nil {
		return fmt.Errorf("open the project's socket: %w", err)
	}
	listening()

	life, end := context.WithCancel(ctx)
	defer end()
	s := newServer(life, cfg, log)
	g := newGate(l, log)
	web := &http.Server{Handler: s.handler(), ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	served := make(chan error, 1)
	go func() { served <- web.Serve(g) }()
	go func() {
		s.load(life)
		g.note()
	}()
	log.Info("supervising", "project", cfg.Project)
	s.stay(ctx, g, terminate)
	return leave(s, web, served, dir, end)
}

// takeLock takes the project's lock. Another supervisor that answers makes it give up (nil, nil); one that is leaving
// makes it wait.
func takeLock(ctx context.Context, dir string) (*state.FileLock, error) {
	path := filepath.Join(dir, lockName)
	for start := time.Now(); ; {
		lock, err := state.TryLock(path)
		if err == nil || !errors.Is(err, state.ErrLocked) {
			return lock, err
		}
		conn, err := hello(ctx, dir)
		if err == nil {
			return nil, conn.Close()
		}
		if !isGone(err) && !errors.Is(err, syscall.EAGAIN) {
			return nil, fmt.Errorf("another supervisor holds %s: %w", path, err)
		}
		if time.Since(start) > lockLimit {
			return nil, fmt.Errorf("another supervisor still holds %s after %s and does not listen", path, lockLimit)
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// stay returns when the supervisor may leave: the gate is closed then, or ctx or SIGTERM has ended everything.
func (s *server) stay(ctx context.Context, g *gate, terminate <-chan os.Signal) {
	start := time.Now()
	look := time.NewTimer(firstGuest)
	defer look.Stop()
	loaded := s.loaded
	var events <-chan executor.Event
	ended := make(chan error, 1)
	end := s.terminator(ctx, ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-loaded:
			loaded = nil
			if s.manager != nil {
				sub := s.manager.Subscribe(eventBuffer)
				defer sub.Close()
				sub.Output([]string{})
				events = sub.C
			}
		case <-terminate:
			end()
		case err := <-ended:
			if err != nil {
				s.log.Error("stop everything", "error", err)
			}
			return
		case <-g.change:
			look.Reset(s.cfg.lingers())
		case <-events:
			look.Reset(s.cfg.lingers())
		case <-look.C:
			wait := firstGuest - time.Since(start)
			switch {
			case g.unused() && wait > 0:
				look.Reset(wait)
			case g.leave(func() bool { return !s.busy() }):
				return
			default:
				look.Reset(lookEvery)
			}
		}
	}
}

// terminator returns what a SIGTERM does: the first one stops everything gracefully and then reports on ended, the
// second ends it at once, more do nothing.
func (s *server) terminator(ctx context.Context, ended chan<- error) func() {
	kill := make(chan struct{})
	signals := 0
	return func() {
		switch signals++; signals {
		case 1:
			s.log.Info("told to end; stopping everything")
			go func() { ended <- s.terminate(ctx, kill) }()
		case 2:
			close(kill)
		}
	}
}

// leave closes everything. The socket goes first: who connects from now on starts the next supervisor, and that waits
// for the lock.
func leave(s *server, web *http.Server, served <-chan error, dir string, end context.CancelFunc) error {
	err := os.Remove(filepath.Join(dir, socketName))
	if errors.Is(err, os.ErrNotExist) {
		err = nil // somebody cleaned up; what counts is that it is not there
	}
	end()
	// Only after SIGTERM or the end of ctx is anybody left to wait for: runs that have ended say so to their clients.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.life), lastWords)
	defer cancel()
	_ = web.Shutdown(ctx)
	_ = web.Close()
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("answer requests: %w", serr))
	}
	err = errors.Join(err, s.close())
	s.log.Info("leaving", "error", err)
	return err
}
