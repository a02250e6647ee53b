// Command load puts one tunnel under load and prints what came of it, one JSON object per phase.
//
// It plays both the users and the service behind the tunnel: users connect to -entry, the service
// listens on -target, and the tunnel under test is whatever carries bytes from one to the other.
// Processor time and memory are those of the processes in -pids and their descendants.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// settings of one run, from the command line.
type settings struct {
	entry    string
	target   string
	duration time.Duration
	system   *processTree
	service  *service
}

// figures are what a phase has measured, by name.
type figures map[string]float64

// report is one line of output.
type report struct {
	Phase   string  `json:"phase"`
	Figures figures `json:"figures"`
	Problem string  `json:"problem,omitempty"`
}

// A phase takes the number in its name (up8: 8).
type phase func(*settings, int) (figures, error)

var counted = map[string]phase{
	"up":    upload,
	"down":  download,
	"bidi":  bothWays,
	"rr":    requests,
	"crr":   connections,
	"burst": burst,
	"idle":  idle,
	"udp":   datagrams,
}

var plain = map[string]phase{
	"warmup":    warmUp,
	"halfclose": halfClose,
	"integrity": integrity,
	"udpsize":   datagramSizes,
}

func find(name string) (phase, int, error) {
	if run, ok := plain[name]; ok {
		return run, 0, nil
	}
	word := strings.TrimRight(name, "0123456789")
	run, ok := counted[word]
	number, err := strconv.Atoi(name[len(word):])
	if !ok || err != nil || number < 1 {
		return nil, 0, fmt.Errorf("unknown phase %q", name)
	}
	return run, number, nil
}

func main() {
	entry := flag.String("entry", "", "`address` where the tunnel takes users")
	target := flag.String("target", "", "`address` the tunnel forwards to; the service listens there")
	pids := flag.String("pids", "", "processes of the tunnel, comma-separated")
	duration := flag.Duration("duration", 2*time.Second, "length of a timed phase")
	patience := flag.Duration("patience", 20*time.Second, "longest wait for the tunnel to carry a byte")
	names := flag.String("phases", "up1,crr1", "what to do, in this order, comma-separated")
	flag.Parse()
	if err := run(*entry, *target, *pids, *duration, *patience, strings.Split(*names, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(entry, target, pids string, duration, patience time.Duration, names []string) error {
	for _, name := range names {
		if _, _, err := find(name); err != nil {
			return err
		}
	}
	tree, err := newProcessTree(pids)
	if err != nil {
		return err
	}
	served, err := serve(target)
	if err != nil {
		return err
	}
	s := &settings{entry: entry, target: target, duration: duration, system: tree, service: served}
	if err := s.await(patience); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(report{Phase: "start", Figures: figures{"restMB": mega(tree.memory())}}); err != nil {
		return err
	}
	for _, name := range names {
		// What the phase before has left (closing connections, a pool being filled) settles first.
		time.Sleep(300 * time.Millisecond)
		act, number, _ := find(name)
		f, problem := act(s, number)
		line := report{Phase: name, Figures: f}
		if problem != nil {
			line.Problem = problem.Error()
		}
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// await returns when the tunnel has carried a byte to the service and back.
func (s *settings) await(patience time.Duration) error {
	end := time.Now().Add(patience)
	for {
		err := s.exchangeOnce(1, 2*time.Second)
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("the tunnel carried nothing within %v: %w", patience, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
