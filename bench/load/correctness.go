package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
)

var errDigest = errors.New("the service saw other bytes")

// noise is random and of an odd length.
func noise(megabytes, i int) []byte {
	data := make([]byte, megabytes<<20+11*i+1)
	_, _ = rand.Read(data)
	return data
}

func expectDigest(c net.Conn, data []byte) error {
	var sum [sha256.Size]byte
	if _, err := io.ReadFull(c, sum[:]); err != nil {
		return err
	}
	if want := sha256.Sum256(data); !bytes.Equal(sum[:], want[:]) {
		return errDigest
	}
	return nil
}

// halfClose: the user ends its side, then the service answers; 5 users, one after another.
func halfClose(s *settings, _ int) (figures, error) {
	const tries = 5
	good := 0
	var last error
	for i := 0; i < tries; i++ {
		if err := s.halfCloseOnce(noise(3, i)); err != nil {
			last = err
		} else {
			good++
		}
	}
	return figures{"good": float64(good), "of": tries}, last
}

func (s *settings) halfCloseOnce(data []byte) error {
	c, err := s.call(askDigest, time.Now().Add(2*grace))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(data); err != nil {
		return err
	}
	if err := c.CloseWrite(); err != nil {
		return err
	}
	return expectDigest(c, data)
}

// integrity: 16 users at once send 8 MiB of noise each; the service must see every byte of it.
func integrity(s *settings, _ int) (figures, error) {
	const users = 16
	failed, last := crowd(users, func(i int) error {
		c, err := s.call(askMeasure, time.Now().Add(4*grace))
		if err != nil {
			return err
		}
		defer c.Close()
		data := noise(8, i)
		if err := binary.Write(c, binary.BigEndian, uint64(len(data))); err != nil {
			return err
		}
		if _, err := c.Write(data); err != nil {
			return err
		}
		return expectDigest(c, data)
	})
	return figures{"good": float64(users - failed), "of": users}, last
}

// datagramSizes: bursts of datagrams of twelve sizes; each must come back whole.
func datagramSizes(s *settings, _ int) (figures, error) {
	const rounds = 5
	sizes := []int{1, 17, 64, 511, 1200, 1472, 2048, 4096, 9000, 16000, 32000, 60000}
	c, err := net.Dial("udp", s.entry)
	if err != nil {
		return figures{"good": 0, "of": rounds * 12}, err
	}
	defer c.Close()
	buffer := make([]byte, 64<<10)
	// The session is opened by a datagram of its own, so that a burst meets an open one.
	_, _ = c.Write([]byte("opening"))
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	_, _ = c.Read(buffer)
	whole, other := 0, 0
	for round := 0; round < rounds; round++ {
		expected := map[string]bool{}
		for _, size := range sizes {
			payload := make([]byte, size)
			_, _ = rand.Read(payload)
			expected[string(payload)] = true
			_, _ = c.Write(payload)
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		for len(expected) > 0 {
			n, err := c.Read(buffer)
			if err != nil {
				break
			}
			if expected[string(buffer[:n])] {
				delete(expected, string(buffer[:n]))
				whole++
			} else {
				other++
			}
		}
	}
	return figures{"good": float64(whole), "of": float64(rounds * len(sizes)), "mangled": float64(other)}, nil
}
