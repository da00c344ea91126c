package sh.fazt.discovery;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;

/**
 * One network that this machine is in and that carries multicast. Immutable.
 *
 * @param name    of the interface
 * @param address ours there: an IPv4 address if it has one
 * @param own     all of ours there
 */
record LocalNetwork(String name, InetAddress address, List<Prefix> own) {
    /** An address and how many of its first bits name its network. */
    record Prefix(InetAddress address, int bits) {}

    LocalNetwork {
        own = List.copyOf(own);
    }

    /** Those that are up now; may block for a moment. */
    static List<LocalNetwork> read() {
        List<LocalNetwork> networks = new ArrayList<>();
        try {
            for (NetworkInterface one : NetworkInterface.networkInterfaces().toList()) {
                if (!one.isUp() || one.isLoopback() || one.isPointToPoint() || !one.supportsMulticast()) {
                    continue;
                }
                List<Prefix> own = new ArrayList<>();
                for (InterfaceAddress bound : one.getInterfaceAddresses()) {
                    own.add(new Prefix(bound.getAddress(), bound.getNetworkPrefixLength()));
                }
                own.stream()
                        .map(Prefix::address)
                        .min((a, b) -> Boolean.compare(b instanceof Inet4Address, a instanceof Inet4Address))
                        .ifPresent(address -> networks.add(new LocalNetwork(one.getName(), address, own)));
            }
        } catch (SocketException e) {
            // An interface went away while we looked; the next look sees what is left.
            return networks;
        }
        return networks;
    }

    /** Whether a neighbour there can have that address. */
    boolean holds(InetAddress neighbour) {
        return own.stream().anyMatch(mine -> samePrefix(mine, neighbour.getAddress()));
    }

    private static boolean samePrefix(Prefix mine, byte[] other) {
        byte[] bytes = mine.address().getAddress();
        if (bytes.length != other.length || mine.bits() < 1 || mine.bits() > bytes.length * 8) {
            return false;
        }
        for (int bit = 0; bit < mine.bits(); bit++) {
            if (((bytes[bit / 8] ^ other[bit / 8]) >>> (7 - bit % 8) & 1) != 0) {
                return false;
            }
        }
        return true;
    }

    /** A neighbour's address as it is dialled from here: a link-local one needs the interface. */
    String text(InetAddress neighbour, int port) {
        String host = neighbour.getHostAddress();
        int zone = host.indexOf('%');
        host = zone < 0 ? host : host.substring(0, zone);
        return neighbour instanceof Inet6Address
                ? "[" + host + (neighbour.isLinkLocalAddress() ? "%" + name : "") + "]:" + port
                : host + ":" + port;
    }
}
