package sh.fazt.node.http;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Which connections come from the machine that the node runs on. Holds nothing. */
public final class OwnMachine {
    private OwnMachine() {}

    /**
     * Whether who dialled is on this machine: it has a loopback address, or the very one that it dialled, which is how a
     * node that listens on one address is reached from beside it. No other machine gets an answer under either. A proxy
     * on this machine makes its visitors come from here, so this is never enough by itself: a secret goes with it.
     *
     * @param from the address of who dialled
     * @param to   the address that was dialled, on this side
     */
    public static boolean dials(@Nullable SocketAddress from, @Nullable SocketAddress to) {
        return from instanceof InetSocketAddress remote
                && (remote.getAddress().isLoopbackAddress()
                        || to instanceof InetSocketAddress local
                                && remote.getAddress().equals(local.getAddress()));
    }
}
