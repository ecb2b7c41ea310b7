// Package graph is a small directed graph for dependency orders: add nodes, connect them, find a cycle, list them in a
// stable order. It knows nothing of containers.
//
// An edge from a to b means that a needs b, so b stands before a in every order. Nodes keep the order in which they
// were added wherever dependencies leave a choice; the same input gives the same output on every run.
package graph

import "slices"

// Graph is a directed graph of comparable keys. The zero value is empty and ready to use. It is not safe for
// concurrent use.
type Graph[K comparable] struct {
	keys  []K
	index map[K]int
	needs [][]int
}

// Add puts a node into the graph; adding it again does nothing.
func (g *Graph[K]) Add(k K) {
	g.add(k)
}

func (g *Graph[K]) add(k K) int {
	if i, ok := g.index[k]; ok {
		return i
	}
	if g.index == nil {
		g.index = make(map[K]int)
	}
	i := len(g.keys)
	g.index[k] = i
	g.keys = append(g.keys, k)
	g.needs = append(g.needs, nil)
	return i
}

// Connect says that from needs to. Unknown nodes are added; a second edge between the same two does nothing.
func (g *Graph[K]) Connect(from, to K) {
	f, t := g.add(from), g.add(to)
	if !slices.Contains(g.needs[f], t) {
		g.needs[f] = append(g.needs[f], t)
	}
}

// Reaches reports whether from needs to, directly or through others. A node does not reach itself unless it lies on a
// cycle.
func (g *Graph[K]) Reaches(from, to K) bool {
	f, ok := g.index[from]
	t, ok2 := g.index[to]
	if !ok || !ok2 {
		return false
	}
	seen := make([]bool, len(g.keys))
	stack := slices.Clone(g.needs[f])
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if i == t {
			return true
		}
		if !seen[i] {
			seen[i] = true
			stack = append(stack, g.needs[i]...)
		}
	}
	return false
}

// Cycle returns the nodes of one cycle, each needing the next and the last needing the first, or nil. It begins with
// the node of the cycle that was added first.
func (g *Graph[K]) Cycle() []K {
	const (
		unseen = iota
		open
		done
	)
	state := make([]int, len(g.keys))
	var path []int
	var visit func(i int) []int
	visit = func(i int) []int {
		state[i] = open
		path = append(path, i)
		for _, n := range g.needs[i] {
			switch state[n] {
			case open:
				return slices.Clone(path[slices.Index(path, n):])
			case unseen:
				if c := visit(n); c != nil {
					return c
				}
			}
		}
		path = path[:len(path)-1]
		state[i] = done
		return nil
	}
	for i := range g.keys {
		if state[i] != unseen {
			continue
		}
		if c := visit(i); c != nil {
			return g.rotated(c)
		}
	}
	return nil
}

func (g *Graph[K]) rotated(cycle []int) []K {
	at := slices.Index(cycle, slices.Min(cycle))
	out := make([]K, len(cycle))
	for i := range cycle {
		out[i] = g.keys[cycle[(at+i)%len(cycle)]]
	}
	return out
}

// Levels groups the nodes: those of level 0 need nothing, those of level n need at least one of level n-1. Inside a
// level nodes keep the order in which they were added. Nodes on a cycle, and what needs them, are left out.
func (g *Graph[K]) Levels() [][]K {
	level := make([]int, len(g.keys))
	missing := make([]int, len(g.keys))
	neededBy := make([][]int, len(g.keys))
	var ready []int
	for i, needs := range g.needs {
		missing[i] = len(needs)
		for _, n := range needs {
			neededBy[n] = append(neededBy[n], i)
		}
		if len(needs) == 0 {
			ready = append(ready, i)
		}
	}
	var placed []int
	for ; len(ready) > 0; ready = ready[1:] {
		i := ready[0]
		placed = append(placed, i)
		for _, j := range neededBy[i] {
			level[j] = max(level[j], level[i]+1)
			if missing[j]--; missing[j] == 0 {
				ready = append(ready, j)
			}
		}
	}
	slices.Sort(placed)
	var out [][]K
	for _, i := range placed {
		for len(out) <= level[i] {
			out = append(out, nil)
		}
		out[level[i]] = append(out[level[i]], g.keys[i])
	}
	return out
}

// Order lists the nodes so that each stands behind all it needs: level by level.
func (g *Graph[K]) Order() []K {
	return slices.Concat(g.Levels()...)
}

// Sequence lists the nodes so that each stands behind all it needs and, beyond that, in the order in which they were
// added: what is in order already stays as it is. Nodes on a cycle stand in any order.
func (g *Graph[K]) Sequence() []K {
	placed := make([]bool, len(g.keys))
	out := make([]K, 0, len(g.keys))
	var place func(i int)
	place = func(i int) {
		if placed[i] {
			return
		}
		placed[i] = true
		needs := slices.Clone(g.needs[i])
		slices.Sort(needs)
		for _, n := range needs {
			place(n)
		}
		out = append(out, g.keys[i])
	}
	for i := range g.keys {
		place(i)
	}
	return out
}
