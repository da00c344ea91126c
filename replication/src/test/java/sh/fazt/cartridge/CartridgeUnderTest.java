package sh.fazt.cartridge;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.identity.NodeId;
import sh.fazt.sync.ReplicaUnderTest;

/** A real cartridge as {@link ReplicaUnderTest}. */
public final class CartridgeUnderTest implements ReplicaUnderTest {
    private final Path file;
    private final Path kept;
    private final NodeId node;
    private final InstantSource wall;
    /** What the writer told since the last look, in order. */
    private final List<CommitListener.Commit> commits = new ArrayList<>();

    private SqliteCartridge cartridge;

    public CartridgeUnderTest(Path folder, NodeId node, InstantSource wall) {
        this.file = folder.resolve(node.shortText() + ".db");
        this.kept = folder.resolve(node.shortText() + ".copy");
        this.node = node;
        this.wall = wall;
        this.cartridge = open();
        copy();
    }

    private SqliteCartridge open() {
        SqliteCartridge opened = Cartridges.open(file, node, wall);
        opened.listen(commit -> {
            synchronized (commits) {
                commits.add(commit);
            }
        });
        return opened;
    }

    @Override
    public Scope scope() {
        return Cartridges.APP;
    }

    @Override
    public ReplicaStore store() {
        return cartridge.replica();
    }

    @Override
    public Changeset write(@Nullable String value, List<String> names) {
        return written(tx -> {
            for (String name : names) {
                // A deletion leaves a tombstone of its own even where nothing is left to delete.
                tx.put("pair", List.of(name), value == null ? Map.of() : Map.of("value", value));
                if (value == null) {
                    tx.delete("pair", List.of(name));
                }
            }
            return true;
        });
    }

    @Override
    public Changeset add(String name, long by) {
        return written(tx -> tx.increment("total", List.of(name), by));
    }

    @Override
    public Changeset edit(Map<String, @Nullable String> changes) {
        return written(tx -> {
            tx.update("profile", List.of(DOCUMENT), changes);
            return true;
        });
    }

    @Override
    public Changeset replace(Map<String, String> values) {
        return written(tx -> {
            tx.put("profile", List.of(DOCUMENT), values);
            return true;
        });
    }

    @Override
    public Changeset deleteDocument() {
        return written(tx -> tx.delete("profile", List.of(DOCUMENT)));
    }

    @Override
    public @Nullable Map<String, String> document() {
        return Cartridges.profile(cartridge, DOCUMENT);
    }

    private <T> Changeset written(Cartridge.WriteBody<T> body) {
        takeCommits();
        cartridge.write(scope(), body).toCompletableFuture().join();
        for (CommitListener.Commit commit : takeCommits()) {
            if (commit.changeset() != null) {
                return commit.changeset();
            }
        }
        throw new AssertionError("a write that told nobody");
    }

    private List<CommitListener.Commit> takeCommits() {
        synchronized (commits) {
            List<CommitListener.Commit> taken = List.copyOf(commits);
            commits.clear();
            return taken;
        }
    }

    @Override
    public @Nullable String value(String name) {
        return Cartridges.pairs(cartridge).get(name);
    }

    @Override
    public @Nullable Stamp stamp(String name) {
        return cartridge
                .read(rows -> rows.first(
                        """
                        SELECT o.node, o.epoch, p._seq, p._hlc FROM pair p JOIN fazt_origin o ON o.id = p._origin
                        WHERE p.scope = ? AND p.name = ?
                        """,
                        row -> new Stamp(
                                new Origin(NodeId.of(row.bytes(0)), (int) row.integer(1)),
                                row.integer(2),
                                new Hlc(row.integer(3))),
                        scope().id(),
                        name))
                .orElse(null);
    }

    @Override
    public long sum(String name) {
        return Cartridges.sum(cartridge, name);
    }

    @Override
    public Set<String> losers() {
        Set<String> losers = new TreeSet<>();
        cartridge
                .read(rows -> rows.query(
                        "SELECT loser, row_key, tbl FROM fazt_conflict_live WHERE scope = ?",
                        row -> row.text(0) + " " + RowCodec.key(row.bytes(1)).get(0)
                                + row.text(2).replaceFirst("^[a-z]*", ""),
                        scope().id()))
                .forEach(losers::add);
        return losers;
    }

    @Override
    public List<Changeset> recorded() {
        List<Changeset> recorded = new ArrayList<>();
        for (CommitListener.Commit commit : takeCommits()) {
            if (commit.local() && commit.changeset() != null) {
                recorded.add(commit.changeset());
            }
        }
        return recorded;
    }

    @Override
    public long rowCount() {
        return cartridge.read(rows -> rows.first(
                        "SELECT (SELECT count(*) FROM pair) + (SELECT count(*) FROM total)"
                                + " + (SELECT count(*) FROM fazt_conflict) + (SELECT count(*) FROM profile)",
                        row -> row.integer(0))
                .orElse(0L));
    }

    @Override
    public void restart() {
        cartridge.close();
        cartridge = open();
    }

    @Override
    public void copy() {
        try {
            Files.deleteIfExists(kept);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cartridge.backup(kept);
    }

    @Override
    public void restore() {
        cartridge.close();
        try {
            Files.copy(kept, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cartridge = open();
    }

    @Override
    public List<String> damage() {
        return cartridge.check();
    }

    @Override
    public void close() {
        cartridge.close();
    }
}
