package sh.fazt.identity;

import java.util.Arrays;

/**
 * The first 128 bits of a {@link NodeId}: enough to know a node's key by, since nobody makes a key that begins with
 * the same ones, and short enough to be typed. Immutable.
 */
public final class NodePin {
    static final int BYTES = 16;

    private final byte[] bytes;

    private NodePin(byte[] bytes) {
        this.bytes = bytes;
    }

    /** What that node is known by. */
    public static NodePin of(NodeId node) {
        return new NodePin(Arrays.copyOf(node.bytes(), BYTES));
    }

    static NodePin of(byte[] first) {
        if (first.length != BYTES) {
            throw new IllegalArgumentException("a node pin has " + BYTES + " bytes, not " + first.length);
        }
        return new NodePin(first.clone());
    }

    /** Whether it is that node's. */
    public boolean matches(NodeId node) {
        return equals(of(node));
    }

    /** A copy of the 16 bytes. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** The first 8 characters, the same as the node's: for people, never for decisions. */
    public String shortText() {
        return Base32.encode(bytes).substring(0, 8);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NodePin that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return Base32.encode(bytes);
    }
}
