package ryzetest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// A client sends a message, the connection dies before the answer comes, and
// the server tells that the message went out all the same.
func ExampleServer_Fault() {
	srv := ryzetest.NewServer()
	defer srv.Close()
	shop := srv.AddInstance("shop")
	shop.Pair("5511900000001")
	srv.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})

	req, _ := http.NewRequest("POST", srv.URL+"/api/message/text/shop",
		strings.NewReader(`{"number":"5511987654321","message":"your order is on its way"}`))
	req.Header.Set("token", shop.Token())
	req.Header.Set("Content-Type", "application/json")
	_, err := srv.HTTPClient().Do(req)

	fmt.Println("failed:", err != nil)
	fmt.Println("requests:", srv.Count("messages.text"))
	fmt.Println("sent:", shop.Sent()[0].Text)
	// Output:
	// failed: true
	// requests: 1
	// sent: your order is on its way
}

// A customer writes, and the webhook receives it.
func ExampleInstance_Receive() {
	got := make(chan string, 1)
	srv := ryzetest.NewServer(ryzetest.WithWebhookHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println(strings.Contains(string(body), `"content":"are you open?"`))
		got <- r.Header.Get("Authorization")
	})))
	defer srv.Close()
	shop := srv.AddInstance("shop")
	shop.Pair("5511900000001")

	req, _ := http.NewRequest("POST", srv.URL+"/api/events/webhook/shop",
		strings.NewReader(`{"enabled":true,"url":"https://hooks.example.com/","authorization":"Bearer q"}`))
	req.Header.Set("token", srv.AccountToken)
	req.Header.Set("Content-Type", "application/json")
	res, err := srv.HTTPClient().Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	res.Body.Close()

	shop.Receive(ryzetest.Incoming{From: "5511987654321", Name: "Ana", Text: "are you open?"})
	fmt.Println(<-got)
	// Output:
	// true
	// Bearer q
}
