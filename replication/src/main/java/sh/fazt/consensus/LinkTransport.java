package sh.fazt.consensus;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.ratis.protocol.RaftPeerId;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;

/**
 * One blocking question over the links. Waits for a link until the deadline: an answer at once makes Ratis
 * ask again at once, without end. Thread-safe.
 */
final class LinkTransport {
    private final Links links;

    LinkTransport(Links links) {
        this.links = links;
    }

    byte[] ask(RaftPeerId to, byte[] request, Duration deadline) throws IOException {
        try {
            return links.ask(PeerNames.node(to), Channel.RAFT, request, deadline)
                    .toCompletableFuture()
                    .get(deadline.toMillis() + 200, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while asking " + to).initCause(e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("no answer from " + to, e);
        }
    }

    /** A Raft peer is a node in one incarnation: {@code <node id>.<incarnation>}. */
    static final class PeerNames {
        private PeerNames() {}

        static NodeId node(RaftPeerId peer) {
            return NodeId.parse(peer.toString().substring(0, peer.toString().indexOf('.')));
        }

        static String peer(NodeId node, String incarnation) {
            return node + "." + incarnation;
        }
    }
}
