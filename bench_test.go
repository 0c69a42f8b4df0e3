package ryze

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/ryzeapi/ryze-go/internal/upload"
)

const textReply = `{"success":true,"message":"Message sent successfully","status":"sent","data":{"messageId":"3EB0AAAAAAAAAAAAAAAA",` +
	`"timestamp":"2026-01-01T12:00:00Z","direction":"outgoing","messageType":"text","content":"Hello",` +
	`"chat":{"jid":"5511987654321@s.whatsapp.net"},"sender":{}}}`

// quotaServer answers every request alike, with the rate headers of a quota
// that is never used up, over HTTP/1 or over HTTP/2 with TLS.
func quotaServer(b *testing.B, http2 bool) (*httptest.Server, *http.Client) {
	b.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("X-RateLimit-Limit", "1000000")
		h.Set("X-RateLimit-Remaining", "999999")
		h.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Unix()+60, 10))
		_, _ = io.WriteString(w, textReply)
	}))
	transport := defaultTransport()
	if http2 {
		server.EnableHTTP2 = true
		server.StartTLS()
		transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		transport.TLSClientConfig.RootCAs.AddCert(server.Certificate())
	} else {
		server.Start()
	}
	b.Cleanup(server.Close)
	b.Cleanup(transport.CloseIdleConnections)
	return server, &http.Client{Transport: transport}
}

// BenchmarkSendText measures a text send beside the same call written by hand
// with net/http and encoding/json: the status checked, the reply bounded and
// decoded. Run both in one run:
//
//	go test -run '^$' -bench SendText -benchmem -count 6 .
func BenchmarkSendText(b *testing.B) {
	for _, protocol := range []string{"HTTP1", "HTTP2"} {
		for _, goroutines := range []int{1, 64} {
			name := protocol + "/goroutines=" + strconv.Itoa(goroutines)
			server, client := quotaServer(b, protocol == "HTTP2")
			c, err := New(WithBaseURL(server.URL), WithHTTPClient(client))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = c.Close() })
			inst := c.Instance("support-line", "token")
			inParallel(b, name+"/net-http", goroutines, func(ctx context.Context) error {
				return sendByHand(ctx, client, server.URL, "support-line", "token", "5511987654321", "Hello")
			})
			inParallel(b, name+"/ryze", goroutines, func(ctx context.Context) error {
				_, err := inst.Messages.SendText(ctx, "5511987654321", "Hello")
				return err
			})
		}
	}
}

// inParallel runs f in so many goroutines.
func inParallel(b *testing.B, name string, goroutines int, f func(context.Context) error) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		if goroutines == 1 {
			for b.Loop() {
				if err := f(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			return
		}
		b.SetParallelism(max(1, goroutines/runtime.GOMAXPROCS(0)))
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := f(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

type textByHand struct {
	Number  string `json:"number"`
	Message string `json:"message"`
	Source  string `json:"source,omitempty"`
}

type sentByHand struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Data    struct {
		MessageID   string    `json:"messageId"`
		Timestamp   time.Time `json:"timestamp"`
		MessageType string    `json:"messageType"`
		Content     string    `json:"content"`
		Chat        struct {
			JID string `json:"jid"`
		} `json:"chat"`
	} `json:"data"`
	Error struct {
		Message string `json:"message"`
	} `json:"error"`
}

func sendByHand(ctx context.Context, client *http.Client, base, instance, token, number, text string) error {
	body, err := json.Marshal(textByHand{Number: number, Message: text, Source: "ryze-go"})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/message/text/"+instance, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("token", token)
	req.Header.Set("User-Agent", "acme-crm/2.1")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	var sent sentByHand
	if err := json.Unmarshal(raw, &sent); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !sent.Success {
		return fmt.Errorf("%d: %s", resp.StatusCode, sent.Error.Message)
	}
	if sent.Data.MessageID == "" {
		return errors.New("no message id")
	}
	return nil
}

// zeros gives n zero bytes and cannot be read twice.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.n)
	clear(p[:n])
	z.n -= n
	return int(n), nil
}

// BenchmarkSendFile sends 256 MiB and reports the most heap in use while doing
// so, beyond what was in use before.
//
//	go test -run '^$' -bench SendFile -benchtime 3x .
func BenchmarkSendFile(b *testing.B) {
	const size = 256 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		if n < upload.EncodedLen(size) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, textReply)
	}))
	defer server.Close()
	client, err := New(WithBaseURL(server.URL))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	inst := client.Instance("support-line", "token")
	b.SetBytes(size)
	var most uint64
	for b.Loop() {
		runtime.GC()
		before := heapInUse()
		stop, peak := make(chan struct{}), make(chan uint64)
		go watchHeap(stop, peak)
		media := Media{Source: MediaReader("film.mp4", &zeros{size}), Kind: MediaVideo}
		if _, err := inst.Messages.Send(b.Context(), "5511987654321", media); err != nil {
			b.Fatal(err)
		}
		close(stop)
		if p := <-peak; p > before {
			most = max(most, p-before)
		}
	}
	b.ReportMetric(float64(most)/(1<<20), "MiB-extra-heap")
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

func watchHeap(stop <-chan struct{}, peak chan<- uint64) {
	var most uint64
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			peak <- most
			return
		case <-tick.C:
			most = max(most, heapInUse())
		}
	}
}
