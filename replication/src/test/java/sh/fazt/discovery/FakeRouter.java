package sh.fazt.discovery;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A router on a loopback address of its own: PCP, NAT-PMP and UPnP over real sockets, as the RFCs have them. */
final class FakeRouter implements AutoCloseable {
    static final String HOST = "127.0.0.77";

    /** What it does; a test changes it. */
    volatile boolean speaksPcp = true;

    volatile boolean speaksPmp = true;
    volatile boolean onlyPermanent;
    volatile boolean sendsElsewhere;
    volatile int lease = Integer.MAX_VALUE;
    volatile int dropped;
    volatile int taken;
    volatile String external = "1.2.3.7";

    /** Outer port to inner port. */
    final Map<Integer, Integer> open = new ConcurrentHashMap<>();

    final List<String> heard = new CopyOnWriteArrayList<>();
    private final DatagramSocket pcp;
    private final DatagramSocket ssdp;
    private final HttpServer http;
    private final List<Thread> listeners;

    FakeRouter() throws IOException {
        pcp = new DatagramSocket(new InetSocketAddress(HOST, 5351));
        ssdp = new DatagramSocket(new InetSocketAddress(HOST, 0));
        http = HttpServer.create(new InetSocketAddress(HOST, 0), 0);
        http.createContext("/desc.xml", exchange -> reply(exchange, 200, DESCRIPTION));
        http.createContext("/ctl", this::control);
        http.start();
        listeners = List.of(listen(pcp, this::mapping), listen(ssdp, this::search));
    }

    InetAddress address() throws IOException {
        return InetAddress.getByName(HOST);
    }

    InetSocketAddress searchAddress() {
        return (InetSocketAddress) ssdp.getLocalSocketAddress();
    }

    private interface Answer {
        byte[] to(byte[] request);
    }

    private static Thread listen(DatagramSocket socket, Answer answer) {
        Thread thread = new Thread(
                () -> {
                    DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
                    while (true) {
                        try {
                            socket.receive(packet);
                            byte[] reply = answer.to(java.util.Arrays.copyOf(packet.getData(), packet.getLength()));
                            if (reply.length > 0) {
                                socket.send(new DatagramPacket(reply, reply.length, packet.getSocketAddress()));
                            }
                        } catch (SocketException closed) {
                            return;
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                },
                "fake-router");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    // ---- PCP and NAT-PMP ----

    private byte[] mapping(byte[] request) {
        ByteBuffer in = ByteBuffer.wrap(request);
        if (dropped > 0) {
            dropped--;
            return new byte[0];
        }
        if (in.get(0) == 2) {
            return speaksPcp ? pcp(in) : speaksPmp ? new byte[] {0, (byte) 0x81, 0, 1, 0, 0, 0, 9} : new byte[0];
        }
        return speaksPmp ? pmp(in) : new byte[0];
    }

    private byte[] pcp(ByteBuffer in) {
        int inner = in.getShort(40) & 0xffff;
        int outer = outer(in.getShort(42) & 0xffff);
        int seconds = Math.min(lease, in.getInt(4));
        keep("PCP", inner, outer, seconds);
        ByteBuffer out = ByteBuffer.allocate(60);
        out.put(0, (byte) 2).put(1, (byte) 0x81).putInt(4, seconds).putInt(8, 9);
        out.position(24);
        out.put(in.array(), 24, 12).put((byte) 6);
        out.putShort(40, (short) inner).putShort(42, (short) outer);
        out.position(54);
        out.put((byte) 0xff).put((byte) 0xff).put(bytes(external));
        return out.array();
    }

    private byte[] pmp(ByteBuffer in) {
        if (in.get(1) == 0) {
            return ByteBuffer.allocate(12)
                    .putInt(0x00800000)
                    .putInt(9)
                    .put(bytes(external))
                    .array();
        }
        int inner = in.getShort(4) & 0xffff;
        int outer = outer(in.getShort(6) & 0xffff);
        int seconds = Math.min(lease, in.getInt(8));
        keep("NAT-PMP", inner, outer, seconds);
        return ByteBuffer.allocate(16)
                .putInt(0x00820000)
                .putInt(9)
                .putShort((short) inner)
                .putShort((short) outer)
                .putInt(seconds)
                .array();
    }

    private int outer(int wanted) {
        return wanted == taken ? wanted + 1 : wanted;
    }

    private void keep(String protocol, int inner, int outer, int seconds) {
        heard.add(protocol + " " + inner + " " + outer + " " + seconds);
        if (seconds == 0) {
            open.values().remove(inner);
        } else {
            open.put(outer, inner);
        }
    }

    private static byte[] bytes(String address) {
        try {
            return InetAddress.getByName(address).getAddress();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- UPnP ----

    private byte[] search(byte[] request) {
        String text = new String(request, StandardCharsets.US_ASCII);
        if (!text.startsWith("M-SEARCH * HTTP/1.1\r\n") || !text.contains("ssdp:discover")) {
            return new byte[0];
        }
        String host = sendsElsewhere ? "127.0.0.1" : HOST;
        return ("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp\r\nLocation: http://" + host + ":"
                        + http.getAddress().getPort() + "/desc.xml\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static final String DESCRIPTION = "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\">"
            + "<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><serviceList>"
            + "<service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>"
            + "<controlURL>/no</controlURL></service></serviceList><deviceList><device><serviceList>"
            + "<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>"
            + "<controlURL>ctl</controlURL></service></serviceList></device></deviceList></device></root>";

    private void control(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String action = exchange.getRequestHeaders().getFirst("SOAPAction").replaceAll(".*#|\"", "");
        String outer = value(body, "NewExternalPort");
        heard.add(action + (outer.isEmpty() ? "" : " " + outer) + suffix(value(body, "NewLeaseDuration")));
        switch (action) {
            case "GetExternalIPAddress" ->
                reply(exchange, 200, soap("<NewExternalIPAddress>" + external + "</NewExternalIPAddress>"));
            case "AddPortMapping" -> {
                if (Integer.parseInt(outer) == taken) {
                    reply(exchange, 500, fault(718, "ConflictInMappingEntry"));
                } else if (onlyPermanent && !value(body, "NewLeaseDuration").equals("0")) {
                    reply(exchange, 500, fault(725, "OnlyPermanentLeasesSupported"));
                } else {
                    open.put(Integer.parseInt(outer), Integer.parseInt(value(body, "NewInternalPort")));
                    reply(exchange, 200, soap(""));
                }
            }
            case "DeletePortMapping" -> {
                open.remove(Integer.parseInt(outer));
                reply(exchange, 200, soap(""));
            }
            default -> reply(exchange, 500, fault(401, "Invalid Action"));
        }
    }

    private static String suffix(String lease) {
        return lease.isEmpty() ? "" : " " + lease;
    }

    private static String value(String body, String name) {
        int at = body.indexOf("<" + name + ">");
        return at < 0 ? "" : body.substring(at + name.length() + 2, body.indexOf("</" + name + ">"));
    }

    private static String soap(String inside) {
        return "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
                + "<u:Response xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:1\">" + inside
                + "</u:Response></s:Body></s:Envelope>";
    }

    private static String fault(int code, String description) {
        return "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><detail>"
                + "<UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>" + code + "</errorCode>"
                + "<errorDescription>" + description
                + "</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>";
    }

    private static void reply(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        pcp.close();
        ssdp.close();
        http.stop(0);
        // A socket that is still listened to keeps its port until that thread has left it.
        for (Thread listener : listeners) {
            try {
                listener.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
