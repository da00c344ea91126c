package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkClass;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.PullReply;
import sh.fazt.protocol.sync.v1.PullRequest;

/** Real cartridges; links that answer at once, on the calling thread, so that nothing has to be waited for. */
class KeepsIT {
    private static final Scope SHOP = new Scope("fazt_app_000000000001");
    private static final SchemaPart ROOM = new SchemaPart(
            "test",
            List.of(),
            List.of(new ReplicatedTable(
                    "picture",
                    ReplicatedTable.Policy.REGISTER,
                    List.of(new ReplicatedTable.Column("name", ReplicatedTable.Type.TEXT)),
                    List.of(new ReplicatedTable.Column("body", ReplicatedTable.Type.BLOB_REFERENCE)))));

    @TempDir
    Path folder;

    private final Network network = new Network();
    private long nanos;
    private Node here;
    private Node home;

    private static final class Network {
        final Map<NodeId, Node> nodes = new HashMap<>();
        LinkClass linkClass = LinkClass.LAN;
    }

    private final class Node implements Links {
        final NodeId id;
        final SqliteCartridge cartridge;
        final Blobs blobs;
        final SyncService sync;
        final Map<Channel, Handler> handlers = new HashMap<>();
        final List<Listener> listeners = new ArrayList<>();

        Node(String name, int number) {
            byte[] bytes = new byte[32];
            bytes[0] = (byte) number;
            id = NodeId.of(bytes);
            cartridge = SqliteCartridge.open(folder.resolve(name), CartridgeOptions.standard(), List.of(ROOM));
            cartridge.bind(id);
            blobs = new Blobs(cartridge);
            sync = new SyncService(cartridge.replica(), blobs, this, Runnable::run, Runnable::run, () -> nanos);
            network.nodes.put(id, this);
        }

        void show(Scope scope, String hash) {
            cartridge
                    .write(scope, tx -> {
                        tx.put("picture", List.of(hash), Map.of("body", hash));
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
        }

        CompletionStage<byte[]> answer(Channel channel, NodeId from, byte[] request) {
            return Objects.requireNonNull(handlers.get(channel)).request(from, request);
        }

        @Override
        public CompletionStage<Void> send(NodeId to, Channel channel, byte[] message, Duration deadline) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletionStage<byte[]> ask(NodeId to, Channel channel, byte[] request, Duration deadline) {
            return Objects.requireNonNull(network.nodes.get(to)).answer(channel, id, request);
        }

        @Override
        public void handle(Channel channel, Handler handler) {
            handlers.put(channel, handler);
        }

        @Override
        public void listen(Listener listener) {
            listeners.add(listener);
        }

        @Override
        public List<LinkState> states() {
            return network.nodes.keySet().stream()
                    .filter(peer -> !peer.equals(id))
                    .map(peer -> new LinkState(
                            peer,
                            true,
                            true,
                            "",
                            Duration.ofMillis(1),
                            0,
                            0,
                            0,
                            null,
                            network.linkClass,
                            null,
                            0,
                            0,
                            null,
                            null,
                            0,
                            0,
                            null))
                    .toList();
        }

        @Override
        public void close() {
            cartridge.close();
        }
    }

    @BeforeEach
    void open() {
        here = new Node("here", 1);
        home = new Node("home", 2);
    }

    @AfterEach
    void close() {
        network.nodes.values().forEach(Node::close);
    }

    private static byte[] random(int size, int seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void nobodyLetsGoOfAScopeWhoseBlobsAreNotHereYet() throws Exception {
        byte[] picture = random(100_000, 1);
        here.show(SHOP, Blobs.sha256(picture, 0, picture.length));
        assertThat(keeps()).isFalse();
        here.blobs.put(picture);
        assertThat(keeps()).isTrue();
    }

    private boolean keeps() throws Exception {
        VersionVector all = here.cartridge.replica().vector(SHOP);
        PullRequest request = PullRequest.newBuilder()
                .setScope(SHOP.id())
                .addAllSince(SyncCodec.seen(all))
                .setKeeps(true)
                .build();
        byte[] reply = here.answer(Channel.PULL, home.id, request.toByteArray())
                .toCompletableFuture()
                .join();
        return PullReply.parseFrom(reply).getKeeps();
    }
}
