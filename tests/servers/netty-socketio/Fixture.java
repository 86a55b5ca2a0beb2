import com.corundumstudio.socketio.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.Collectors;

/**
 * The fixture contract on netty-socketio. Any argument may come, so each event declares arguments of the class Object. An attachment
 * is then a text of base64 that nothing tells from any other text: binary events cannot be judged by this fixture. There is no
 * `t:bye`: the library can put a client out of a namespace, and cannot end its connection.
 */
public class Fixture {
    /** As many arguments as an event of the contract may have. */
    private static final Class<?>[] ANYTHING = Collections.nCopies(8, Object.class).toArray(new Class<?>[0]);

    private static final ScheduledExecutorService LATER = Executors.newScheduledThreadPool(2);

    private interface Handler {
        void handle(SocketIOClient client, List<Object> args, AckRequest ack) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        SocketIOServer server = new SocketIOServer(configuration());
        addContract(server, server.getNamespace(""), "/");
        addContract(server, server.addNamespace("/custom"), "/custom");
        SocketIONamespace guard = server.addNamespace("/guard");
        guard.addAuthTokenListener((auth, client) -> isOk(auth)
                ? AuthTokenResult.AuthTokenResultSuccess
                : new AuthTokenResult(false, Map.of("message", "nope", "data", Map.of("code", 7))));
        addContract(server, guard, "/guard");
        server.start();
        System.out.println("listening on http://127.0.0.1:" + number("PORT", 3000) + "/socket.io/");
        Thread.currentThread().join();
    }

    private static Configuration configuration() {
        Configuration configuration = new Configuration();
        configuration.setHostname("127.0.0.1");
        configuration.setPort(number("PORT", 3000));
        configuration.setPingInterval(number("PING_INTERVAL", 1000));
        configuration.setPingTimeout(number("PING_TIMEOUT", 1000));
        configuration.setUpgradeTimeout(number("UPGRADE_TIMEOUT", 1000));
        configuration.setMaxHttpContentLength(1_000_000);
        configuration.setMaxFramePayloadLength(1_000_000);
        configuration.setOrigin("*");
        // Otherwise each event is acknowledged when its handler returns, as that of `t:burst` does long before the end.
        configuration.setAckMode(AckMode.MANUAL);
        SocketConfig sockets = new SocketConfig();
        sockets.setReuseAddress(true);
        configuration.setSocketConfig(sockets);
        return configuration;
    }

    private static int number(String name, int otherwise) {
        String value = System.getenv(name);
        return value == null ? otherwise : Integer.parseInt(value);
    }

    private static boolean isOk(Object auth) {
        return auth instanceof Map && "ok".equals(((Map<?, ?>) auth).get("token"));
    }

    private static void addContract(SocketIOServer server, SocketIONamespace namespace, String name) {
        namespace.addConnectListener(client -> client.sendEvent("auth", auth(client)));
        on(namespace, "message", (client, args, ack) -> client.sendEvent("message-back", args.toArray()));
        on(namespace, "message-with-ack", (client, args, ack) -> ack.sendAckData(args.toArray()));
        on(namespace, "t:join", (client, args, ack) -> {
            texts(args.get(0)).forEach(client::joinRoom);
            ack.sendAckData(client.getAllRooms());
        });
        on(namespace, "t:leave", (client, args, ack) -> {
            client.leaveRoom((String) args.get(0));
            ack.sendAckData(client.getAllRooms());
        });
        on(namespace, "t:cast", (client, args, ack) -> {
            cast(namespace, client, (Map<?, ?>) args.get(0), (String) args.get(1), (List<?>) args.get(2));
            ack.sendAckData();
        });
        on(namespace, "t:burst", Fixture::burst);
        on(namespace, "t:who", (client, args, ack) -> ack.sendAckData(who(client, name)));
        namespace.addDisconnectListener(client -> server.getRoomOperations("watch")
                .sendEvent("gone", client.getSessionId().toString(), name, "unknown", client.getAllRooms()));
    }

    private static void on(SocketIONamespace namespace, String event, Handler handler) {
        namespace.addMultiTypeEventListener(
                event, (client, args, ack) -> handler.handle(client, new ArrayList<>(args.getArgs()), ack), ANYTHING);
    }

    private static List<String> texts(Object value) {
        if (value == null) return List.of();
        Collection<?> all = value instanceof Collection ? (Collection<?>) value : List.of(value);
        return all.stream().map(String::valueOf).collect(Collectors.toList());
    }

    private static Object auth(SocketIOClient client) {
        Object auth = client.getHandshakeData().getAuthToken();
        return auth == null ? Map.of() : auth;
    }

    private static void cast(SocketIONamespace namespace, SocketIOClient sender, Map<?, ?> target, String event, List<?> args) {
        Set<SocketIOClient> reached = new LinkedHashSet<>(in(namespace, texts(target.get("to")), namespace.getAllClients()));
        List<String> except = texts(target.get("except"));
        reached.removeAll(in(namespace, except, List.of()));
        // One client is excepted as a client: it is in no room of its own.
        reached.removeIf(client -> except.contains(client.getSessionId().toString()));
        if ("socket".equals(target.get("from"))) reached.remove(sender);
        for (SocketIOClient client : reached) client.sendEvent(event, args.toArray());
    }

    private static Collection<SocketIOClient> in(
            SocketIONamespace namespace, List<String> rooms, Collection<SocketIOClient> otherwise) {
        return rooms.isEmpty() ? otherwise : namespace.getRoomOperations(rooms.toArray(new String[0])).getClients();
    }

    private static void burst(SocketIOClient client, List<Object> args, AckRequest ack) {
        int count = ((Number) args.get(0)).intValue();
        long every = Math.max(1, ((Number) args.get(1)).longValue());
        boolean binary = Boolean.TRUE.equals(args.get(2));
        next(client, 0, count, every, binary, ack);
    }

    /** One after another: with a delay for each, two threads could overtake each other. */
    private static void next(SocketIOClient client, int n, int count, long every, boolean binary, AckRequest ack) {
        if (n == count) {
            ack.sendAckData();
            return;
        }
        client.sendEvent("n", binary && n % 2 == 1 ? new Object[] {n, new byte[] {(byte) n}} : new Object[] {n});
        LATER.schedule(() -> next(client, n + 1, count, every, binary, ack), every, TimeUnit.MILLISECONDS);
    }

    private static Map<String, Object> who(SocketIOClient client, String namespace) {
        HandshakeData handshake = client.getHandshakeData();
        Map<String, String> query = new LinkedHashMap<>();
        Map<String, String> headers = new LinkedHashMap<>();
        handshake.getUrlParams().forEach((key, values) -> query.put(key, values.get(0)));
        handshake.getHttpHeaders().forEach(header -> headers.put(header.getKey().toLowerCase(), header.getValue()));
        Map<String, Object> who = new LinkedHashMap<>();
        who.put("id", client.getSessionId().toString());
        who.put("nsp", namespace);
        who.put("auth", auth(client));
        who.put("query", query);
        who.put("headers", headers);
        who.put("recovered", false);
        who.put("transport", client.getTransport().getValue());
        return who;
    }
}
