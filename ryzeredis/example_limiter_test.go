package ryzeredis_test

import (
	"context"
	"fmt"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzeredis"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// All replicas of an application share the quota of their token. Should Redis be
// away, this one goes on by itself.
func ExampleNewLimiter() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	line := sim.AddInstance("support-line")
	line.Pair("5511900000001")

	client := redis.NewClient(&redis.Options{Addr: os.Getenv("REDIS_ADDR")})
	defer func() { _ = client.Close() }()
	limiter, err := ryzeredis.NewLimiter(client, ryzeredis.WithStatus(func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "the quota is not shared:", err)
		}
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = limiter.Close() }()

	inst, err := ryze.NewInstanceClient("support-line", line.Token(), ryze.WithBaseURL(sim.URL), ryze.WithLimiter(limiter))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = inst.Messages.SendText(context.Background(), "5511987654321", "Your order is on its way")
	fmt.Println(line.Sent()[0].Text, err)
	// Output: Your order is on its way <nil>
}
