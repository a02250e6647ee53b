package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticksPerSecond is USER_HZ, 100 on every Linux that Go supports.
const ticksPerSecond = 100

// processTree is some processes and all their descendants.
type processTree struct {
	roots []int
}

func newProcessTree(list string) (*processTree, error) {
	t := &processTree{}
	for _, word := range strings.Split(list, ",") {
		if word == "" {
			continue
		}
		pid, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("bad process id %q", word)
		}
		t.roots = append(t.roots, pid)
	}
	return t, nil
}

// status is what /proc/<pid>/stat says of a process.
type status struct {
	parent int
	// ticks of itself and of the children it has waited for.
	ticks float64
}

func statusOf(pid int) (status, bool) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return status{}, false
	}
	// The name in parentheses may hold anything: the fields are counted from behind it.
	text := string(content)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return status{}, false
	}
	var s status
	s.parent, _ = strconv.Atoi(fields[1])
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		ticks, _ := strconv.ParseFloat(field, 64)
		s.ticks += ticks
	}
	return s, true
}

// living lists the tree's processes that exist now.
func (t *processTree) living() map[int]status {
	all := map[int]status{}
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if s, ok := statusOf(pid); ok {
				all[pid] = s
			}
		}
	}
	children := map[int][]int{}
	for pid, s := range all {
		children[s.parent] = append(children[s.parent], pid)
	}
	tree := map[int]status{}
	pending := append([]int(nil), t.roots...)
	for len(pending) > 0 {
		pid := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		s, ok := all[pid]
		if _, seen := tree[pid]; seen || !ok {
			continue
		}
		tree[pid] = s
		pending = append(pending, children[pid]...)
	}
	return tree
}

// cpuSeconds is the user and system time of the tree so far.
func (t *processTree) cpuSeconds() float64 {
	ticks := 0.0
	for _, s := range t.living() {
		ticks += s.ticks
	}
	return ticks / ticksPerSecond
}

// memory is the resident set of the tree, in bytes.
func (t *processTree) memory() int64 {
	var pages int64
	for pid := range t.living() {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			continue
		}
		if fields := strings.Fields(string(content)); len(fields) > 1 {
			resident, _ := strconv.ParseInt(fields[1], 10, 64)
			pages += resident
		}
	}
	return pages * int64(os.Getpagesize())
}
