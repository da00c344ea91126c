package sh.fazt.sim;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.VersionVector;

/**
 * A pull's answer in memory, for replicas that are. Its pieces are small, so that a pull has many. Confined to one
 * thread.
 */
public record MemorySpool(VersionVector vector, List<byte[]> all) implements ReplicaStore.Spool {
    private static final int PIECE = 300;

    private static final int PIECES = 2;

    @Override
    public long rows() {
        return all.size();
    }

    @Override
    public long bytes() {
        return all.stream().mapToLong(part -> part.length).sum();
    }

    @Override
    public byte[] digest() {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            all.forEach(sha::update);
            return sha.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public int parts() {
        return all.size();
    }

    @Override
    public int size(int index) {
        return all.get(index).length;
    }

    @Override
    public byte[] piece(int index, int offset, int most) {
        byte[] part = all.get(index);
        return Arrays.copyOfRange(
                part, offset, Math.min(part.length, offset + Math.min(most, Math.max(PIECE, part.length / PIECES))));
    }

    @Override
    public byte[] part(int index) {
        return all.get(index);
    }

    @Override
    public void close() {}

    /** Room in memory. */
    public static ReplicaStore.Scratch scratch() {
        return new ReplicaStore.Scratch() {
            private byte[] bytes = new byte[0];

            @Override
            public void write(long at, byte[] more) {
                bytes = Arrays.copyOf(bytes, Math.max(bytes.length, (int) at + more.length));
                System.arraycopy(more, 0, bytes, (int) at, more.length);
            }

            @Override
            public byte[] read(long at, int length) {
                return Arrays.copyOfRange(bytes, (int) at, (int) at + length);
            }

            @Override
            public void close() {
                bytes = new byte[0];
            }
        };
    }
}
