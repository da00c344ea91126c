package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** What stays with others until somebody asks for it, through the executable: sites on nodes that hold back. */
class HeldBackSystemIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int LARGE = 300_000;

    @TempDir
    Path folder;

    private final List<NodeUnderTest> nodes = new ArrayList<>();

    private NodeUnderTest start(String name) throws Exception {
        NodeUnderTest node = new NodeUnderTest(folder, name, List.of(), List.of("--port", "0", "--swarm-port", "0"));
        nodes.add(node);
        return node.start();
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
    }

    /** Text that no two files share. */
    private static String text(int seed, int size) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder(size);
        while (text.length() < size) {
            text.append((char) ('a' + random.nextInt(26)));
        }
        return text.toString();
    }

    private Path site(String... larges) throws Exception {
        Path site = Files.createDirectories(folder.resolve("site"));
        Files.writeString(site.resolve("index.html"), "<h1>films</h1>");
        for (String large : larges) {
            Files.writeString(site.resolve(large), text(large.hashCode(), LARGE));
        }
        return site;
    }

    private static JsonNode held(NodeUnderTest node) throws Exception {
        return node.status().get("held_back");
    }

    private static void assertServes(NodeUnderTest node, String file) throws Exception {
        assertThat(node.get("films", "/" + file).equals(text(file.hashCode(), LARGE)))
                .as(node.name + " serves " + file)
                .isTrue();
    }

    /** Blobs that its rows refer to and that it has not got. */
    private static int wanted(NodeUnderTest node) throws Exception {
        try (Connection file = DriverManager.getConnection("jdbc:sqlite:" + node.cartridge);
                Statement statement = file.createStatement();
                ResultSet count = statement.executeQuery("SELECT count(*) FROM fazt_wanted")) {
            return count.getInt(1);
        }
    }

    @Test
    void aMeteredNodeServesASiteWhoseLargeFilesComeWhenAVisitorAsks() throws Exception {
        NodeUnderTest home = start("home");
        NodeUnderTest phone = start("phone");
        phone.ok("swarm", "link", "set", "default", "metered", "on");
        phone.join(home);
        home.ok("app", "deploy", site("one.txt", "two.txt", "three.txt").toString(), "--name", "films");

        Await.until(
                "the page is on the phone", SOON, () -> phone.get("films", "/").contains("films"));
        Await.until(
                "the phone says what it holds back",
                SOON,
                () -> held(phone).get("blobs").asInt() == 3
                        && held(phone).get("bytes").asInt() == 3 * LARGE);
        assertThat(phone.fazt("swarm", "status", "--format", "table").out()).contains("3 blobs held back, 879 KiB");
        assertThat(phone.fazt("swarm", "link", "list", "--format", "table").out())
                .contains("metered", "3 blobs held back");

        assertServes(phone, "one.txt");
        Await.until(
                "it is not held back any more",
                SOON,
                () -> held(phone).get("blobs").asInt() == 2);

        home.kill();
        Await.until("nobody has the next one", SOON, () -> {
            HttpResponse<String> answer = phone.ask("films", "GET", "/two.txt", "");
            return answer.statusCode() == 503
                    && answer.headers().firstValue("retry-after").isPresent()
                    && answer.body().contains("kept on other nodes");
        });
        NodeUnderTest.Run sync = phone.fazt("swarm", "sync");
        assertThat(sync.code()).as("two can't be had").isEqualTo(1);
        assertThat(sync.json().get("lost").asInt()).isEqualTo(2);
        assertThat(sync.json().get("missing").toString()).contains("films/two.txt", "films/three.txt");
        assertThat(phone.fazt("swarm", "sync", "nothing").err()).contains("there is no app \"nothing\"");
        assertServes(phone, "one.txt");
        phone.stop();
        phone.start();
        Await.until(
                "a start without any link keeps what was served",
                SOON,
                () -> phone.get("films", "/").contains("<h1>films"));

        home.start();
        Await.until(
                "the second comes from home",
                SOON,
                () -> phone.ask("films", "GET", "/two.txt", "").statusCode() == 200);
        home.ok("app", "deploy", site("four.txt").toString(), "--name", "films");
        Await.until(
                "the third and the fourth are held back",
                SOON,
                () -> held(phone).get("blobs").asInt() == 2);
        JsonNode synced = phone.ok("swarm", "sync", "films");
        assertThat(synced.at("/got/blobs").asInt()).isEqualTo(2);
        assertThat(synced.at("/got/bytes").asInt()).isEqualTo(2 * LARGE);
        assertThat(synced.at("/from/0/name").asText()).isEqualTo("home");
        assertThat(phone.fazt("swarm", "sync", "--format", "table").out()).contains("nothing was lacking");

        home.ok("app", "deploy", site("five.txt").toString(), "--name", "films");
        Await.until(
                "the fifth is held back", SOON, () -> held(phone).get("blobs").asInt() == 1);
        phone.ok("swarm", "link", "set", "default", "metered", "off");
        Await.until("the fifth comes unasked", SOON, () -> wanted(phone) == 0);
        home.kill();
        for (String file : List.of("three.txt", "four.txt", "five.txt")) {
            assertServes(phone, file);
        }
        assertThat(held(phone).get("blobs").asInt()).isZero();
    }

    @Test
    void aLazyNodeServesASiteFromItsRowsAndFetchesEachFileOnFirstUse() throws Exception {
        NodeUnderTest home = start("home");
        NodeUnderTest phone = start("phone");
        phone.join(home);
        home.ok("app", "deploy", site("one.txt").toString(), "--name", "films");
        NodeUnderTest.Run nobody = home.fazt("swarm", "place", "films", "all", "--lazy", "home,phone");
        assertThat(nobody.code()).isEqualTo(1);
        assertThat(nobody.err()).contains("lazily on every member");
        assertThat(home.fazt("swarm", "place", "films", "--lazy", "phone").code())
                .isEqualTo(2);
        Await.until(
                "the phone is a member that can be named",
                SOON,
                () -> home.fazt("swarm", "place", "films", "all", "--lazy", "phone")
                                .code()
                        == 0);
        assertThat(home.fazt("swarm", "placement", "--format", "table").out())
                .contains("all, lazy on phone", "phone (lazy)");
        Await.until(
                "the phone knows",
                SOON,
                () -> phone.look("/api/swarm/placement")
                        .at("/apps/0/rule")
                        .asText()
                        .equals("all, lazy on phone"));
        home.ok("app", "deploy", site("one.txt", "two.txt").toString(), "--name", "films");
        Await.until(
                "the phone leaves it at home",
                SOON,
                () -> held(phone).get("blobs").asInt() >= 1);
        assertServes(phone, "two.txt");
        assertServes(phone, "one.txt");
        Await.until("both are here now", SOON, () -> held(phone).get("blobs").asInt() == 0);
        home.kill();
        assertServes(phone, "two.txt");
    }
}
