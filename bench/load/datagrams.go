package main

import (
	"encoding/binary"
	"net"
	"sync/atomic"
	"time"
)

const datagramBytes = 512

// flight is how many datagrams a user keeps on the way: few each when there are many users.
func flight(users int) int {
	if users > 8 {
		return 4
	}
	return 32
}

// datagrams: n users keep a number of datagrams in flight; each answer lets one more go.
func datagrams(s *settings, n int) (figures, error) {
	var good, other, lost atomic.Int64
	use := s.measure()
	end := use.start.Add(s.duration)
	window := flight(n)
	failed, last := crowd(n, func(int) error {
		c, err := net.Dial("udp", s.entry)
		if err != nil {
			return err
		}
		defer c.Close()
		payload := make([]byte, datagramBytes)
		buffer := make([]byte, 64<<10)
		sequence := uint64(0)
		send := func(count int) {
			for ; count > 0; count-- {
				sequence++
				binary.BigEndian.PutUint64(payload, sequence)
				_, _ = c.Write(payload)
			}
		}
		// The first datagram opens the session alone: the rest would only queue behind it.
		inFlight := 1
		send(1)
		for time.Now().Before(end) {
			_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
			size, err := c.Read(buffer)
			if err != nil { // nothing is coming back any more: start over
				lost.Add(int64(inFlight))
				send(inFlight)
				continue
			}
			if size != datagramBytes {
				other.Add(1)
				continue
			}
			good.Add(1)
			send(1 + window - inFlight)
			inFlight = window
		}
		return nil
	})
	f := figures{
		"perSecond": float64(good.Load()) / use.elapsed(),
		"lost":      float64(lost.Load()),
		"mangled":   float64(other.Load()),
		"errors":    float64(failed),
	}
	if good.Load() > 0 {
		f["cpuUsEach"] = use.used() * 1e6 / float64(good.Load())
	}
	return f, last
}
