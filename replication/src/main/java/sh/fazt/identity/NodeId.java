package sh.fazt.identity;

import java.util.Arrays;

/**
 * Who a node is: the SHA-256 of its public key (SubjectPublicKeyInfo). Ordered by its bytes as unsigned
 * numbers, the same on every node. Immutable.
 */
public final class NodeId implements Comparable<NodeId> {
    private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
    private static final int BYTES = 32;
    private static final int SHORT = 8;

    private final byte[] bytes;

    private NodeId(byte[] bytes) {
        this.bytes = bytes;
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
        byte[] out = new byte[BYTES];
        int bits = 0;
        int buffer = 0;
        int at = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = ALPHABET.indexOf(text.charAt(i));
            if (digit < 0 || text.length() != 52) {
                throw new IllegalArgumentException("a node id is 52 characters of a-z and 2-7, not \"" + text + "\"");
            }
            buffer = (buffer << 5) | digit;
            bits += 5;
            if (bits >= 8 && at < BYTES) {
                bits -= 8;
                out[at++] = (byte) (buffer >>> bits);
            }
        }
        if (at != BYTES) {
            throw new IllegalArgumentException("a node id is 52 characters of a-z and 2-7, not \"" + text + "\"");
        }
        return new NodeId(out);
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
        return Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NodeId that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /** 52 characters of lower-case base32. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(52);
        int bits = 0;
        int buffer = 0;
        for (byte b : bytes) {
            buffer = (buffer << 8) | (b & 0xff);
            bits += 8;
            while (bits >= 5) {
                bits -= 5;
                text.append(ALPHABET.charAt((buffer >>> bits) & 31));
            }
            buffer &= (1 << bits) - 1;
        }
        return text.append(ALPHABET.charAt((buffer << (5 - bits)) & 31)).toString();
    }
}
