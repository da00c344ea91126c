package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static sh.fazt.swarm.SwarmNode.APP;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.blob.Blobs;
import sh.fazt.blob.LostPage;
import sh.fazt.blob.Scrub;
import sh.fazt.sync.AuditResult;
import sh.fazt.sync.AuditResult.State;
import sh.fazt.testkit.Await;

/** Blobs that rot on one member, and on all, over real links and cartridges. */
@Timeout(180)
class HealingIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private SwarmNode home;
    private SwarmNode phone;

    @BeforeEach
    void start() {
        home = new SwarmNode(folder, "home");
        phone = new SwarmNode(folder, "phone");
        phone.join(home);
    }

    @AfterEach
    void stop() {
        phone.close();
        home.close();
    }

    private static byte[] bytes(int seed, int size) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private String both(String name, byte[] content) {
        String hash = home.show(name, content);
        Await.until("phone has " + name, PATIENCE, () -> phone.blobs.contains(hash));
        return hash;
    }

    /** Another last byte in the last chunk of a blob. */
    private static void damage(SwarmNode node, String blob) {
        List<Blobs.Chunk> chunks = node.blobs.manifest(blob).orElseThrow().chunks();
        String chunk = chunks.get(chunks.size() - 1).hash();
        byte[] body = node.blobs.chunk(chunk).orElseThrow();
        node.tamper("UPDATE fazt_chunk SET body = CAST(substr(body, 1, length(body) - 1) || x'"
                + (body[body.length - 1] == 0 ? "01" : "00") + "' AS BLOB) WHERE hash = '" + chunk + "'");
    }

    private static AuditResult self(SwarmNode node, boolean repair) {
        return node.swarm.watch().verify(APP, repair).stream()
                .filter(Watch.Verified::self)
                .map(Watch.Verified::result)
                .findFirst()
                .orElseThrow();
    }

    private static long told(SwarmNode node, String kind) {
        return node.swarm.watch().events().since(0).stream()
                .filter(event -> event.kind().equals(kind))
                .count();
    }

    private static void assertNobodyIsBlamed(SwarmNode node) {
        assertThat(told(node, "offence")).isZero();
        assertThat(node.swarm.watch().peers().values())
                .allSatisfy(peer -> assertThat(peer.counters().offences()).isZero());
    }

    @Test
    void whatCanNotBeReadIsNamedWithTheOthersAndComesFromTheOther() throws IOException {
        byte[] page = bytes(11, 5000);
        byte[] film = bytes(12, 5_000_000);
        String small = both("page", page);
        String large = both("film", film);
        phone.close();
        LostPage.of(folder.resolve("phone"), film);
        phone = new SwarmNode(folder, "phone");
        damage(phone, small);
        Await.until(
                "they are linked again",
                PATIENCE,
                () -> phone.swarm.watch().verify(APP, false).stream()
                        .noneMatch(verified -> verified.result().state() == State.UNREACHABLE));

        AuditResult found = self(phone, false);
        assertThat(found.damaged()).isEqualTo("2 blobs are damaged");
        assertThat(found.rows())
                .extracting(AuditResult.Difference::toString)
                .containsExactlyInAnyOrder(
                        "picture[page]: names blob " + small + ", which is damaged here",
                        "picture[film]: names blob " + large + ", which is damaged here");
        AuditResult repaired = self(phone, true);
        assertThat(repaired.repaired()).isTrue();
        assertThat(repaired.why()).isEmpty();
        assertThat(phone.blobs.read(large).orElseThrow()).isEqualTo(film);
        assertThat(self(phone, false).state()).isEqualTo(State.EQUAL);
        assertNobodyIsBlamed(phone);
        assertNobodyIsBlamed(home);
    }

    @Test
    void whatCanBeNeitherReadNorReplacedIsSaidToBeStuckWithAWayOut() throws IOException {
        // Some on each page of the table.
        for (int i = 0; i < 20; i++) {
            home.show("before " + i, bytes(100 + i, 900));
        }
        byte[] page = bytes(13, 900);
        String small = home.show("page", page);
        for (int i = 0; i < 20; i++) {
            home.show("after " + i, bytes(200 + i, 900));
        }
        String sound = both("film", bytes(14, 3_000_000));
        Await.until("phone has the page", PATIENCE, () -> phone.blobs.contains(small));
        phone.close();
        LostPage.of(folder.resolve("phone"), page);
        phone = new SwarmNode(folder, "phone");

        AuditResult repaired = self(phone, true);
        assertThat(repaired.state()).isEqualTo(State.DIFFERENT);
        assertThat(repaired.repaired()).isFalse();
        assertThat(repaired.rows())
                .extracting(AuditResult.Difference::toString)
                .contains("picture[page]: names blob " + small + ", which can't be read here, nor replaced");
        assertThat(repaired.why()).contains("restore a backup", "join with a new token");
        assertThat(phone.swarm.watch().events().since(0))
                .anySatisfy(event -> assertThat(event.what()).contains("can't be read here, nor replaced"));
        assertThat(told(phone, "repair")).isZero();
        // Rows go on, both ways, and what is asked of it is asked elsewhere.
        String next = phone.show("next", bytes(15, 900));
        Await.until("home has the next", PATIENCE, () -> home.blobs.contains(next));
        assertThat(phone.blobs.contains(sound)).isTrue();
        assertNobodyIsBlamed(phone);
        assertNobodyIsBlamed(home);
    }

    @Test
    void verifyNamesWhatIsDamagedAndRepairHasItFromTheOther() {
        byte[] page = bytes(1, 5000);
        byte[] film = bytes(2, 5_000_000);
        String small = both("page", page);
        String large = both("film", film);
        assertThat(self(phone, false).state()).isEqualTo(State.EQUAL);
        damage(phone, small);
        damage(phone, large);

        AuditResult found = self(phone, false);
        assertThat(found.state()).isEqualTo(State.DIFFERENT);
        assertThat(found.damaged()).isEqualTo("2 blobs are damaged");
        assertThat(found.repaired()).isFalse();
        assertThat(found.rows())
                .extracting(AuditResult.Difference::toString)
                .containsExactlyInAnyOrder(
                        "picture[page]: names blob " + small + ", which is damaged here",
                        "picture[film]: names blob " + large + ", which is damaged here");
        assertThat(self(home, false).state()).as("it has its own").isEqualTo(State.EQUAL);
        assertThat(phone.blobs.missing(List.of(small, large)))
                .as("only --repair repairs")
                .isEmpty();

        AuditResult repaired = self(phone, true);
        assertThat(repaired.state()).isEqualTo(State.DIFFERENT);
        assertThat(repaired.why()).isEmpty();
        assertThat(repaired.repaired()).isTrue();
        assertThat(repaired.rows()).hasSize(2);
        assertThat(phone.blobs.read(small).orElseThrow()).isEqualTo(page);
        assertThat(phone.blobs.read(large).orElseThrow()).isEqualTo(film);
        assertThat(self(phone, false).state()).isEqualTo(State.EQUAL);
        assertThat(told(phone, "blob-damaged")).isEqualTo(2);
        Await.until("that it is whole again is told", PATIENCE, () -> told(phone, "repair") == 2);
        PeerFigures.Totals totals = phone.swarm.watch().totals();
        assertThat(totals.damage()).isEqualTo(2);
        assertThat(totals.blobsDamaged()).isZero();
        assertNobodyIsBlamed(phone);
        assertNobodyIsBlamed(home);
    }

    @Test
    void whatBothHaveDamagedIsSaidKeptAndHealedByWhoUploadsItAgain() {
        byte[] page = bytes(3, 5000);
        String hash = both("page", page);
        damage(home, hash);
        damage(phone, hash);
        AuditResult lost = self(phone, true);
        assertThat(lost.repaired()).isFalse();
        assertThat(lost.state()).isEqualTo(State.DIFFERENT);
        assertThat(lost.why()).startsWith("no linked member has 1 of the blobs");
        assertThat(lost.rows().get(0).what()).endsWith(", and no linked member has it");
        assertThat(self(phone, false).damaged()).as("still").isEqualTo("1 blob is damaged");
        assertThat(home.blobs.contains(hash)).as("asked for it, home saw too").isFalse();
        Await.until("home tells so", PATIENCE, () -> told(home, "blob-damaged") == 2);
        for (SwarmNode node : List.of(home, phone)) {
            List<byte[]> left =
                    node.cartridge.read(rows -> rows.query("SELECT body FROM fazt_damaged", row -> row.bytes(0)));
            assertThat(left).hasSize(1);
            assertThat(Arrays.mismatch(left.get(0), page))
                    .as("all but a byte is left")
                    .isEqualTo(4999);
        }
        assertThat(phone.swarm.watch().totals().blobsDamaged()).isEqualTo(1);
        assertNobodyIsBlamed(phone);
        assertNobodyIsBlamed(home);

        home.blobs.put(page);
        Await.until("it comes to the phone by itself", PATIENCE, () -> phone.blobs.contains(hash));
        assertThat(phone.blobs.read(hash).orElseThrow()).isEqualTo(page);
        assertThat(self(phone, false).state()).isEqualTo(State.EQUAL);
        assertThat(self(home, false).state()).isEqualTo(State.EQUAL);
    }

    @Test
    void theScrubHealsByItself() {
        byte[] page = bytes(4, 5000);
        String hash = both("page", page);
        damage(phone, hash);
        AtomicLong nanos = new AtomicLong();
        Scrub scrub = new Scrub(phone.blobs, nanos::get);
        for (int hour = 0; hour < 2 * 7 * 24; hour++) {
            nanos.addAndGet(TimeUnit.HOURS.toNanos(1));
            scrub.turn();
        }
        Await.until("it is told as whole", PATIENCE, () -> told(phone, "repair") == 1);
        assertThat(phone.blobs.read(hash).orElseThrow()).isEqualTo(page);
        assertThat(told(phone, "blob-damaged")).isEqualTo(1);
    }
}
