package main

import (
	"net"
	"sync"
	"time"
)

// ledger gathers the times of many users' operations.
type ledger struct {
	lock sync.Mutex
	took []time.Duration
}

func (l *ledger) add(took []time.Duration) {
	l.lock.Lock()
	l.took = append(l.took, took...)
	l.lock.Unlock()
}

// requests: n users keep one connection each and send one request after another.
func requests(s *settings, n int) (figures, error) {
	var all ledger
	use := s.measure()
	end := use.start.Add(s.duration)
	failed, last := crowd(n, func(int) error {
		c, err := s.call(askEcho, end.Add(grace))
		if err != nil {
			return err
		}
		defer c.Close()
		buffer := make([]byte, requestBytes)
		var took []time.Duration
		defer func() { all.add(took) }()
		for {
			begun := time.Now()
			if !begun.Before(end) {
				return nil
			}
			if err := exchange(c, buffer); err != nil {
				return err
			}
			took = append(took, time.Since(begun))
		}
	})
	return answered(all.took, s.duration.Seconds(), use.used(), failed), last
}

// connections: n users connect, send one request, wait for its answer and close, again and again.
func connections(s *settings, n int) (figures, error) {
	var all ledger
	var lock sync.Mutex
	failures := 0
	var last error
	use := s.measure()
	end := use.start.Add(s.duration)
	crowd(n, func(int) error {
		var took []time.Duration
		for {
			begun := time.Now()
			if !begun.Before(end) {
				break
			}
			if err := s.exchangeOnce(requestBytes, 2*grace); err != nil {
				lock.Lock()
				failures++
				last = err
				lock.Unlock()
				time.Sleep(10 * time.Millisecond)
				continue
			}
			took = append(took, time.Since(begun))
		}
		all.add(took)
		return nil
	})
	return answered(all.took, s.duration.Seconds(), use.used(), failures), last
}

// warmUp is for programs that compile while they run; its figures are nobody's.
func warmUp(s *settings, _ int) (figures, error) {
	short := *s
	short.duration = time.Second
	f, err := connections(&short, 8)
	return figures{"errors": f["errors"]}, err
}

// burst: n users come at once, and all stay until the last has had its answer.
func burst(s *settings, n int) (figures, error) {
	held := make([]net.Conn, n)
	begun := time.Now()
	failed, last := crowd(n, func(i int) error {
		c, err := s.call(askEcho, begun.Add(3*grace))
		if err != nil {
			return err
		}
		held[i] = c
		return exchange(c, make([]byte, requestBytes))
	})
	took := time.Since(begun)
	hangUp(held)
	return figures{"ms": took.Seconds() * 1e3, "served": float64(n - failed), "errors": float64(failed)}, last
}

// idle: n users exchange one request and then hold their connections, saying nothing.
func idle(s *settings, n int) (figures, error) {
	before := s.system.memory()
	held := make([]net.Conn, 0, n)
	failed := 0
	var last error
	for i := 0; i < n; i++ {
		c, err := s.call(askEcho, time.Now().Add(2*grace))
		if err == nil {
			held = append(held, c)
			err = exchange(c, make([]byte, requestBytes))
		}
		if err != nil {
			failed++
			last = err
		}
	}
	time.Sleep(time.Second)
	after := s.system.memory()
	quiet := s.measure()
	time.Sleep(2 * time.Second)
	f := figures{
		"kilobytesPerConnection": float64(after-before) / 1e3 / float64(n),
		"beforeMB":               mega(before),
		"memoryMB":               mega(after),
		"cpuPercent":             100 * quiet.used() / quiet.elapsed(),
		"errors":                 float64(failed),
	}
	hangUp(held)
	return f, last
}

func hangUp(held []net.Conn) {
	for _, c := range held {
		if c != nil {
			c.Close()
		}
	}
}
