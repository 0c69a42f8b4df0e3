package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// begin puts those to work who are there, and ends the sign-ups that broke off.
func begin(ctx context.Context, s *tenants) error {
	s.live = map[string]*tenant{}
	rows, err := s.store.all()
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Ready {
			err = s.enter(row)
		} else {
			err = s.remove(ctx, row, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// start serves until its context ends, or plays two customers against a simulator.
func start(ctx context.Context, listen, file, public string, out io.Writer) (err error) {
	s := &tenants{public: public, operator: ryze.Secret(os.Getenv("TENANTS_OPERATOR")), log: log.New(out, "", 0)}
	key, err := base64.StdEncoding.DecodeString(os.Getenv("TENANTS_KEY"))
	if err != nil {
		return fmt.Errorf("TENANTS_KEY: %w", err)
	}
	var sim *ryzetest.Server
	if os.Getenv("RYZE_BASE_URL") == "" && os.Getenv("RYZE_ACCOUNT_TOKEN") == "" {
		sim = ryzetest.NewServer()
		defer sim.Close()
		dir, err := os.MkdirTemp("", "tenants")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		listen, file, key, s.operator = "localhost:0", filepath.Join(dir, "tenants.json"), make([]byte, 32), ryze.Secret(rand.Text())
		if s.account, err = ryze.NewAccountClient(sim.AccountToken, ryze.WithBaseURL(sim.URL)); err != nil {
			return err
		}
	} else if s.account, err = ryze.AccountFromEnv(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.account.Client().Close()) }()
	if sim == nil && (public == "" || len(key) != 32 || s.operator == "") {
		return errors.New("set -public, TENANTS_OPERATOR and TENANTS_KEY, which is 32 bytes in base64: openssl rand -base64 32")
	}
	if s.store, err = openStore(file, key); err != nil {
		return err
	}
	if err = begin(ctx, s); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	if sim != nil {
		s.public = "http://" + listener.Addr().String()
		go func() {
			defer cancel()
			customers(ctx, s, sim, out)
		}()
	}
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() {
		grace, end := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer end()
		_ = server.Shutdown(grace)
	})
	if err = server.Serve(listener); errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// customers plays a pizzeria and a school.
func customers(ctx context.Context, s *tenants, sim *ryzetest.Server, out io.Writer) {
	ask := func(method, path, who, password string, form url.Values) map[string]any {
		request, err := http.NewRequestWithContext(ctx, method, s.public+path, strings.NewReader(form.Encode()))
		if err != nil {
			return nil
		}
		request.SetBasicAuth(who, password)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil
		}
		defer func() { _ = response.Body.Close() }()
		var said map[string]any
		_ = json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&said)
		return said
	}
	passwords := map[string]string{}
	for id, number := range map[string]string{"pizzeria": "5511900000001", "school": "5521900000002"} {
		passwords[id], _ = ask(http.MethodPost, "/tenants", "operator", s.operator.Reveal(), url.Values{"id": {id}})["password"].(string)
		ask(http.MethodGet, "/pairing", id, passwords[id], nil)
		phone := sim.Instance("tenant-" + id)
		phone.Pair(number)
		phone.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "A question to the " + id})
	}
	for _, id := range []string{"pizzeria", "school"} {
		var messages any
		demo.Until(ctx, func() bool {
			messages = ask(http.MethodGet, "/messages", id, passwords[id], nil)["messages"]
			return messages != nil
		})
		ask(http.MethodPost, "/messages", id, passwords[id], url.Values{"to": {"5511987654321"}, "text": {"The " + id + " answers"}})
		fmt.Fprintf(out, "%s has received %v and sent %q.\n", id, messages, sim.Instance("tenant-" + id).Sent()[0].Text)
	}
	ask(http.MethodDelete, "/tenant", "school", passwords["school"], nil)
	fmt.Fprintf(out, "Instances left: %d.\n", len(sim.Instances()))
}
