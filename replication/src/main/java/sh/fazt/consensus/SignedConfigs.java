package sh.fazt.consensus;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.consensus.v1.ConfigHead;
import sh.fazt.protocol.consensus.v1.SignedConfig;

/** How a voter signs what is agreed, and how others check it: the head names all records by one digest. */
final class SignedConfigs {
    private static final byte[] DOMAIN = "fazt-config".getBytes(StandardCharsets.US_ASCII);

    private SignedConfigs() {}

    /** Who signed, and what. */
    record Head(NodeId signer, ConfigHead head) {}

    static SignedConfig.Builder sign(NodeKey key, ConfigHead head) {
        byte[] bytes = head.toByteArray();
        return SignedConfig.newBuilder()
                .setHead(ByteString.copyFrom(bytes))
                .setPublicKey(ByteString.copyFrom(key.publicKey()))
                .setSignature(ByteString.copyFrom(key.sign(DOMAIN, bytes)));
    }

    /** Reads a head and checks its signature; whether the signer is a voter is the caller's to know. */
    static Head verify(SignedConfig config) throws ForgedConfigException {
        try {
            NodeId signer = NodeKey.signer(
                    config.getPublicKey().toByteArray(),
                    DOMAIN,
                    config.getHead().toByteArray(),
                    config.getSignature().toByteArray());
            return new Head(signer, ConfigHead.parseFrom(config.getHead()));
        } catch (GeneralSecurityException | InvalidProtocolBufferException e) {
            throw new ForgedConfigException("it can't be read: " + e.getMessage());
        }
    }

    /** @param entries in order of kind and key */
    static ByteString digest(List<ConfigEntry> entries) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (ConfigEntry entry : entries) {
                add(digest, entry.kind().getBytes(StandardCharsets.UTF_8));
                add(digest, entry.key().getBytes(StandardCharsets.UTF_8));
                digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, entry.version()));
                add(digest, entry.value());
            }
            return ByteString.copyFrom(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    private static void add(MessageDigest digest, byte[] part) {
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, part.length));
        digest.update(part);
    }

    /** A config that nobody has to believe. */
    static final class ForgedConfigException extends Exception {
        private static final long serialVersionUID = 1L;

        ForgedConfigException(String message) {
            super(message);
        }
    }
}
