package main

import (
	"net"
	"sync/atomic"
	"time"
)

// grace is how long a user may go on after the end of a timed phase.
const grace = 5 * time.Second

// upload: n users send as fast as they can; what has reached the service in time counts.
func upload(s *settings, n int) (figures, error) {
	s.service.swallowed.Store(0)
	use := s.measure()
	var over atomic.Bool
	var bytes int64
	var seconds, cpu float64
	timer := time.AfterFunc(s.duration, func() {
		bytes, seconds, cpu = s.service.swallowed.Load(), use.elapsed(), use.used()
		over.Store(true)
	})
	defer timer.Stop()
	failed, last := crowd(n, func(int) error {
		c, err := s.call(askSwallow, use.start.Add(s.duration+grace))
		if err != nil {
			return err
		}
		defer c.Close()
		zeros := make([]byte, bulkBytes)
		for !over.Load() {
			if _, err := c.Write(zeros); err != nil {
				return err
			}
		}
		return nil
	})
	if !over.Load() { // all users have failed before the end
		bytes, seconds, cpu = s.service.swallowed.Load(), use.elapsed(), use.used()
	}
	return moved(bytes, seconds, cpu, failed), last
}

// receive reads until the end of the phase, counting; an error before it is an error.
func receive(c net.Conn, end time.Time, size int, total *atomic.Int64) error {
	buffer := make([]byte, size)
	for {
		n, err := c.Read(buffer)
		total.Add(int64(n))
		if err != nil {
			if time.Now().Before(end) {
				return err
			}
			return nil
		}
	}
}

// download: n users receive as fast as the service can send.
func download(s *settings, n int) (figures, error) {
	var total atomic.Int64
	use := s.measure()
	end := use.start.Add(s.duration)
	failed, last := crowd(n, func(int) error {
		c, err := s.call(askFlood, end)
		if err != nil {
			return err
		}
		defer c.Close()
		return receive(c, end, bulkBytes, &total)
	})
	return moved(total.Load(), use.elapsed(), use.used(), failed), last
}

// bothWays: n users send and receive at once, through the service's echo; both ways count.
func bothWays(s *settings, n int) (figures, error) {
	var total atomic.Int64
	use := s.measure()
	end := use.start.Add(s.duration)
	failed, last := crowd(n, func(int) error {
		c, err := s.call(askEcho, end)
		if err != nil {
			return err
		}
		defer c.Close()
		go func() {
			zeros := make([]byte, 64<<10)
			for {
				if _, err := c.Write(zeros); err != nil {
					return
				}
			}
		}()
		return receive(c, end, 64<<10, &total)
	})
	return moved(2*total.Load(), use.elapsed(), use.used(), failed), last
}
