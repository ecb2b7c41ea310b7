package fake

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/runfile/runfile/executor/engine"
)

// process interprets a script. One goroutine runs it; signals reach it where it sleeps, reads or waits.
type process struct {
	engine    *Engine
	container *container
	exec      bool // came from Exec
	args      []string
	env       []string
	user      string
	workdir   string
	status    engine.Status

	signals chan int
	done    chan struct{} // closed after exit is set
	exit    engine.Exit   // valid once done is closed

	mu    sync.Mutex
	stdio engine.Stdio // guarded by mu: Adopt replaces it
	traps map[int]string
}

// ended is how a statement says that the whole script is over.
type ended struct{ code, signal int }

func (ended) Error() string { return "script ended" }

func (p *process) run() {
	code, signal := p.runScript(scriptOf(p.args))
	p.exit = engine.Exit{Code: code, Signal: signal, At: time.Now()}
	p.engine.ended(p)
	close(p.done)
}

func (p *process) runScript(script string) (code, signal int) {
	var background []string
	for _, s := range parse(script) {
		if s.join == "&&" && code != 0 || s.join == "||" && code == 0 {
			continue
		}
		words := make([]string, len(s.words))
		for i, w := range s.words {
			words[i] = w.expand(p.lookup)
		}
		if s.background && words[0] != "listen" {
			background = words
			continue
		}
		if words[0] == "wait" {
			if background == nil {
				continue
			}
			words = background
		}
		var err error
		code, err = p.command(words)
		var e ended
		if errors.As(err, &e) {
			return e.code, e.signal
		}
	}
	return code, 0
}

func (p *process) lookup(name string) string {
	for i := len(p.env) - 1; i >= 0; i-- {
		if k, v, _ := strings.Cut(p.env[i], "="); k == name {
			return v
		}
	}
	return ""
}

// command runs one statement and returns its exit status.
func (p *process) command(words []string) (int, error) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "exit":
		code, _ := strconv.Atoi(arg(1))
		return 0, ended{code: code & 255}
	case "die": // as if the kernel had killed it for memory
		return 0, ended{code: 137, signal: 9}
	case "sleep":
		return 0, p.sleep(duration(arg(1)))
	case "echo":
		p.echo(words[1:])
		return 0, nil
	case "true", ":", "/bin/true":
		return 0, nil
	case "false", "/bin/false":
		return 1, nil
	case "cat":
		return p.cat(arg(1))
	case "test", "touch", "rm":
		return p.fileCommand(words[0], words[len(words)-1])
	case "trap":
		p.setTrap(arg(2), arg(1))
		return 0, nil
	case "ignore-term", "on-term":
		p.setTrap("TERM", strings.Join(words[1:], " "))
		return 0, nil
	case "kill":
		return 0, p.deliver(signalNumber(strings.TrimPrefix(arg(1), "-")))
	case "listen":
		p.listen(arg(1), arg(2))
		return 0, nil
	case "id":
		p.echo([]string{p.user})
		return 0, nil
	case "pwd":
		p.echo([]string{p.workdir})
		return 0, nil
	}
	p.print(true, "sh: "+words[0]+": not found\n")
	return 127, nil
}

// fileCommand runs a statement about one file of the container.
func (p *process) fileCommand(verb, file string) (int, error) {
	switch verb {
	case "test":
		return status(p.container.has(file)), nil
	case "touch":
		p.container.write(file, "", true)
		return 0, nil
	default: // rm
		return status(p.container.erase(file)), nil
	}
}

func status(ok bool) int {
	if ok {
		return 0
	}
	return 1
}

func (p *process) sleep(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return nil
		case n := <-p.signals:
			if err := p.deliver(n); err != nil {
				return err
			}
		}
	}
}

// deliver does what a signal does: runs the trap, ends the script, or nothing.
func (p *process) deliver(n int) error {
	p.mu.Lock()
	action, trapped := p.traps[n]
	p.mu.Unlock()
	switch {
	case n == int(syscall.SIGKILL):
		return ended{128 + n, n}
	case trapped && action == "":
		return nil
	case trapped:
		if code, sig := p.runTrap(action); code >= 0 {
			return ended{code, sig}
		}
		return nil
	case n == int(syscall.SIGTERM), n == int(syscall.SIGINT), n == int(syscall.SIGHUP), n == int(syscall.SIGQUIT):
		return ended{128 + n, n}
	}
	return nil
}

// runTrap runs a trap's commands; -1 means that the script goes on.
func (p *process) runTrap(action string) (code, signal int) {
	for _, s := range parse(action) {
		words := make([]string, len(s.words))
		for i, w := range s.words {
			words[i] = w.expand(p.lookup)
		}
		_, err := p.command(words)
		var e ended
		if errors.As(err, &e) {
			return e.code, e.signal
		}
	}
	return -1, 0
}

func (p *process) setTrap(name, action string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.traps[signalNumber(name)] = action
}

func signalNumber(name string) int {
	if n, err := strconv.Atoi(name); err == nil {
		return n
	}
	names := map[string]syscall.Signal{
		"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT, "KILL": syscall.SIGKILL, "TERM": syscall.SIGTERM,
		"USR1": 10, "USR2": 12,
	}
	return int(names[strings.TrimPrefix(name, "SIG")])
}

// echo writes its words, to a file if the last ones say so.
func (p *process) echo(words []string) {
	stderr, file, appending := false, "", false
	var text []string
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == ">&2":
			stderr = true
		case strings.HasPrefix(w, ">"):
			file, appending = strings.TrimLeft(w, ">"), strings.HasPrefix(w, ">>")
			if file == "" && i+1 < len(words) {
				i++
				file = words[i]
			}
		default:
			text = append(text, w)
		}
	}
	line := strings.Join(text, " ") + "\n"
	if file != "" {
		p.container.write(file, line, appending)
		return
	}
	p.print(stderr, line)
}

func (p *process) print(stderr bool, text string) {
	p.mu.Lock()
	w := p.stdio.Stdout
	if stderr && !p.tty() {
		w = p.stdio.Stderr
	}
	p.mu.Unlock()
	if w != nil {
		_, _ = io.WriteString(w, text) // a closed reader is the caller's business
	}
}

func (p *process) tty() bool { return !p.exec && p.container.config.Spec.Stdio.TTY.Value }

// cat prints a file, or copies standard input until its end.
func (p *process) cat(file string) (int, error) {
	if file != "" {
		text, ok := p.container.read(file)
		if !ok {
			p.print(true, "cat: "+file+": No such file or directory\n")
			return 1, nil
		}
		p.print(false, text)
		return 0, nil
	}
	p.mu.Lock()
	stdin := p.stdio.Stdin
	p.mu.Unlock()
	if stdin == nil {
		return 0, nil
	}
	chunks := make(chan string)
	go func() {
		defer close(chunks)
		buf := make([]byte, 4096)
		for {
			n, err := stdin.Read(buf)
			if n > 0 {
				select {
				case chunks <- string(buf[:n]):
				case <-p.done:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for {
		select {
		case text, ok := <-chunks:
			if !ok {
				return 0, nil
			}
			p.print(false, text)
		case n := <-p.signals:
			if err := p.deliver(n); err != nil {
				return 0, err
			}
		}
	}
}

// listen opens a TCP port that Dial can reach; it answers HTTP requests with the given status.
func (p *process) listen(port, httpStatus string) {
	n, _ := strconv.ParseUint(port, 10, 16)
	code, _ := strconv.Atoi(httpStatus)
	if code == 0 {
		code = http.StatusOK
	}
	p.engine.mu.Lock()
	p.container.ports[uint16(n)] = code
	p.engine.mu.Unlock()
}

// PID implements engine.Process.
func (p *process) PID() int { return p.status.PID }

// Wait implements engine.Process.
func (p *process) Wait(ctx context.Context) (engine.Exit, error) {
	select {
	case <-p.done:
		return p.exit, nil
	case <-ctx.Done():
		return engine.Exit{}, ctx.Err()
	}
}

// Signal implements engine.Process.
func (p *process) Signal(ctx context.Context, signal int) error {
	whose := p.container.name()
	if p.exec {
		whose = "exec " + whose
	}
	if err := p.engine.told("signal %s %d", whose, signal); err != nil {
		return err
	}
	select {
	case <-p.done:
		return engine.ErrProcessDone
	default:
	}
	select {
	case <-p.done:
		return engine.ErrProcessDone
	case p.signals <- signal:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Resize implements engine.Process.
func (p *process) Resize(_ context.Context, columns, rows uint16) error {
	return p.engine.told("resize %s %dx%d", p.container.name(), columns, rows)
}

// Exec implements engine.Process.
func (p *process) Exec(_ context.Context, spec engine.Exec, stdio engine.Stdio) (engine.Process, error) {
	if p.exec {
		return nil, errors.New("a command started by exec cannot exec")
	}
	if err := p.engine.told("exec %s %s", p.container.name(), strings.Join(spec.Args, " ")); err != nil {
		return nil, err
	}
	select {
	case <-p.done:
		return nil, engine.ErrProcessDone
	default:
	}
	return p.engine.launch(&process{
		container: p.container, exec: true, args: spec.Args, env: slices.Concat(p.env, spec.Env),
		user: cmp.Or(spec.User, p.user), workdir: cmp.Or(spec.Workdir, p.workdir), stdio: stdio,
	})
}

// Dial implements engine.Process.
func (p *process) Dial(_ context.Context, port uint16) (io.ReadWriteCloser, error) {
	p.engine.mu.Lock()
	code, open := p.container.ports[port]
	p.engine.mu.Unlock()
	if !open {
		return nil, fmt.Errorf("dial port %d: %w", port, syscall.ECONNREFUSED)
	}
	ours, theirs := net.Pipe()
	go func() {
		defer func() { _ = ours.Close() }()
		req, err := http.ReadRequest(bufio.NewReader(ours))
		if err == nil {
			_, _ = fmt.Fprintf(ours, "HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", code)
			_ = req.Body.Close()
		}
	}()
	return theirs, nil
}

// Status implements engine.Process.
func (p *process) Status() engine.Status { return p.status }
