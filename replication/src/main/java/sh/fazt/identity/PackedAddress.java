package sh.fazt.identity;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code host:port} in few bytes: one that says the kind and whether the port is the usual one, then 4, 16 or a
 * name, then the port if it is another. Stateless.
 */
final class PackedAddress {
    /** The default of the setting {@code swarm-port}, which a token need not spell out. */
    private static final int USUAL_PORT = 5698;

    private static final int NAME = 0;
    private static final int IPV4 = 4;
    private static final int IPV6 = 16;
    private static final int WITH_PORT = 0x80;
    private static final Pattern FOUR =
            Pattern.compile("(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})");
    private static final Pattern SIX = Pattern.compile("[0-9a-fA-F:]*:[0-9a-fA-F:]*");

    private PackedAddress() {}

    /** @throws IllegalArgumentException when it is no {@code host:port} */
    static byte[] of(String address) {
        int colon = address.lastIndexOf(':');
        String host = colon < 0 ? "" : address.substring(0, colon);
        String digits = address.substring(colon + 1);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        byte[] name = host.getBytes(StandardCharsets.UTF_8);
        int port = digits.matches("[0-9]{1,5}") ? Integer.parseInt(digits) : 0;
        if (name.length < 1 || name.length > 253 || port < 1 || port > 65535) {
            throw new IllegalArgumentException("\"" + address + "\" is no host:port");
        }
        byte[] numeric = numeric(host);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(numeric.length | (port == USUAL_PORT ? 0 : WITH_PORT));
        if (numeric.length == NAME) {
            out.write(name.length);
            out.writeBytes(name);
        } else {
            out.writeBytes(numeric);
        }
        if (port != USUAL_PORT) {
            out.write(port >>> 8);
            out.write(port);
        }
        return out.toByteArray();
    }

    /** The bytes of an address in figures; none for a name, which is not looked up. */
    private static byte[] numeric(String host) {
        Matcher four = FOUR.matcher(host);
        if (four.matches()) {
            byte[] bytes = new byte[IPV4];
            for (int i = 0; i < IPV4; i++) {
                int part = Integer.parseInt(four.group(i + 1));
                if (part > 255) {
                    return new byte[NAME];
                }
                bytes[i] = (byte) part;
            }
            return bytes;
        }
        if (SIX.matcher(host).matches()) {
            try {
                return InetAddress.getByName(host).getAddress();
            } catch (UnknownHostException e) {
                return new byte[NAME];
            }
        }
        return new byte[NAME];
    }

    /** @throws IllegalArgumentException when these bytes are none */
    static String read(ByteArrayInputStream in) {
        int kind = in.read();
        String host = switch (kind & ~WITH_PORT) {
            case NAME -> new String(exactly(in, in.read()), StandardCharsets.UTF_8);
            case IPV4, IPV6 -> figures(exactly(in, kind & ~WITH_PORT));
            default -> throw new IllegalArgumentException("no kind of address is " + kind);
        };
        int port = USUAL_PORT;
        if ((kind & WITH_PORT) != 0) {
            byte[] two = exactly(in, 2);
            port = (two[0] & 0xff) << 8 | two[1] & 0xff;
        }
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    private static byte[] exactly(ByteArrayInputStream in, int count) {
        byte[] bytes = new byte[Math.max(0, count)];
        if (count < 1 || in.read(bytes, 0, count) != count) {
            throw new IllegalArgumentException("an address is cut off");
        }
        return bytes;
    }

    private static String figures(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes).getHostAddress();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("no address has " + bytes.length + " bytes", e);
        }
    }
}
