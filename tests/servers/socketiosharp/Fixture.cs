// The fixture contract on SocketIOSharp, which speaks the version before. It has no rooms, no namespaces and no middleware, and its
// events carry one argument at most, so that only the echo, the acknowledgement and the broadcast to everyone are here.
using System;
using Newtonsoft.Json.Linq;
using SocketIOSharp.Server;

ushort port = ushort.Parse(Environment.GetEnvironmentVariable("PORT"));
SocketIOServerOption option = new SocketIOServerOption(port, PingTimeout: 1000, PingInterval: 300, UpgradeTimeout: 1000);
using SocketIOServer server = new SocketIOServer(option);

server.OnConnection(socket =>
{
    socket.Emit("auth", new JObject());
    socket.On("message", data =>
    {
        // The namespace stands behind the arguments.
        if (data.Length > 1) socket.Emit("message-back", data[0]);
        else socket.Emit("message-back");
    });
    socket.On("message-with-ack", asked => asked.Callback?.Invoke(asked.Data));
    socket.On("t:cast", asked =>
    {
        JArray values = (JArray)asked.Data[2];
        foreach (var other in server.Clients)
        {
            bool isSender = ReferenceEquals(other, socket) && (string)asked.Data[0]["from"] == "socket";
            if (!isSender) other.Emit(asked.Data[1], values.Count > 0 ? values[0] : null);
        }
        asked.Callback?.Invoke(Array.Empty<JToken>());
    });
});

server.Start();
Console.WriteLine($"listening on http://127.0.0.1:{port}/socket.io/");
Console.In.ReadToEnd();
