package sh.fazt.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;

class BlobsIT {
    @TempDir
    Path folder;

    private final List<SqliteCartridge> open = new ArrayList<>();
    private Blobs blobs;

    @BeforeEach
    void make() {
        blobs = blobs("a.db");
    }

    private Blobs blobs(String name) {
        SqliteCartridge cartridge = SqliteCartridge.open(folder.resolve(name), CartridgeOptions.standard(), List.of());
        open.add(cartridge);
        return new Blobs(cartridge);
    }

    @AfterEach
    void close() {
        open.forEach(SqliteCartridge::close);
    }

    private static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void anythingThatIsPutComesBackWholeAndInRanges() {
        for (int size : new int[] {0, 1, 1000, Blobs.WHOLE, Blobs.WHOLE + 1, 5_000_000}) {
            byte[] content = random(size, size);
            String hash = blobs.put(content);
            assertThat(hash).isEqualTo(Blobs.sha256(content, 0, size));
            assertThat(blobs.read(hash))
                    .hasValueSatisfying(read -> assertThat(read).isEqualTo(content));
            if (size > 10) {
                Blobs.Manifest manifest = blobs.manifest(hash).orElseThrow();
                assertThat(blobs.read(manifest, size / 3, size / 2))
                        .isEqualTo(Arrays.copyOfRange(content, size / 3, size / 3 + size / 2));
            }
        }
    }

    @Test
    void anInsertionAtTheFrontLeavesMostChunksShared() {
        byte[] before = random(8_000_000, 7);
        byte[] after = new byte[before.length + 10];
        System.arraycopy(before, 0, after, 10, before.length);
        Blobs.Manifest first = blobs.manifest(blobs.put(before)).orElseThrow();
        Blobs.Manifest second = blobs.manifest(blobs.put(after)).orElseThrow();
        assertThat(first.chunks()).hasSizeGreaterThan(10);
        List<String> shared =
                new ArrayList<>(second.chunks().stream().map(Blobs.Chunk::hash).toList());
        shared.retainAll(first.chunks().stream().map(Blobs.Chunk::hash).toList());
        assertThat(shared).hasSizeGreaterThan(first.chunks().size() - 4);
    }

    @Test
    void whatIsNotAsAnnouncedIsRefusedAndNotThere() {
        byte[] content = random(2000, 1);
        String other = Blobs.sha256(random(2000, 2), 0, 2000);
        assertThatThrownBy(() -> blobs.put(other, 2000, new ByteArrayInputStream(content)))
                .isInstanceOf(Blobs.Mismatch.class)
                .hasMessageContaining("announced");
        assertThatThrownBy(() -> blobs.put(other, 1999, new ByteArrayInputStream(content)))
                .isInstanceOf(Blobs.Mismatch.class)
                .hasMessageContaining("longer");
        assertThat(blobs.contains(other)).isFalse();
    }

    @Test
    void aLargeOneThatIsNotAsAnnouncedIsRefusedAndNotThere() {
        byte[] content = random(6_000_000, 8);
        String hash = Blobs.sha256(content, 0, content.length);
        String other = Blobs.sha256(random(10, 9), 0, 10);
        assertThatThrownBy(() -> blobs.put(other, content.length, new ByteArrayInputStream(content)))
                .isInstanceOf(Blobs.Mismatch.class)
                .hasMessageContaining("hashes to " + hash);
        assertThatThrownBy(() -> blobs.put(hash, content.length - 1, new ByteArrayInputStream(content)))
                .isInstanceOf(Blobs.Mismatch.class)
                .hasMessageContaining("longer");
        assertThatThrownBy(() -> blobs.put(hash, content.length + 1, new ByteArrayInputStream(content)))
                .isInstanceOf(Blobs.Mismatch.class)
                .hasMessageContaining("has 6000000 bytes");
        assertThat(blobs.missing(List.of(hash, other))).containsExactly(hash, other);
    }

    @Test
    void aBlobIsFetchedChunkByChunkAndALieIsNoticed() {
        byte[] content = random(3_000_000, 3);
        String hash = blobs.put(content);
        Blobs.Manifest manifest = blobs.manifest(hash).orElseThrow();
        Blobs other = blobs("b.db");
        List<String> whole = new ArrayList<>();
        other.listen(whole::add);
        List<Blobs.Chunk> lacking = other.accept(manifest);
        assertThat(lacking).hasSameSizeAs(manifest.chunks());
        assertThatThrownBy(() -> other.putChunk(lacking.get(0).hash(), random(10, 4)))
                .isInstanceOf(Blobs.Mismatch.class);
        for (Blobs.Chunk chunk : lacking) {
            assertThat(other.assemble(hash)).isFalse();
            other.putChunk(chunk.hash(), blobs.chunk(chunk.hash()).orElseThrow());
        }
        assertThat(other.assemble(hash)).isTrue();
        assertThat(whole).containsExactly(hash);
        assertThat(other.read(hash)).hasValueSatisfying(read -> assertThat(read).isEqualTo(content));

        Blobs third = blobs("c.db");
        String lie = Blobs.sha256(random(5, 5), 0, 5);
        third.accept(new Blobs.Manifest(lie, manifest.size(), manifest.chunks()));
        manifest.chunks()
                .forEach(chunk ->
                        third.putChunk(chunk.hash(), blobs.chunk(chunk.hash()).orElseThrow()));
        assertThat(third.assemble(lie)).isFalse();
        assertThat(third.manifest(lie)).isEmpty();

        Blobs fourth = blobs("d.db");
        List<Blobs.Chunk> moved = new ArrayList<>(manifest.chunks());
        Blobs.Chunk first = moved.get(0);
        Blobs.Chunk second = moved.get(1);
        moved.set(0, new Blobs.Chunk(first.hash(), 0, first.size() - 1));
        moved.set(1, new Blobs.Chunk(second.hash(), first.size() - 1L, second.size() + 1));
        fourth.accept(new Blobs.Manifest(hash, manifest.size(), moved));
        manifest.chunks()
                .forEach(chunk ->
                        fourth.putChunk(chunk.hash(), blobs.chunk(chunk.hash()).orElseThrow()));
        assertThat(fourth.assemble(hash)).as("ranges would be wrong").isFalse();

        byte[] small = random(1000, 6);
        String only = Blobs.sha256(small, 0, small.length);
        for (int size : new int[] {999, 1001, 1000}) {
            fourth.accept(new Blobs.Manifest(only, size, List.of(new Blobs.Chunk(only, 0, size))));
            fourth.putChunk(only, small);
            assertThat(fourth.assemble(only)).as("of %d bytes", size).isEqualTo(size == 1000);
        }
    }
}
