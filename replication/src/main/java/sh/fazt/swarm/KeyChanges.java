package sh.fazt.swarm;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.List;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.swarm.v1.Fence;
import sh.fazt.protocol.swarm.v1.KeyChange;
import sh.fazt.protocol.swarm.v1.SignedKeyChange;

/**
 * How a node says that it has another key. Both keys sign: nobody gives a node a key that it did not choose, nor takes
 * over a key that is another's. It names the version of the member's record, so it has an effect once at most. Stateless.
 */
final class KeyChanges {
    private static final byte[] DOMAIN = "fazt-key-change".getBytes(StandardCharsets.US_ASCII);

    private KeyChanges() {}

    /** A change that was checked. */
    record Checked(NodeId before, NodeId after, long version, List<Fence> fences) {}

    static SignedKeyChange sign(NodeKey before, NodeKey after, String swarm, long version, List<Fence> fences) {
        byte[] change = KeyChange.newBuilder()
                .setSwarm(swarm)
                .setOldKey(ByteString.copyFrom(before.publicKey()))
                .setNewKey(ByteString.copyFrom(after.publicKey()))
                .setVersion(version)
                .addAllFences(fences)
                .build()
                .toByteArray();
        return SignedKeyChange.newBuilder()
                .setChange(ByteString.copyFrom(change))
                .setByOldKey(ByteString.copyFrom(before.sign(DOMAIN, change)))
                .setByNewKey(ByteString.copyFrom(after.sign(DOMAIN, change)))
                .build();
    }

    /**
     * Reads a change and checks it.
     *
     * @param from  who asks, by the link
     * @param swarm which this node is in
     * @throws IllegalArgumentException when nobody has to believe it
     */
    static Checked check(SignedKeyChange signed, NodeId from, String swarm) {
        byte[] bytes = signed.getChange().toByteArray();
        try {
            KeyChange change = KeyChange.parseFrom(bytes);
            NodeId before = NodeKey.signer(
                    change.getOldKey().toByteArray(),
                    DOMAIN,
                    bytes,
                    signed.getByOldKey().toByteArray());
            NodeId after = NodeKey.signer(
                    change.getNewKey().toByteArray(),
                    DOMAIN,
                    bytes,
                    signed.getByNewKey().toByteArray());
            if (!before.equals(from)) {
                throw new IllegalArgumentException("a node changes its own key only, and this is the key of node "
                        + before.shortText() + ", asked by node " + from.shortText());
            }
            if (!change.getSwarm().equals(swarm)) {
                throw new IllegalArgumentException("this change of a key was asked of another swarm");
            }
            return new Checked(before, after, change.getVersion(), change.getFencesList());
        } catch (GeneralSecurityException | InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("this change of a key is not signed by both keys: " + e.getMessage(), e);
        }
    }
}
