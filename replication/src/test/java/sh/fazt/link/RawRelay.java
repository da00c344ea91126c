package sh.fazt.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.ByteArrayOutputStream;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.NodeStatus;
import sh.fazt.protocol.peer.v1.RelayNote;

/** A relay that remembers every byte it sees, or leads where it was not asked to. */
final class RawRelay implements AutoCloseable {
    final ByteArrayOutputStream seen = new ByteArrayOutputStream();
    private final Side left;
    private final Side right;

    /** One of its links. */
    static final class Side implements AutoCloseable {
        private final RawPeer peer;
        private final NodeId self;
        private final NodeId node;
        private final Map<Long, Long> ids = new ConcurrentHashMap<>();
        final RawPeer.Stream[] lanes;
        private long opened;

        Side(NodeKey key, TestNode to) {
            peer = new RawPeer(key, to.address(), to.id());
            self = key.id();
            node = to.id();
            lanes = peer.link();
            RawPeer.Stream control = lanes[0];
            control.also = frame -> {
                if (frame.getKind() == Wire.PING) {
                    control.send(Wire.frame(Wire.PONG, frame.getId(), ByteString.EMPTY));
                }
            };
        }

        /** Says that it has a link to that node and relays. */
        void claims(NodeId linked) {
            NodeStatus status = NodeStatus.newBuilder()
                    .setRelays(true)
                    .addLinked(Books.prefix(linked))
                    .build();
            lanes[0].send(Wire.frame(Wire.STATUS, 1, status.toByteString()));
        }

        long begin(int kind, NodeId named) {
            long id = 2 * ++opened + (self.compareTo(node) < 0 ? 1 : 0);
            relay().send(Wire.frame(
                    kind,
                    id,
                    RelayNote.newBuilder()
                            .setNodeId(ByteString.copyFrom(named.bytes()))
                            .build()
                            .toByteString()));
            return id;
        }

        RawPeer.Stream relay() {
            return lanes[Channel.Lane.RELAY.number()];
        }

        @Override
        public void close() {
            peer.close();
        }
    }

    /** Between two nodes, for which it has one key or two. */
    RawRelay(NodeKey leftKey, TestNode leftNode, NodeKey rightKey, TestNode rightNode) {
        left = new Side(leftKey, leftNode);
        right = new Side(rightKey, rightNode);
        left.relay().also = frame -> pass(frame, left, right);
        right.relay().also = frame -> pass(frame, right, left);
    }

    Side left() {
        return left;
    }

    private synchronized void pass(Frame frame, Side from, Side to) {
        if (frame.getKind() == Wire.RELAY_OPEN) {
            long id = to.begin(Wire.RELAY_COMING, from.node);
            from.ids.put(frame.getId(), id);
            to.ids.put(id, frame.getId());
        } else if (frame.getKind() >= Wire.RELAY_ACCEPT && frame.getKind() <= Wire.RELAY_END) {
            if (frame.getKind() == Wire.RELAY_DATA) {
                seen.writeBytes(frame.getBody().toByteArray());
            }
            Long id = from.ids.get(frame.getId());
            if (id != null) {
                to.relay().send(frame.toBuilder().setId(id).build());
            }
        }
    }

    /** What a note says. */
    static RelayNote note(Frame frame) {
        try {
            return RelayNote.parseFrom(frame.getBody());
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        left.close();
        right.close();
    }
}
