package sh.fazt.discovery;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;

/** PCP (RFC 6887), or its older self NAT-PMP (RFC 6886) where the router speaks only that. Confined to one thread. */
final class PcpMapper implements PortMapper {
    private static final int PORT = 5351;
    private static final int PCP = 2;
    private static final int PMP = 0;
    private static final int MAP_TCP = 2;
    private static final int TCP = 6;
    private static final int ANSWER = 0x80;
    private static final int UNSUPPORTED_VERSION = 1;
    private static final int NONCE_BYTES = 12;
    private static final int MAP_BYTES = 60;
    /** 250, 500, 1000 ms: a router that answers does so in a few milliseconds. */
    private static final int TRIES = 3;

    private static final int FIRST_PATIENCE_MILLIS = 250;

    private final InetSocketAddress router;
    private final InetAddress own;
    private final byte[] nonce = new byte[NONCE_BYTES];
    private boolean older;

    PcpMapper(InetAddress router, InetAddress own, SecureRandom random) {
        this(new InetSocketAddress(router, PORT), own, random);
    }

    PcpMapper(InetSocketAddress router, InetAddress own, SecureRandom random) {
        this.router = router;
        this.own = own;
        random.nextBytes(nonce);
    }

    @Override
    public Mapping map(int port, int wanted, Duration lease) throws MappingException {
        int seconds = (int) lease.toSeconds();
        if (!older) {
            ByteBuffer answer = ask(pcp(port, wanted, seconds));
            if (answer.get(0) == PCP) {
                return mapped(answer, port);
            }
            older = true;
        }
        ByteBuffer address = ask(ByteBuffer.allocate(2).array());
        requireDone(address, 12);
        ByteBuffer answer = ask(pmp(port, wanted, seconds));
        requireDone(answer, 16);
        if ((answer.getShort(8) & 0xffff) != port) {
            throw new MappingException("the router answered for another port");
        }
        return new Mapping(
                "NAT-PMP",
                address(Arrays.copyOfRange(address.array(), 8, 12)),
                answer.getShort(10) & 0xffff,
                Duration.ofSeconds(answer.getInt(12) & 0xffffffffL));
    }

    private static void requireDone(ByteBuffer answer, int bytes) throws MappingException {
        if (answer.limit() < bytes || answer.getShort(2) != 0) {
            throw new MappingException(
                    "NAT-PMP: the router refused with result " + (answer.limit() < 4 ? "?" : answer.getShort(2)));
        }
    }

    private Mapping mapped(ByteBuffer answer, int port) throws MappingException {
        if (answer.get(3) != 0) {
            throw new MappingException("PCP: the router refused with result " + answer.get(3));
        }
        byte[] bytes = answer.array();
        if (answer.limit() < MAP_BYTES
                || !Arrays.equals(nonce, Arrays.copyOfRange(bytes, 24, 24 + NONCE_BYTES))
                || (answer.getShort(40) & 0xffff) != port) {
            throw new MappingException("PCP: the router answered for another mapping");
        }
        return new Mapping(
                "PCP",
                address(Arrays.copyOfRange(bytes, 44, 60)),
                answer.getShort(42) & 0xffff,
                Duration.ofSeconds(answer.getInt(4) & 0xffffffffL));
    }

    private static InetAddress address(byte[] bytes) throws MappingException {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (IOException e) {
            throw new MappingException("no address has " + bytes.length + " bytes", e);
        }
    }

    private byte[] pcp(int port, int wanted, int seconds) {
        ByteBuffer request = ByteBuffer.allocate(MAP_BYTES);
        request.put((byte) PCP).put((byte) 1).putShort((short) 0).putInt(seconds);
        request.put(sixteen(own.getAddress()));
        request.put(nonce)
                .put((byte) TCP)
                .put(new byte[3])
                .putShort((short) port)
                .putShort((short) wanted);
        request.put(sixteen(new byte[4]));
        return request.array();
    }

    /** An IPv4 address as IPv6 has it. */
    private static byte[] sixteen(byte[] address) {
        if (address.length == 16) {
            return address;
        }
        byte[] mapped = new byte[16];
        mapped[10] = (byte) 0xff;
        mapped[11] = (byte) 0xff;
        System.arraycopy(address, 0, mapped, 12, 4);
        return mapped;
    }

    private static byte[] pmp(int port, int wanted, int seconds) {
        return ByteBuffer.allocate(12)
                .put((byte) PMP)
                .put((byte) MAP_TCP)
                .putShort((short) 0)
                .putShort((short) port)
                .putShort((short) wanted)
                .putInt(seconds)
                .array();
    }

    @Override
    public void unmap(int port, int external) throws MappingException {
        ask(older ? pmp(port, 0, 0) : pcp(port, external, 0));
    }

    /** The answer to that request, from that router, or one that says that it knows an older version only. */
    private ByteBuffer ask(byte[] request) throws MappingException {
        try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(own, 0))) {
            socket.connect(router);
            int patience = FIRST_PATIENCE_MILLIS;
            for (int i = 0; i < TRIES; i++, patience *= 2) {
                socket.send(new DatagramPacket(request, request.length));
                socket.setSoTimeout(patience);
                try {
                    DatagramPacket packet = new DatagramPacket(new byte[1100], 1100);
                    socket.receive(packet);
                    ByteBuffer answer = ByteBuffer.wrap(Arrays.copyOf(packet.getData(), packet.getLength()));
                    if (isAnswer(answer, request)) {
                        return answer;
                    }
                } catch (SocketTimeoutException e) {
                    // Lost, or nobody there: once more, with more patience.
                    continue;
                }
            }
            throw new MappingException(
                    "no PCP or NAT-PMP at " + router.getAddress().getHostAddress());
        } catch (PortUnreachableException e) {
            throw new MappingException(
                    "no PCP or NAT-PMP at " + router.getAddress().getHostAddress(), e);
        } catch (IOException e) {
            throw new MappingException(
                    "no PCP or NAT-PMP at " + router.getAddress().getHostAddress() + ": " + e.getMessage(), e);
        }
    }

    private static boolean isAnswer(ByteBuffer answer, byte[] request) {
        if (answer.limit() < 4) {
            return false;
        }
        boolean otherVersion = answer.get(0) != request[0];
        return otherVersion
                ? answer.get(0) == PMP && (answer.get(3) & 0xff) == UNSUPPORTED_VERSION
                : (answer.get(1) & 0xff) == (ANSWER | request[1]) && (request[0] == PMP || answer.limit() >= 24);
    }
}
