// The fixture contract on the Socket.IO server for Go.
package main

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

func milliseconds(name string, otherwise int) time.Duration {
	value, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		value = otherwise
	}
	return time.Duration(value) * time.Millisecond
}

func main() {
	options := socket.DefaultServerOptions()
	options.SetPingInterval(milliseconds("PING_INTERVAL", 300))
	options.SetPingTimeout(milliseconds("PING_TIMEOUT", 200))
	options.SetConnectTimeout(time.Second)
	options.SetUpgradeTimeout(time.Second)
	options.SetMaxHttpBufferSize(1_000_000)
	options.SetCors(&types.Cors{Origin: "*"})
	io := socket.NewServer(nil, options)

	setUp := func(clients ...any) { addContract(io, clients[0].(*socket.Socket)) }
	io.On("connection", setUp)
	io.Of("/custom", nil).On("connection", setUp)
	io.Of(regexp.MustCompile(`^/dyn-\d+$`), nil).On("connection", setUp)
	guarded := io.Of("/guard", nil)
	guarded.Use(guard)
	guarded.On("connection", setUp)

	http.Handle("/socket.io/", io.ServeHandler(nil))
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil {
		panic(err)
	}
}

func guard(client *socket.Socket, next func(*socket.ExtendedError)) {
	if client.Handshake().Auth["token"] == "ok" {
		next(nil)
		return
	}
	next(socket.NewExtendedError("nope", map[string]any{"code": 7}))
}

// on takes the acknowledgement off the arguments; whoever asks for none gets none.
func on(client *socket.Socket, event string, handler func(args []any, ack func(...any))) {
	client.On(event, func(args ...any) {
		ack := func(...any) {}
		if last := len(args) - 1; last >= 0 {
			if answer, is := args[last].(socket.Ack); is {
				ack, args = func(values ...any) { answer(values, nil) }, args[:last]
			}
		}
		defer func() { _ = recover() }() // a command whose arguments make no sense
		handler(args, ack)
	})
}

func addContract(io *socket.Server, client *socket.Socket) {
	client.Emit("auth", client.Handshake().Auth)
	client.On("message", func(args ...any) { client.Emit("message-back", args...) })
	on(client, "message-with-ack", func(args []any, ack func(...any)) { ack(args...) })
	on(client, "t:join", func(args []any, ack func(...any)) {
		client.Join(rooms(args[0])...)
		ack(client.Rooms().Keys())
	})
	on(client, "t:leave", func(args []any, ack func(...any)) {
		client.Leave(socket.Room(args[0].(string)))
		ack(client.Rooms().Keys())
	})
	on(client, "t:cast", func(args []any, ack func(...any)) {
		target := args[0].(map[string]any)
		operator := client.To(rooms(target["to"])...).Except(rooms(target["except"])...)
		if target["from"] == "io" {
			operator = client.Nsp().To(rooms(target["to"])...).Except(rooms(target["except"])...)
		}
		operator.Emit(args[1].(string), args[2].([]any)...)
		ack()
	})
	on(client, "t:ack-twice", func(_ []any, ack func(...any)) {
		ack(1)
		ack(2)
	})
	on(client, "t:bye", func(args []any, ack func(...any)) {
		ack()
		client.Disconnect(args[0].(bool))
	})
	client.On("disconnecting", func(args ...any) {
		io.To("watch").Emit("gone", client.Id(), client.Nsp().Name(), args[0], client.Rooms().Keys())
	})
}

func rooms(value any) []socket.Room {
	switch value := value.(type) {
	case string:
		return []socket.Room{socket.Room(value)}
	case []any:
		all := make([]socket.Room, 0, len(value))
		for _, room := range value {
			all = append(all, socket.Room(room.(string)))
		}
		return all
	}
	return nil
}
