package sh.fazt.discovery;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The router towards everywhere else, and our address on its side. Immutable.
 *
 * @param router null when only our address is known: then UPnP, which asks everybody, is what is left
 */
record Gateway(@Nullable InetAddress router, InetAddress own) {
    private static final Path ROUTES = Path.of("/proc/net/route");
    private static final int PORT = 5351;

    /** Whom the system sends packets for everywhere to; null when there is no such network. */
    static @Nullable Gateway find() {
        try {
            InetAddress router = Files.isReadable(ROUTES) ? defaultRoute(Files.readString(ROUTES)) : null;
            InetAddress own = ownTowards(router == null ? InetAddress.getByName("192.0.2.1") : router);
            return own == null ? null : new Gateway(router, own);
        } catch (IOException e) {
            return null;
        }
    }

    /** Linux's table: interface, destination and gateway in hexadecimal, lowest byte first, flags, ..., metric. */
    static @Nullable InetAddress defaultRoute(String table) throws IOException {
        String best = null;
        long least = Long.MAX_VALUE;
        for (String line : table.split("\n")) {
            String[] parts = line.strip().split("\\s+");
            if (parts.length > 7
                    && parts[1].equals("00000000")
                    && parts[7].equals("00000000")
                    && parts[2].matches("[0-9A-F]{8}")
                    && !parts[2].equals("00000000")
                    && Long.parseLong(parts[6]) < least) {
                least = Long.parseLong(parts[6]);
                best = parts[2];
            }
        }
        if (best == null) {
            return null;
        }
        long bytes = Long.parseLong(best, 16);
        return InetAddress.getByAddress(
                new byte[] {(byte) bytes, (byte) (bytes >>> 8), (byte) (bytes >>> 16), (byte) (bytes >>> 24)});
    }

    /** Our address on the way there; connecting a datagram socket sends nothing. */
    private static @Nullable InetAddress ownTowards(InetAddress there) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(there, PORT));
            InetAddress own = socket.getLocalAddress();
            return own.isAnyLocalAddress() || own.isLoopbackAddress() || !(own instanceof Inet4Address) ? null : own;
        } catch (UncheckedIOException e) {
            return null;
        }
    }

    /** Whether addresses like that are used behind routers only: 10/8, 172.16/12, 192.168/16, 100.64/10. */
    static boolean isPrivate(InetAddress address) {
        byte[] bytes = address.getAddress();
        boolean carrier = bytes.length == 4 && bytes[0] == 100 && (bytes[1] & 0xc0) == 64;
        return carrier
                || address.isSiteLocalAddress()
                || address.isLinkLocalAddress()
                || address.isLoopbackAddress()
                || address.isAnyLocalAddress();
    }
}
