package fake_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/engine/enginetest"
	"github.com/runfile/runfile/executor/engine/fake"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSuite(t *testing.T) {
	enginetest.Run(t, func(*testing.T) engine.Engine { return fake.New() }, value.ImageRef{Text: "busybox"}, enginetest.Options{
		Listen: func(port string) []string { return []string{"sh", "-c", "listen " + port + "; sleep 1000"} },
	})
}

func container(words ...string) *schema.Container {
	c := &schema.Container{Key: "web"}
	c.Process.Command = schema.Opt[[]string]{Value: words, Set: true}
	return c
}

func start(t *testing.T, e *fake.Engine, c *schema.Container, stdio engine.Stdio) engine.Process {
	t.Helper()
	if _, err := e.Create(t.Context(), engine.Container{ID: "id", Spec: c}); err != nil {
		t.Fatal(err)
	}
	p, err := e.Start(t.Context(), "id", stdio)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestScripts(t *testing.T) {
	for _, c := range []struct {
		words []string
		code  int
		out   string
		took  time.Duration
	}{
		{[]string{"exit", "3"}, 3, "", 0},
		{[]string{"sleep", "10s"}, 0, "", 10 * time.Second},
		{[]string{"sh", "-c", "sleep 0.5; sleep 2; exit 1"}, 1, "", 2500 * time.Millisecond},
		{[]string{"sh", "-c", `echo "a b" 'c;d' e; false || echo f && echo g`}, 0, "a b c;d e\nf\ng\n", 0},
		{[]string{"sh", "-c", "echo x>/f; echo y >> /f; cat /f; rm /f; test -e /f"}, 1, "x\ny\n", 0},
		{[]string{"sh", "-c", "nonsense"}, 127, "", 0},
		{[]string{"sh", "-c", "kill -9 $$; exit 1"}, 137, "", 0},
		{[]string{"die"}, 137, "", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			began := time.Now()
			p := start(t, fake.New(), container(c.words...), engine.Stdio{Stdout: &out})
			exit, err := p.Wait(t.Context())
			if err != nil || exit.Code != c.code || out.String() != c.out || time.Since(began) != c.took {
				t.Errorf("%q: exit %+v, %v, output %q after %v", c.words, exit, err, out.String(), time.Since(began))
			}
		})
	}
}

func TestIgnoreTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, fake.New(), container("sh", "-c", "ignore-term; sleep 10s; exit 2"), engine.Stdio{})
		synctest.Wait()
		if err := p.Signal(t.Context(), 15); err != nil {
			t.Fatal(err)
		}
		if exit, _ := p.Wait(t.Context()); exit.Code != 2 {
			t.Errorf("exit = %+v", exit)
		}
	})
}

func TestFaultsAndCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.New()
		e.Latency = time.Second
		boom := errors.New("boom")
		e.Fail("start web", boom)
		if _, err := e.Create(t.Context(), engine.Container{ID: "id", Spec: container("exit", "0")}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Start(t.Context(), "id", engine.Stdio{}); !errors.Is(err, boom) {
			t.Errorf("start = %v, want boom", err)
		}
		e.Fail("start web", nil)
		p, err := e.Start(t.Context(), "id", engine.Stdio{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(e.Calls(), "|"); got != "create web|start web|start web" {
			t.Errorf("calls = %s", got)
		}
		if got := e.String(); got != "container web stopped\n" {
			t.Errorf("state = %q", got)
		}
	})
}
