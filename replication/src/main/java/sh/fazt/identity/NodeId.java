package sh.fazt.identity;

import java.util.Arrays;

/**
 * Who a node is: the SHA-256 of its public key (SubjectPublicKeyInfo). Ordered by its bytes as unsigned
 * numbers, the same on every node. Immutable.
 */
public final class NodeId implements Comparable<NodeId> {
    private static final int BYTES = 32;
    private static final int CHARACTERS = 52;
    private static final int SHORT = 8;

    private final byte[] bytes;
    /** Kept: with every message it is looked up in several maps. */
    private final int hash;

    private NodeId(byte[] bytes) {
        this.bytes = bytes;
        this.hash = Arrays.hashCode(bytes);
    }

    /** The node whose public key hashes to these 32 bytes. */
    public static NodeId of(byte[] sha256) {
        if (sha256.length != BYTES) {
            throw new IllegalArgumentException("a node id has 32 bytes, not " + sha256.length);
        }
        return new NodeId(sha256.clone());
    }

    /** Reads what {@link #toString()} wrote. */
    public static NodeId parse(String text) {
        try {
            if (text.length() == CHARACTERS) {
                return new NodeId(Base32.decode(text));
            }
        } catch (IllegalArgumentException e) {
            // Said below, in the same words.
        }
        throw new IllegalArgumentException("a node id is 52 characters of a-z and 2-7, not \"" + text + "\"");
    }

    /** A copy of the 32 bytes. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** The first 8 characters: for people, never for decisions. */
    public String shortText() {
        return toString().substring(0, SHORT);
    }

    @Override
    public int compareTo(NodeId other) {
        return this == other ? 0 : Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public boolean equals(Object other) {
        return this == other || other instanceof NodeId that && hash == that.hash && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    /** 52 characters of lower-case base32. */
    @Override
    public String toString() {
        return Base32.encode(bytes);
    }
}
