package sh.fazt.sync;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.AbstractList;
import java.util.RandomAccess;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.protocol.sync.v1.PullReply;

/**
 * What a peer answers to a pull, as far as it is here: the parts, which lie in a scratch file and are read one at a time.
 * What comes is held against what the peer announced; what does not fit is an {@link IllegalArgumentException}, and its
 * fault. Confined to its owner's lock until it is whole, then immutable.
 */
final class Staged extends AbstractList<byte[]> implements RandomAccess, AutoCloseable {
    /** A part has about 256 KiB: this is more than any cartridge. What a peer announces must not fill the memory. */
    private static final int MOST_PARTS = 1 << 20;

    /** A row may be as large as a transaction, and is longer as it travels; it is read into memory whole. */
    private static final int MOST_PART = 512 << 20;

    private final VersionVector vector;
    private final Floor floor;
    private final byte[] digest;
    /** Of all parts; 0 when the peer does not say, as older ones do. */
    private final long announced;

    private final ReplicaStore.Scratch scratch;
    private final long[] places;
    private final int[] sizes;
    private final int[] here;
    private int whole;
    private long bytes;

    /** @param first the answer that begins it */
    Staged(ReplicaStore store, PullReply first) {
        if (first.getParts() < 0 || first.getParts() > MOST_PARTS) {
            throw new IllegalArgumentException("a pull of " + first.getParts() + " parts");
        }
        if (first.getBytes() < 0) {
            throw new IllegalArgumentException("a pull of " + first.getBytes() + " bytes");
        }
        vector = SyncCodec.vector(first.getVectorList());
        floor = new Floor(SyncCodec.vector(first.getFloorList()), new Hlc(first.getFloorHlc()));
        digest = first.getDigest().toByteArray();
        announced = first.getBytes();
        places = new long[first.getParts()];
        sizes = new int[first.getParts()];
        here = new int[first.getParts()];
        scratch = store.scratch(announced);
    }

    /** Takes a piece of a part that was asked for from {@link #here} on. */
    void take(int part, PullReply reply) {
        int length = reply.getPart().size();
        long size = reply.getSize() == 0 ? length : reply.getSize();
        if (reply.getOffset() != here[part]) {
            throw new IllegalArgumentException("part " + part + " from " + reply.getOffset() + " on, not from "
                    + here[part] + " as it was asked for");
        }
        if (size < 1 || size > MOST_PART || here[part] > 0 && size != sizes[part]) {
            throw new IllegalArgumentException(
                    "part " + part + " of " + size + " bytes, after it was of " + sizes[part]);
        }
        if (length == 0 || here[part] + length > size) {
            throw new IllegalArgumentException(
                    length + " bytes of part " + part + ", of which " + (size - here[part]) + " are lacking");
        }
        if (here[part] == 0) {
            if (announced > 0 && bytes + size > announced) {
                throw new IllegalArgumentException("more than the " + announced + " bytes that were announced");
            }
            places[part] = bytes;
            sizes[part] = (int) size;
            bytes += size;
        }
        scratch.write(places[part] + here[part], reply.getPart().toByteArray());
        here[part] += length;
        whole += here[part] == size ? 1 : 0;
    }

    /** How much of a part is here. */
    int here(int part) {
        return here[part];
    }

    boolean isWhole(int part) {
        return here[part] > 0 && here[part] == sizes[part];
    }

    boolean isWhole() {
        return whole == here.length;
    }

    /** Whether the rest may be asked for over another link: only where it can be told that it is the rest of this. */
    boolean canGoOn() {
        return digest.length > 0;
    }

    /** Fails unless what is here, whole, is what was announced. */
    void verify() {
        if (!canGoOn()) {
            return;
        }
        if (bytes != announced) {
            throw new IllegalArgumentException(bytes + " bytes where " + announced + " were announced");
        }
        try {
            MessageDigest all = MessageDigest.getInstance("SHA-256");
            forEach(all::update);
            if (!MessageDigest.isEqual(all.digest(), digest)) {
                // The disk may be at fault as well as the peer: no offence.
                throw new IllegalStateException("what was staged is not what was announced: it is pulled anew");
            }
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Of what is here or coming. */
    long bytes() {
        return bytes;
    }

    VersionVector vector() {
        return vector;
    }

    Floor floor() {
        return floor;
    }

    @Override
    public byte[] get(int part) {
        return scratch.read(places[part], sizes[part]);
    }

    @Override
    public int size() {
        return here.length;
    }

    @Override
    public void close() {
        scratch.close();
    }
}
