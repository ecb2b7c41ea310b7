package network

import (
	"context"
	"errors"
	"net"

	"github.com/runfile/runfile/executor/engine"
)

type (
	Manager struct{}
	Sandbox struct{}
)

var errSoon = errors.New("not yet")

func New(cfg Config) (*Manager, error)                                  { return nil, errSoon }
func (m *Manager) Ensure(ctx context.Context, n Network) error          { return errSoon }
func (m *Manager) RemoveNetwork(ctx context.Context, key string) error  { return errSoon }
func (m *Manager) Join(ctx context.Context, a Attach) (*Sandbox, error) { return nil, errSoon }

// Sweep removes what a dead predecessor left of containers that are not in keep.
func (m *Manager) Sweep(ctx context.Context, keep []string) error { return errSoon }
func (m *Manager) Forget(name string) error                       { return errSoon }
func (m *Manager) Close() error                                   { return errSoon }

func (s *Sandbox) NetnsPath() string                 { return "" }
func (s *Sandbox) Dir() string                       { return "" }
func (s *Sandbox) Share(containerID string) *Sandbox { return nil }
func (s *Sandbox) LinkEnv() []string                 { return nil }
func (s *Sandbox) Start(ctx context.Context) error   { return errSoon }
func (s *Sandbox) Stop()                             {}
func (s *Sandbox) Close(ctx context.Context) error   { return errSoon }
func (s *Sandbox) Endpoints() []engine.Endpoint      { return nil }
func (s *Sandbox) Ports() []engine.Binding           { return nil }
func (s *Sandbox) Dial(ctx context.Context, port uint16) (net.Conn, error) {
	return nil, errSoon
}
