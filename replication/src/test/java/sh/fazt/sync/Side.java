package sh.fazt.sync;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Links;

/** An honest node: a cartridge that is kept in step. */
final class Side extends Wire {
    static final Scope SCOPE = new Scope("fazt_app_000000000001");
    private static final List<ReplicatedTable.Column> NAME =
            List.of(new ReplicatedTable.Column("name", ReplicatedTable.Type.TEXT));
    static final SchemaPart ROOM = new SchemaPart(
            "test",
            List.of(),
            List.of(
                    new ReplicatedTable(
                            "pair",
                            ReplicatedTable.Policy.REGISTER,
                            NAME,
                            List.of(new ReplicatedTable.Column("value", ReplicatedTable.Type.TEXT))),
                    new ReplicatedTable("total", ReplicatedTable.Policy.COUNTER, NAME, List.of()),
                    new ReplicatedTable("doc", ReplicatedTable.Policy.DOCUMENT, NAME, List.of())));

    final Queue<String> named = new ConcurrentLinkedQueue<>();
    final AtomicInteger epochs = new AtomicInteger();
    final SqliteCartridge cartridge;
    final FencedReplica replica;
    final SyncService sync;
    final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();

    Side(Path file) {
        this(NodeKey.generate(), file, links -> links);
    }

    Side(Path file, UnaryOperator<Links> between) {
        this(NodeKey.generate(), file, between);
    }

    /** @param between stands between sync and the links */
    Side(NodeKey key, Path file, UnaryOperator<Links> between) {
        super(key);
        cartridge = SqliteCartridge.open(file, CartridgeOptions.standard(), List.of(ROOM));
        cartridge.bind(key.id());
        replica = new FencedReplica(cartridge.replica(), System::nanoTime);
        sync = new SyncService(
                replica,
                null,
                between.apply(links),
                thread,
                io,
                System::nanoTime,
                InstantSource.system(),
                (kind, about, what, why) -> {
                    if (kind.equals("epoch")) {
                        epochs.incrementAndGet();
                    }
                    named.add(kind + " " + about + ": " + what);
                },
                SyncService.AUDIT_EVERY,
                Holders.EVERYBODY,
                () -> false);
        cartridge.listen(sync);
        links.start();
        thread.scheduleWithFixedDelay(sync::tick, 100, 100, TimeUnit.MILLISECONDS);
    }

    void set(String key) {
        set(key, "v");
    }

    void set(String key, String value) {
        cartridge
                .write(SCOPE, tx -> {
                    tx.put("pair", List.of(key), Map.of("value", value));
                    return true;
                })
                .toCompletableFuture()
                .join();
    }

    long pairs() {
        return cartridge
                .read(rows -> rows.query("SELECT count(*) FROM pair_live", row -> row.integer(0)))
                .get(0);
    }

    long offences(Wire peer) {
        return sync.counters(peer.key.id()).offences();
    }

    boolean names(Wire peer, Offence offence) {
        return named.stream()
                .anyMatch(text -> text.startsWith("offence " + peer.key.id()) && text.contains(offence.text()));
    }

    @Override
    public void close() {
        thread.shutdownNow();
        super.close();
        cartridge.close();
    }
}
