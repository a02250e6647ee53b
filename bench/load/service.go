package main

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
)

// What a user asks of the service with the first byte of a connection.
const (
	askEcho    = 'e' // everything comes back
	askSwallow = 's' // everything is counted
	askFlood   = 'f' // zeros, until the connection breaks
	askDigest  = 'd' // SHA-256 of everything up to the end of the user's side
	askMeasure = 'm' // u64 length, that many bytes; answered by their SHA-256
)

const bulkBytes = 256 << 10

// service is what the tunnel forwards to.
type service struct {
	swallowed atomic.Int64
}

// serve listens for TCP and UDP on one address.
func serve(address string) (*service, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	s := &service{}
	go s.acceptAll(listener)
	go echoDatagrams(packets)
	return s, nil
}

func (s *service) acceptAll(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			s.attend(connection)
		}()
	}
}

func (s *service) attend(c net.Conn) {
	var asked [1]byte
	if _, err := io.ReadFull(c, asked[:]); err != nil {
		return
	}
	switch asked[0] {
	case askEcho:
		echo(c)
	case askSwallow:
		s.swallow(c)
	case askFlood:
		flood(c)
	case askDigest:
		answerDigest(c, c)
	case askMeasure:
		var length [8]byte
		if _, err := io.ReadFull(c, length[:]); err == nil {
			answerDigest(c, io.LimitReader(c, int64(binary.BigEndian.Uint64(length[:]))))
		}
	}
}

// echo avoids io.Copy: its splice between two sockets of one kind would measure something else.
func echo(c net.Conn) {
	buffer := make([]byte, 16<<10)
	for {
		n, err := c.Read(buffer)
		if n > 0 {
			if _, werr := c.Write(buffer[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (s *service) swallow(c net.Conn) {
	buffer := make([]byte, bulkBytes)
	for {
		n, err := c.Read(buffer)
		s.swallowed.Add(int64(n))
		if err != nil {
			return
		}
	}
}

func flood(c net.Conn) {
	zeros := make([]byte, bulkBytes)
	for {
		if _, err := c.Write(zeros); err != nil {
			return
		}
	}
}

func answerDigest(c net.Conn, from io.Reader) {
	hash := sha256.New()
	if _, err := io.Copy(hash, from); err == nil {
		_, _ = c.Write(hash.Sum(nil))
	}
}

func echoDatagrams(packets net.PacketConn) {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = packets.WriteTo(buffer[:n], from)
	}
}
