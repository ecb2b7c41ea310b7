package graph_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/runfile/runfile/planner/graph"
)

func build(edges ...[2]string) *graph.Graph[string] {
	g := new(graph.Graph[string])
	for _, e := range edges {
		if e[1] == "" {
			g.Add(e[0])
			continue
		}
		g.Connect(e[0], e[1])
	}
	return g
}

func TestLevels(t *testing.T) {
	tests := []struct {
		name  string
		edges [][2]string
		want  string
	}{
		{"empty", nil, "[]"},
		{"insertion order decides ties", [][2]string{{"c"}, {"a"}, {"b"}}, "[[c a b]]"},
		{"diamond", [][2]string{{"top", "l"}, {"top", "r"}, {"l", "base"}, {"r", "base"}}, "[[base] [l r] [top]]"},
		{"longest path decides", [][2]string{{"a", "c"}, {"a", "b"}, {"b", "c"}}, "[[c] [b] [a]]"},
		{"cycle and its dependants left out", [][2]string{{"a", "b"}, {"b", "a"}, {"c", "a"}, {"d"}}, "[[d]]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fmt.Sprint(build(tt.edges...).Levels()); got != tt.want {
				t.Errorf("Levels() = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCycle(t *testing.T) {
	tests := []struct {
		name  string
		edges [][2]string
		want  string
	}{
		{"none", [][2]string{{"a", "b"}, {"b", "c"}, {"a", "c"}}, "[]"},
		{"self", [][2]string{{"a", "a"}}, "[a]"},
		{"two", [][2]string{{"x", "a"}, {"a", "b"}, {"b", "a"}}, "[a b]"},
		{"begins with the first added", [][2]string{{"a"}, {"c", "a"}, {"b", "c"}, {"a", "b"}}, "[a b c]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fmt.Sprint(build(tt.edges...).Cycle()); got != tt.want {
				t.Errorf("Cycle() = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReaches(t *testing.T) {
	g := build([2]string{"a", "b"}, [2]string{"b", "c"}, [2]string{"d"})
	for _, tt := range []struct {
		from, to string
		want     bool
	}{{"a", "c", true}, {"c", "a", false}, {"a", "a", false}, {"a", "d", false}, {"a", "nobody", false}} {
		if got := g.Reaches(tt.from, tt.to); got != tt.want {
			t.Errorf("Reaches(%s, %s) = %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

// TestProperties: on random graphs either there is a cycle whose edges exist, or the order holds every node once, each
// behind what it needs.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "nodes")
		edges := map[int][]int{}
		g := new(graph.Graph[int])
		for i := range n {
			g.Add(i)
		}
		for range rapid.IntRange(0, 20).Draw(t, "edges") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
			edges[a] = append(edges[a], b)
			g.Connect(a, b)
		}
		if c := g.Cycle(); c != nil {
			for i, from := range c {
				if to := c[(i+1)%len(c)]; !slices.Contains(edges[from], to) {
					t.Fatalf("cycle %v has no edge %d -> %d", c, from, to)
				}
			}
			return
		}
		for _, order := range [][]int{g.Order(), g.Sequence()} {
			if len(order) != n {
				t.Fatalf("order %v has %d nodes, want %d", order, len(order), n)
			}
			for from, tos := range edges {
				for _, to := range tos {
					if slices.Index(order, to) > slices.Index(order, from) {
						t.Fatalf("order %v puts %d before %d, which it needs", order, from, to)
					}
				}
			}
		}
	})
}

// TestSequenceKeepsOrder: what stands in order already is left as it is, where Order goes level by level.
func TestSequenceKeepsOrder(t *testing.T) {
	g := new(graph.Graph[string])
	for _, k := range []string{"a", "needs a", "b", "c"} {
		g.Add(k)
	}
	g.Connect("needs a", "a")
	g.Connect("b", "c")
	if got, want := g.Sequence(), []string{"a", "needs a", "c", "b"}; !slices.Equal(got, want) {
		t.Errorf("the sequence is %q, want %q", got, want)
	}
}
