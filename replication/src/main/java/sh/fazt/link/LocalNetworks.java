package sh.fazt.link;

import io.netty.util.NetUtil;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The networks that this machine's interfaces are in. Immutable.
 *
 * @param members an own address and the length of its network's prefix
 */
record LocalNetworks(List<Member> members) {
    static final LocalNetworks NONE = new LocalNetworks(List.of());
    /** A prefix that is shorter than this is a route, no network. */
    private static final int SHORTEST_PREFIX = 8;

    record Member(InetAddress address, int prefix) {}

    LocalNetworks {
        members = List.copyOf(members);
    }

    /** Reads them from the system; may block for a moment. */
    static LocalNetworks read() {
        List<Member> members = new ArrayList<>();
        try {
            for (NetworkInterface one : NetworkInterface.networkInterfaces().toList()) {
                if (one.isUp() && !one.isLoopback()) {
                    for (InterfaceAddress bound : one.getInterfaceAddresses()) {
                        members.add(new Member(bound.getAddress(), bound.getNetworkPrefixLength()));
                    }
                }
            }
        } catch (SocketException e) {
            // Taken away while we looked; the next look sees what is left.
            return new LocalNetworks(members);
        }
        return new LocalNetworks(members);
    }

    /** Whether that address is this machine or in one of its networks. */
    boolean holds(InetAddress address) {
        if (address.isLoopbackAddress()) {
            return true;
        }
        return members.stream()
                .anyMatch(member -> member.prefix() >= SHORTEST_PREFIX
                        && samePrefix(member.address().getAddress(), address.getAddress(), member.prefix()));
    }

    /** The own addresses at which others may reach a port: no link-local ones, which need an interface's name. */
    List<HostPort> reachable(int port) {
        return members.stream()
                .map(Member::address)
                .filter(address -> !address.isLinkLocalAddress() && !address.isMulticastAddress())
                .map(address -> new HostPort(text(address), port))
                .distinct()
                .toList();
    }

    private static String text(InetAddress address) {
        String host = address.getHostAddress();
        int zone = host.indexOf('%');
        return zone < 0 ? host : host.substring(0, zone);
    }

    private static boolean samePrefix(byte[] one, byte[] other, int bits) {
        if (one.length != other.length || bits > one.length * 8) {
            return false;
        }
        for (int i = 0; i < bits; i++) {
            int bit = 0x80 >> (i & 7);
            if ((one[i >> 3] & bit) != (other[i >> 3] & bit)) {
                return false;
            }
        }
        return true;
    }

    /** Not reached from elsewhere: RFC 1918, RFC 4193, link-local, shared by a provider's NAT, this machine. */
    static boolean isPrivate(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (address instanceof Inet6Address) {
            return (bytes[0] & 0xfe) == 0xfc || address.isLinkLocalAddress() || address.isLoopbackAddress();
        }
        return address instanceof Inet4Address
                && (address.isSiteLocalAddress()
                        || address.isLinkLocalAddress()
                        || address.isLoopbackAddress()
                        || (bytes[0] == 100 && (bytes[1] & 0xc0) == 64));
    }

    /** The address that a text spells; null when it is a name. */
    static @Nullable InetAddress literal(String host) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(host);
        if (bytes == null) {
            return null;
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
