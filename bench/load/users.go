package main

import (
	"io"
	"net"
	"sort"
	"sync"
	"time"
)

const requestBytes = 64

// call connects a user and says what is wanted.
func (s *settings) call(asked byte, until time.Time) (*net.TCPConn, error) {
	dialed, err := net.DialTimeout("tcp", s.entry, 5*time.Second)
	if err != nil {
		return nil, err
	}
	c := dialed.(*net.TCPConn)
	_ = c.SetDeadline(until)
	if _, err := c.Write([]byte{asked}); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// exchange sends the buffer over an echo connection and waits until as much has come back.
func exchange(c net.Conn, buffer []byte) error {
	if _, err := c.Write(buffer); err != nil {
		return err
	}
	_, err := io.ReadFull(c, buffer)
	return err
}

func (s *settings) exchangeOnce(bytes int, patience time.Duration) error {
	c, err := s.call(askEcho, time.Now().Add(patience))
	if err != nil {
		return err
	}
	defer c.Close()
	return exchange(c, make([]byte, bytes))
}

// crowd runs n users at once, waits for all, and tells how many failed and why the last did.
func crowd(n int, user func(i int) error) (failed int, last error) {
	var wait sync.WaitGroup
	results := make(chan error, n)
	for i := 0; i < n; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			results <- user(i)
		}(i)
	}
	wait.Wait()
	close(results)
	for err := range results {
		if err != nil {
			failed++
			last = err
		}
	}
	return failed, last
}

// usage is what the tunnel's processes have used since it was begun.
type usage struct {
	tree  *processTree
	cpu   float64
	start time.Time
}

func (s *settings) measure() usage {
	return usage{tree: s.system, cpu: s.system.cpuSeconds(), start: time.Now()}
}

func (u usage) elapsed() float64 { return time.Since(u.start).Seconds() }
func (u usage) used() float64    { return u.tree.cpuSeconds() - u.cpu }

// moved describes a phase that moved bytes.
func moved(bytes int64, seconds, cpu float64, failed int) figures {
	f := figures{"megabytesPerSecond": float64(bytes) / seconds / 1e6, "errors": float64(failed)}
	if bytes > 0 {
		f["cpuSecondsPerGigabyte"] = cpu / (float64(bytes) / 1e9)
	}
	return f
}

// answered describes a phase of operations that each took a time.
func answered(took []time.Duration, seconds, cpu float64, failed int) figures {
	f := figures{"perSecond": float64(len(took)) / seconds, "errors": float64(failed)}
	if len(took) == 0 {
		return f
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))]) / 1e3
	}
	f["p50Us"], f["p99Us"], f["maxUs"] = at(0.5), at(0.99), at(1)
	f["cpuUsEach"] = cpu * 1e6 / float64(len(took))
	return f
}

func mega(bytes int64) float64 { return float64(bytes) / 1e6 }
